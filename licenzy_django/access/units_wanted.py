"""Are so many units left? Asked of the packs, each time: what is used changes no entitlement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import router

from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Pack
from licenzy_django.models.units import (
    MAX_UNITS,
    NOT_A_NUMBER_OF_UNITS,
    is_whole,
    only_unit,
    refuse_unknown_unit,
    units_left,
    usable_packs,
)


@dataclass(frozen=True, slots=True)
class UnitsWanted:
    """So many units of a kind. Without one: those of the products, or the only ones that are sold."""

    mode: str
    unit: str
    product_codes: Sequence[str]
    units: int

    def are_left(self, subject_ref: str, at: datetime) -> bool:
        """Raises UnitRequired, InvalidRequest."""
        if not is_whole(self.units) or not 1 <= self.units <= MAX_UNITS:
            raise InvalidRequest(fields={"units": [NOT_A_NUMBER_OF_UNITS]})
        using = router.db_for_read(Pack)
        rows = usable_packs(
            subject_ref, self.mode, at, unit=self.unit or self.unit_of_products(using), product_codes=self.product_codes
        )
        are_left = units_left(rows.using(using), at) >= self.units
        if self.unit and not are_left:
            refuse_unknown_unit(self.unit, self.mode, using=using)
        return are_left

    def unit_of_products(self, using: str) -> str:
        """Of one product there is one unit; of several there may be more, and those do not add up."""
        if len(self.product_codes) == 1:
            return ""
        return only_unit(self.mode, product_codes=self.product_codes, using=using)
