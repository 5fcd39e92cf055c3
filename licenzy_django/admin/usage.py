from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.base import LookedUp
from licenzy_django.models import LedgerEntry, Reservation


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


@admin.register(Reservation)
class ReservationAdmin(LookedUp):
    list_display = ["public_id", "mode", "subject", "units", "status", "units_confirmed", "expires_at", "created_at"]
    list_filter = ["mode", "status"]
    list_select_related = ["subject"]
    exact_search_fields = ["public_id", "subject__subject_ref"]
    search_help_text = _("A res_ id or a subject, pasted as it is.")
