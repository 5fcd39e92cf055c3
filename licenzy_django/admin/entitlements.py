from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.access.availability import availability_of
from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of, stripe_link
from licenzy_django.models import Entitlement, EntitlementChange, Pack, Source
from licenzy_django.models.pack import UNIT_COLUMNS


@admin.register(Entitlement)
class EntitlementAdmin(LookedUp):
    list_display = ["public_id", "mode", "subject_ref", "product", "status_now", "source", "source_id", "created_at"]
    list_filter = ["mode", "status", "source", "product__kind"]
    list_select_related = ["product", "pack"]
    exact_search_fields = ["public_id", "subject_ref", "source_id"]
    search_help_text = _("An ent_ id, a subject, a session or a subscription, pasted as it is.")
    fields = [
        "public_id",
        "mode",
        "subject_page",
        "product",
        "quantity",
        "status_now",
        "source",
        "rests_on",
        "attempt",
        "starts_at",
        "expires_at",
        "current_period_end",
        "cancel_at",
        "trial_ends_at",
        "changes_at",
        "changes_to",
        "changes_quantity",
        "canceled_at",
        "revoked_at",
        "units",
        "created_at",
        "updated_at",
    ]

    @admin.display(description=_("subject"))
    def subject_page(self, entitlement: Entitlement) -> SafeString:
        return format_html('<a href="{}">{}</a>', page_of(entitlement.subject_id), entitlement.subject_ref)

    @admin.display(description=_("now"))
    def status_now(self, entitlement: Entitlement) -> str:
        availability = availability_of(entitlement, clock.now())
        return f"{availability.status} ({availability.reason})" if availability.reason else availability.status

    @admin.display(description=_("units"))
    def units(self, entitlement: Entitlement) -> SafeString | str:
        """What became of its pack."""
        if entitlement.pack is None:
            return "–"
        columns = [column for column in Pack._meta.concrete_fields if column.name in UNIT_COLUMNS]
        lines = [(column.verbose_name, getattr(entitlement.pack, column.name)) for column in columns]
        return format_html_join(mark_safe(" · "), "{}: {}", lines)

    @admin.display(description=_("rests on"))
    def rests_on(self, entitlement: Entitlement) -> SafeString | str:
        if entitlement.source == Source.STRIPE:
            return stripe_link(entitlement.source_id, entitlement.mode)
        return entitlement.source_id


@admin.register(EntitlementChange)
class EntitlementChangeAdmin(LookedUp):
    list_display = ["at", "mode", "entitlement", "reason", "source", "stripe_event_id", "actor", "note"]
    list_filter = ["mode", "source", "reason"]
    list_select_related = ["entitlement", "actor"]
    exact_search_fields = ["entitlement__public_id", "entitlement__subject_ref", "stripe_event_id"]
    search_help_text = _("An ent_ id, a subject or a Stripe event, pasted as it is.")
    fields = ["entitlement", "mode", "at", "reason", "source", "stripe_event_id", "actor", "note", "before", "after"]
