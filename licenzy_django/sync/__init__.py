"""Stripe's events and objects become facts, and entitlements follow; ``drift`` and ``repair`` compare and put right."""

from licenzy_django.sync.comparison import Drift, drift, missed_events, refresh_checkout, repair

__all__ = ["Drift", "drift", "missed_events", "refresh_checkout", "repair"]
