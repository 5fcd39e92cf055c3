"""What can be known to be wrong before the first request. ``manage.py check --tag licenzy`` shows only these.

An id is never used again for something else; tests/checks names each.
"""

from licenzy_django.checks import database, outbound, redirects, settings, stripe, webhook

__all__ = ["database", "outbound", "redirects", "settings", "stripe", "webhook"]
