"""Which units are meant, and how many of them are left: access and usage ask the same."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Subquery

from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest, UnitRequired
from licenzy_django.models.availability import has_units, is_on
from licenzy_django.models.catalog import Product
from licenzy_django.models.pack import Pack
from licenzy_django.models.querysets import expired_units, units_sold
from licenzy_django.models.usage import total

MAX_UNITS = 1_000_000_000
"""The most that one call is about."""
NOT_A_NUMBER_OF_UNITS = "This must be a whole number from 1 to 1,000,000,000."


def is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def only_unit(mode: str, *, product_codes: Collection[str] = (), using: str | None = None) -> str:
    """The one unit that is or was sold in a mode; empty where none is. Raises UnitRequired where several are.

    Args:
        product_codes: of these products alone; none means all.
    """
    sold = units_sold(mode, product_codes=product_codes, using=using)
    if len(sold) > 1:
        raise UnitRequired(units=sold)
    return "".join(sold)


def with_units_sold(rows: QuerySet[Pack], mode: str) -> QuerySet[Any]:
    """The packs with the first and the last unit that is or was sold in the mode, ``first_sold`` and ``last_sold``."""
    sold = Product.objects.filter(~Q(unit=""), mode=mode).values("unit")
    first, last = sold.order_by("unit")[:1], sold.order_by("-unit")[:1]
    return rows.annotate(first_sold=Subquery(first), last_sold=Subquery(last))


def refuse_unknown_unit(unit: str, mode: str, *, using: str | None = None) -> None:
    """Raise InvalidRequest, naming those that there are, for a unit that no product of the mode has or had."""
    sold = units_sold(mode, using=using)
    if unit not in sold:
        known = f"those that are: {', '.join(sold)}." if sold else "no units are sold in this mode."
        raise InvalidRequest(fields={"unit": [f"This unit is not known; {known}"]})


def usable_packs(
    subject_ref: str, mode: str, at: datetime, *, unit: str = "", product_codes: Collection[str] = ()
) -> QuerySet[Pack]:
    """The subject's packs from which units can be taken at this moment, those included that are used up.

    Args:
        unit: only packs of this unit; empty means any.
        product_codes: only packs of these products; none means any.
    """
    rows = Pack.objects.filter(is_on(at), subject_ref=subject_ref, mode=mode, units_granted__gt=0)
    if unit:
        rows = rows.filter(unit=unit) if storable(unit) == unit else rows.none()
    # A subquery, since a join would be locked along where the rows are.
    products = Product.objects.filter(code__in=[code for code in product_codes if storable(code) == code], mode=mode)
    return rows.filter(product__in=products) if product_codes else rows


def units_left(rows: QuerySet[Pack], at: datetime) -> int:
    """What can be used of these packs, read at one moment; what expired reservations hold is free again."""
    found = rows.filter(has_units(at)).annotate(expired=expired_units(at)).values_list("units_remaining", "expired")
    return total(left + (expired or 0) for left, expired in found)
