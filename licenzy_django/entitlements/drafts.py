"""A window of units in the making: what lines give in it, and whose it is. Pure. Times are Unix seconds, UTC."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from math import floor

from licenzy_django.entitlements.terms import Allowance
from licenzy_django.entitlements.windows import Span

TRIAL = "trial"


class Claim(IntEnum):
    """What makes a window a product's: the highest one counts, and of equals the first."""

    UNPAID = 1
    NEXT = 2
    PART = 3
    WHOLE = 4


@dataclass(frozen=True, slots=True)
class Included:
    """The allowance that a line pays for, and whose it is."""

    product_id: int
    terms: Allowance

    def units_of(self, quantity: int, *, is_trial: bool = False) -> int:
        """For a whole window."""
        units = self.terms.trial_units if is_trial else self.terms.units
        return units if self.terms.per == "subscription" else units * quantity


@dataclass(slots=True)
class Gift:
    """What one line gives in a window, less what was taken back of it."""

    span: Span
    included: Included
    units: Fraction


@dataclass(slots=True)
class Draft:
    """A window in the making.

    Attributes:
        every: what it is one of; ``trial`` for that of a trial.
        included: by what has the best claim to it.
        paid_at: the last time at which money came for it that stands; None if none does.
        provisional_until: until when its units are there although no money is known.
    """

    unit: str
    every: str
    span: Span
    included: Included
    claimed_by: Claim = Claim.UNPAID
    gifts: list[Gift] = field(default_factory=list)
    paid_at: int | None = None
    provisional_until: int | None = None

    @property
    def was_there(self) -> bool:
        """Whether money ever came for it, or it is or was the one to come next."""
        return self.claimed_by > Claim.UNPAID

    @property
    def began_before_it_was_paid(self) -> bool:
        return self.paid_at is not None and self.span.start <= self.paid_at

    @property
    def order(self) -> tuple[int, int, str, str]:
        return (self.span.start, self.span.end, self.unit, self.every)

    @property
    def is_trial(self) -> bool:
        return self.every == TRIAL

    def claim(self, by: Claim, included: Included) -> None:
        if by > self.claimed_by:
            self.claimed_by, self.included = by, included

    def total(self) -> int:
        """Whole units. What a product gives once for the subscription several items of it do not give again."""
        of_product: dict[int, Fraction] = defaultdict(Fraction)
        most: dict[int, int] = {}
        for gift in self.gifts:
            product_id, terms = gift.included.product_id, gift.included.terms
            of_product[product_id] += gift.units
            if terms.per == "subscription":
                once = gift.included.units_of(1, is_trial=self.is_trial) if gift.units else 0
                most[product_id] = max(once, most.get(product_id, 0))
        return floor(sum(min(units, most.get(product_id, units)) for product_id, units in of_product.items()))
