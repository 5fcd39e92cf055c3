from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of
from licenzy_django.models import LedgerEntry, Pack, Reservation


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LookedUp):
    list_display = [
        "created_at",
        "mode",
        "subject",
        "kind",
        "units",
        "unit",
        "pack",
        "balance_after",
        "source",
        "actor",
    ]
    list_filter = ["mode", "kind", "source"]
    list_select_related = ["subject", "pack__entitlement", "pack__allowance_of", "actor"]
    exact_search_fields = [
        "pack__entitlement__public_id",
        "pack__allowance_of__public_id",
        "subject__subject_ref",
        "reservation__public_id",
        "idempotency_key",
    ]
    search_help_text = _("An ent_ or res_ id, a subject or an idempotency key, pasted as it is.")
    fields = [
        "mode",
        "subject",
        "pack",
        "kind",
        "units",
        "unit",
        "actions",
        "balance_after",
        "reservation",
        "consumption",
        "idempotency_key",
        "part_of",
        "usage_remaining",
        "units_refunded",
        "source",
        "actor",
        "reason",
        "created_at",
    ]

    @admin.display(description=_("unit"))
    def unit(self, entry: LedgerEntry) -> str:
        return entry.pack.unit


@admin.register(Pack)
class PackAdmin(LookedUp):
    list_display = [
        "pack",
        "mode",
        "subject_ref",
        "product",
        "unit",
        "starts_at",
        "ends_at",
        "units_granted",
        "units_consumed",
        "units_reserved",
        "units_voided",
        "units_remaining",
    ]
    list_filter = ["mode", "is_void"]
    list_select_related = ["product", "entitlement", "allowance_of"]
    exact_search_fields = ["subject_ref", "source_id", "entitlement__public_id", "allowance_of__public_id"]
    search_help_text = _("A subject, a subscription, a session or an ent_ id, pasted as it is.")
    fields = [
        "mode",
        "subject_page",
        "product",
        "unit",
        "source_id",
        "allowance_of",
        "window_key",
        "starts_at",
        "ends_at",
        "not_before",
        "available_until",
        "is_void",
        "units_granted",
        "units_adjusted",
        "units_consumed",
        "units_reserved",
        "reserved_until",
        "units_voided",
        "units_remaining",
        "created_at",
        "updated_at",
    ]

    @admin.display(description=_("pack"))
    def pack(self, pack: Pack) -> str:
        return str(pack)

    @admin.display(description=_("subject"))
    def subject_page(self, pack: Pack) -> SafeString:
        return format_html('<a href="{}">{}</a>', page_of(pack.subject_id), pack.subject_ref)


@admin.register(Reservation)
class ReservationAdmin(LookedUp):
    list_display = ["public_id", "mode", "subject", "units", "status", "units_confirmed", "expires_at", "created_at"]
    list_filter = ["mode", "status"]
    list_select_related = ["subject"]
    exact_search_fields = ["public_id", "subject__subject_ref"]
    search_help_text = _("A res_ id or a subject, pasted as it is.")
