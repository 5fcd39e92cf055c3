"""All of them, by what they are about."""

from conformance.scenarios import changes, creation, endings, money_back, renewals, requests, schedules, trials

__all__ = ["changes", "creation", "endings", "money_back", "renewals", "requests", "schedules", "trials"]
