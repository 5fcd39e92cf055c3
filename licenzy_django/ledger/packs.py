"""The units of a pack: granted = consumed + reserved + voided + remaining, always."""

from __future__ import annotations

from datetime import datetime

from django.db import router
from django.db.models import BigIntegerField, Case, Expression, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from licenzy_django.exceptions import InsufficientUsage
from licenzy_django.models import Entitlement, LedgerEntry, Product, Reservation

DRAIN_ORDER = (F("expires_at").asc(nulls_last=True), F("starts_at").asc(nulls_last=True), "pk")
"""Soonest expiry first, then the older one, by Stripe's times whichever webhook came first; they have whole seconds, so
within one the row does. Whoever locks several packs locks them in this order."""


def set_granted(lot: Entitlement, units: int) -> None:
    """Say how many units the lot was bought with. What it already gave cannot be taken back."""
    spent = lot.units_consumed + lot.units_reserved
    lot.units_granted = max(units + lot.units_adjusted, spent)
    lot.units_remaining = lot.units_granted - spent - lot.units_voided
    if lot.units_remaining < 0:
        lot.units_voided += lot.units_remaining
        lot.units_remaining = 0


def void(lot: Entitlement) -> None:
    """Nothing is left to use; what was consumed stays consumed."""
    lot.units_voided += lot.units_remaining
    lot.units_remaining = 0


def restore(lot: Entitlement) -> None:
    """What was left when the lot was voided is there again."""
    lot.units_remaining += lot.units_voided
    lot.units_voided = 0


def is_void(lot: Entitlement) -> bool:
    """Whether refund, dispute or operator took it away. Time is another matter: an expired lot keeps its units."""
    return not lot.grants_access or lot.revoked_at is not None


def adjust(lot: Entitlement, units: int) -> None:
    """Give or, below zero, take units by hand. On a void lot it changes what a restoration would bring back.

    Raises InsufficientUsage rather than taking more than is left.
    """
    left = lot.units_voided if is_void(lot) else lot.units_remaining
    if left + units < 0:
        raise InsufficientUsage(usage_remaining=left)
    lot.units_adjusted += units
    lot.units_granted += units
    if is_void(lot):
        lot.units_voided += units
    else:
        lot.units_remaining += units


def give_back(lot: Entitlement, reserved: int, *, consumed: int) -> int:
    """End a reservation of the lot: some of it was used, the rest returns. Returns how much did.

    The rest of a lot that was voided meanwhile is void too.
    """
    returned = reserved - consumed
    lot.units_reserved -= reserved
    lot.units_consumed += consumed
    lot.units_remaining += returned
    if is_void(lot):
        void(lot)
    return returned


# --- many lots --------------------------------------------------------------------------------------------------------


def available(subject_ref: str, mode: str, product_code: str, at: datetime) -> QuerySet[Entitlement]:
    """The subject's packs from which units can be taken at this moment, those included that are used up."""
    lots = Entitlement.objects.filter(
        Q(not_before=None) | Q(not_before__lte=at),
        Q(available_until=None) | Q(available_until__gt=at),
        subject_ref=subject_ref,
        mode=mode,
        grants_access=True,
        revoked_at=None,
        units_granted__gt=0,
    )
    # A subquery, since a join would be locked along where the rows are.
    return lots.filter(product__in=Product.objects.filter(code=product_code, mode=mode)) if product_code else lots


def lapsed_units(at: datetime) -> Expression:
    """Of a lot: what is reserved by reservations whose time is over, and so is free again."""
    lapsed = LedgerEntry.objects.filter(
        subject=OuterRef("subject"),
        entitlement=OuterRef("pk"),
        kind=LedgerEntry.Kind.RESERVE,
        reservation__subject=OuterRef("subject"),
        reservation__status=Reservation.Status.OPEN,
        reservation__expires_at__lte=at,
    )
    total = lapsed.order_by().values("entitlement").annotate(total=Sum("units")).values("total")
    return Case(When(reserved_until__lte=at, then=Subquery(total)), default=Value(0), output_field=BigIntegerField())


def lapsed_units_by_lot(lots: list[Entitlement], at: datetime) -> dict[int, int]:
    """For those of the lots that have any. Costs no query if none has."""
    affected = [lot.pk for lot in lots if lot.reserved_until is not None and lot.reserved_until <= at]
    if not affected:
        return {}
    found = Entitlement.objects.filter(pk__in=affected).annotate(lapsed=Coalesce(lapsed_units(at), Value(0)))
    return dict(found.values_list("pk", "lapsed"))


def remaining(subject_ref: str, mode: str, product_code: str, at: datetime) -> int:
    """Units over all available packs of the subject, read at one moment."""
    lots = available(subject_ref, mode, product_code, at).using(writer()).annotate(lapsed=lapsed_units(at))
    total = lots.aggregate(total=Sum(F("units_remaining") + Coalesce(F("lapsed"), Value(0))))["total"]
    return int(total or 0)


def writer() -> str:
    """The database that usage is written to, and that is asked where an old answer would be a wrong one."""
    return router.db_for_write(LedgerEntry)
