from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of, stripe_link
from licenzy_django.models import StripeEvent


@admin.register(StripeEvent)
class StripeEventAdmin(LookedUp):
    """The inbox. The digest of the body is nobody's business; the payload is kept without personal data."""

    list_display = ["event_id", "mode", "type", "status", "outcome", "tries", "subject", "received_at"]
    list_filter = ["mode", "status", "type"]
    list_select_related = ["subject"]
    exact_search_fields = ["event_id", "object_id", "subject__subject_ref"]
    search_help_text = _("An evt_ id, the id of the object it is about, or a subject, pasted as it is.")
    fields = [
        "at_stripe",
        "mode",
        "type",
        "about",
        "subject_page",
        "status",
        "outcome",
        "error",
        "tries",
        "api_version",
        "occurred_at",
        "received_at",
        "processed_at",
        "payload",
    ]

    @admin.display(description=_("event"))
    def at_stripe(self, event: StripeEvent) -> SafeString | str:
        return stripe_link(event.event_id, event.mode)

    @admin.display(description=_("about"))
    def about(self, event: StripeEvent) -> SafeString | str:
        return stripe_link(event.object_id, event.mode)

    @admin.display(description=_("subject"))
    def subject_page(self, event: StripeEvent) -> SafeString | str:
        if event.subject_id is None:
            return gettext("not known")
        return format_html('<a href="{}">{}</a>', page_of(event.subject_id), event.subject)
