"""Stripe's own page to change the card or the plan, or to cancel."""

from licenzy_django.billing_portal.sessions import session_url

__all__ = ["session_url"]
