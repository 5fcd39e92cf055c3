"""Questions about many rows that several concepts ask, each said once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    Expression,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least

from licenzy_django.clock import NEVER
from licenzy_django.db.text import storable
from licenzy_django.models.catalog import Product
from licenzy_django.models.entitlement import Entitlement
from licenzy_django.models.pack import Pack
from licenzy_django.models.usage import LedgerEntry, Reservation


def units_sold(mode: str, *, product_codes: Collection[str] = (), using: str | None = None) -> list[str]:
    """The units that are or were sold in a mode, by their codes.

    Args:
        product_codes: of these products alone; none means all.
    """
    products = Product.objects.using(using).filter(~Q(unit=""), mode=mode)
    if product_codes:
        products = products.filter(code__in=[code for code in product_codes if storable(code) == code])
    return list(products.order_by("unit").values_list("unit", flat=True).distinct())


def expired_units(at: datetime) -> Expression:
    """Of a pack: what is reserved by reservations whose time is over, and so is free again."""
    expired = LedgerEntry.objects.filter(
        subject=OuterRef("subject"),
        pack=OuterRef("pk"),
        kind=LedgerEntry.Kind.RESERVE,
        reservation__subject=OuterRef("subject"),
        reservation__status=Reservation.Status.OPEN,
        reservation__expires_at__lte=at,
    )
    total = expired.order_by().values("pack").annotate(total=Sum("units")).values("total")
    return Case(When(reserved_until__lte=at, then=Subquery(total)), default=Value(0), output_field=BigIntegerField())


def expired_units_by_pack(packs: Iterable[Pack], at: datetime) -> dict[int, int]:
    """For those of the packs that have any. Costs no query if none has."""
    affected = [pack.pk for pack in packs if pack.reserved_until is not None and pack.reserved_until <= at]
    if not affected:
        return {}
    found = Pack.objects.filter(pk__in=affected).annotate(expired=Coalesce(expired_units(at), Value(0)))
    return dict(found.values_list("pk", "expired"))


def with_span(rows: QuerySet[Entitlement]) -> QuerySet[Any]:
    """Each row with when it began and when it ended, ``NEVER`` if it did not.

    Between the two it is on, as ``availability.IS_ON`` says of one moment.
    """
    never = Value(NEVER, DateTimeField())
    since = Coalesce("canceled_at", "updated_at")
    switched_off = Case(When(grants_access=False, then=since), default=never, output_field=DateTimeField())
    return rows.annotate(
        began_at=Coalesce("not_before", "starts_at", "created_at"),
        ended_at=Least(Coalesce("available_until", never), Coalesce("revoked_at", never), switched_off),
    )
