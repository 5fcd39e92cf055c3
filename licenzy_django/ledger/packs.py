"""The units of a pack: granted = consumed + reserved + voided + remaining, always."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import F, QuerySet

from licenzy_django.exceptions import InsufficientUsage, InvalidRequest
from licenzy_django.models import Entitlement, LedgerEntry, Product
from licenzy_django.models.availability import has_units, is_on
from licenzy_django.models.querysets import expired_units
from licenzy_django.models.usage import MOST_UNITS

DRAIN_ORDER = (F("expires_at").asc(nulls_last=True), F("starts_at").asc(nulls_last=True), "pk")
"""Soonest expiry first, then the older one, by Stripe's times whichever webhook came first; they have whole seconds, so
within one the row does. Whoever locks several packs locks them in this order."""


def set_granted(pack: Entitlement, units: int) -> None:
    """Say how many units the pack was bought with. What it already gave cannot be taken back."""
    spent = pack.units_consumed + pack.units_reserved
    pack.units_granted = max(units + pack.units_adjusted, spent)
    pack.units_remaining = pack.units_granted - spent - pack.units_voided
    if pack.units_remaining < 0:
        pack.units_voided += pack.units_remaining
        pack.units_remaining = 0


def void(pack: Entitlement) -> None:
    """Nothing is left to use; what was consumed stays consumed."""
    pack.units_voided += pack.units_remaining
    pack.units_remaining = 0


def restore(pack: Entitlement) -> None:
    """What was left when the pack was voided is there again."""
    pack.units_remaining += pack.units_voided
    pack.units_voided = 0


def is_void(pack: Entitlement) -> bool:
    """Whether refund, dispute or operator took it away. Time is another matter: an expired pack keeps its units."""
    return not pack.grants_access or pack.revoked_at is not None


def adjust(pack: Entitlement, units: int) -> None:
    """Give or, below zero, take units by hand. On a void pack it changes what a restoration would bring back.

    Raises InsufficientUsage rather than taking more than is left, InvalidRequest for more than a pack can hold.
    """
    if pack.units_granted + units > MOST_UNITS:
        raise InvalidRequest(fields={"units": [f"A pack holds at most {MOST_UNITS:,} units in all."]})
    left = pack.units_voided if is_void(pack) else pack.units_remaining
    if left + units < 0:
        raise InsufficientUsage(usage_remaining=left)
    pack.units_adjusted += units
    pack.units_granted += units
    if is_void(pack):
        pack.units_voided += units
    else:
        pack.units_remaining += units


def give_back(pack: Entitlement, reserved: int, *, consumed: int) -> int:
    """End a reservation of the pack: some of it was used, the rest returns. Returns how much did.

    The rest of a pack that was voided meanwhile is void too.
    """
    returned = reserved - consumed
    pack.units_reserved -= reserved
    pack.units_consumed += consumed
    pack.units_remaining += returned
    if is_void(pack):
        void(pack)
    return returned


# --- many packs -------------------------------------------------------------------------------------------------------


def available(subject_ref: str, mode: str, product_code: str, at: datetime) -> QuerySet[Entitlement]:
    """The subject's packs from which units can be taken at this moment, those included that are used up."""
    rows = Entitlement.objects.filter(is_on(at), subject_ref=subject_ref, mode=mode, units_granted__gt=0)
    # A subquery, since a join would be locked along where the rows are.
    return rows.filter(product__in=Product.objects.filter(code=product_code, mode=mode)) if product_code else rows


def remaining(subject_ref: str, mode: str, product_code: str, at: datetime) -> int:
    """Units over all available packs of the subject, read at one moment."""
    rows = available(subject_ref, mode, product_code, at).using(writer()).filter(has_units(at))
    # Added up here, since a database's own sum of large packs overflows.
    found = rows.annotate(expired=expired_units(at)).values_list("units_remaining", "expired")
    return min(sum(left + (expired or 0) for left, expired in found), MOST_UNITS)


def writer() -> str:
    """The database that usage is written to, and that is asked where an old answer would be a wrong one."""
    return router.db_for_write(LedgerEntry)
