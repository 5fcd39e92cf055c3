"""May this subject …? ``access.check`` answers yes or no, and why; it never calls Stripe."""

from licenzy_django.access.decisions import Decision, acheck, arequire, check, require
from licenzy_django.access.limits import Limit, alimit, limit
from licenzy_django.access.summary import AccessSummary, EntitlementView, entitlements_of, summary
from licenzy_django.access.trials import has_had_trial

__all__ = [
    "AccessSummary",
    "Decision",
    "EntitlementView",
    "Limit",
    "acheck",
    "alimit",
    "arequire",
    "check",
    "entitlements_of",
    "has_had_trial",
    "limit",
    "require",
    "summary",
]
