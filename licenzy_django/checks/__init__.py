"""What can be known to be wrong before the first request. ``manage.py check --tag licenzy`` shows only these.

An id is never used again for something else; tests/checks names each.
"""

from licenzy_django.checks import cache, checkout, database, outbound, redirects, settings, stripe, units, webhook

__all__ = ["cache", "checkout", "database", "outbound", "redirects", "settings", "stripe", "units", "webhook"]
