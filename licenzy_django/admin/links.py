"""Where else to look: our own pages, and the Stripe dashboard."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

# Objects that have a page of their own; for all others the dashboard's search finds any id.
DASHBOARD_PAGES = {
    "sub_sched_": "subscription_schedules",
    "cus_": "customers",
    "sub_": "subscriptions",
    "pi_": "payments",
    "ch_": "payments",
    "py_": "payments",
    "in_": "invoices",
    "evt_": "events",
    "price_": "prices",
}


def dashboard_url(stripe_id: str, mode: str) -> str:
    """The page of an object in the Stripe dashboard; test and live each in their own."""
    base = "https://dashboard.stripe.com/" + ("test/" if mode == "test" else "")
    page = next((page for prefix, page in DASHBOARD_PAGES.items() if stripe_id.startswith(prefix)), "")
    if page:
        return f"{base}{page}/{quote(stripe_id, safe='')}"
    return f"{base}search?query={quote(stripe_id, safe='')}"


def stripe_link(stripe_id: str, mode: str) -> SafeString | str:
    """The id as a link to the dashboard; nothing for no id."""
    if not stripe_id:
        return ""
    return format_html(
        '<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', dashboard_url(stripe_id, mode), stripe_id
    )


def page_of(subject_pk: int) -> str:
    """A subject's page in the admin."""
    return reverse("admin:licenzy_subject_change", args=[subject_pk])
