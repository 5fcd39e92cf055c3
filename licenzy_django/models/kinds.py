"""The kinds of product: one row for each, from which models, forms, the catalog, checks and the API follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licenzy_django.models.limits import QUANTITY, Number, largest, resolved

TERMS: dict[str, int | str | None] = {
    "duration_days": None,
    "units": None,
    "unit": "",
    "units_every": "period",
    "units_per": "quantity",
    "rollover_units": None,
    "rollover_windows": None,
    "valid_days": None,
    "grace_days": 0,
    "trial_days": None,
    "trial_units": None,
}
"""The columns of a product that only some kinds have, each with its value where a kind does not have it."""
NEEDED_BY: dict[str, tuple[str, ...]] = {
    "units_every": ("units",),
    "units_per": ("units",),
    "rollover_units": ("units",),
    "rollover_windows": ("units", "rollover_units"),
    "trial_units": ("units", "trial_days"),
}
"""What a term says nothing without."""


class Kind(models.TextChoices):
    SUBSCRIPTION = "subscription", _("subscription")
    TIME_PASS = "time_pass", _("time pass")
    USAGE_PACK = "usage_pack", _("usage pack")

    @property
    def rules(self) -> KindRules:
        return RULES[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRules:
    """What differs between one kind of product and the others.

    Attributes:
        needs: terms that a product of this kind has, each at least 1.
        may_have: terms that it can have besides; it has no others.
        days_term: the term that says for how many days a purchase lasts; empty: the days are no part of the product.
        is_recurring: it is paid again and again, and access follows the subscription at Stripe.
        has_units: what it gives is units, and it is available while some are left. A subscription that includes units
            is none of these: its access follows the subscription.
        is_stacked: a purchase begins where the one before it ends.
        heading: above its terms in the admin, with ``description`` below it.
        gives: what it gives, in a word or two; ``days``, ``units`` and ``unit`` are filled in.
    """

    needs: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    days_term: str = ""
    is_recurring: bool = False
    has_units: bool = False
    is_stacked: bool = False
    heading: str | Promise
    description: str | Promise
    gives: str | Promise

    def features(self, sold: Iterable[str], now: Iterable[str]) -> list[str]:
        """What one gives: what was sold, and of what is paid again and again what the catalog has added since."""
        return list(dict.fromkeys([*sold, *now] if self.is_recurring else sold))

    def limits(
        self, sold: Mapping[str, Any], now: Mapping[str, Any], quantity: int, *, is_add_on: bool
    ) -> dict[str, Number]:
        """What one gives, with the quantity in its place: what was sold, and of what is paid again and again what the
        catalog has added since. An add-on gives each number as many times as it was bought."""
        given = largest(resolved(limits, quantity) for limits in ((sold, now) if self.is_recurring else (sold,)))
        if not is_add_on:
            return given
        counted = {name for limits in (sold, now) for name, value in limits.items() if value == QUANTITY}
        return {name: value if value is None or name in counted else value * quantity for name, value in given.items()}

    @property
    def terms(self) -> tuple[str, ...]:
        return (*self.needs, *self.may_have)

    @property
    def refuses(self) -> tuple[str, ...]:
        return tuple(name for name in TERMS if name not in self.terms)

    def fit(self) -> Q:
        """The products whose terms fit this kind."""
        # A database lets through what it cannot tell: that a number is there has to be asked for by itself.
        needed = [Q(**{f"{name}__isnull": False, f"{name}__gte": 1}) for name in self.needs]
        possible = [Q(**{name: None}) | Q(**{f"{name}__gte": 1}) for name in self.may_have if TERMS[name] is None]
        return Q(*needed, *possible, **{name: TERMS[name] for name in self.refuses})


RULES: dict[str, KindRules] = {
    Kind.SUBSCRIPTION: KindRules(
        may_have=(
            "grace_days",
            "trial_days",
            "units",
            "unit",
            "units_every",
            "units_per",
            "rollover_units",
            "rollover_windows",
            "trial_units",
        ),
        is_recurring=True,
        heading=_("If it is a subscription"),
        description=_("Access follows the subscription at Stripe."),
        gives=_("access while it runs"),
    ),
    Kind.TIME_PASS: KindRules(
        needs=("duration_days",),
        days_term="duration_days",
        is_stacked=True,
        heading=_("If it is a time pass"),
        description=_("Paid once, access for a fixed time. Two are stacked."),
        gives=_("%(days)s days"),
    ),
    Kind.USAGE_PACK: KindRules(
        needs=("units",),
        may_have=("unit", "valid_days"),
        days_term="valid_days",
        has_units=True,
        heading=_("If it is a usage pack"),
        description=_("Paid once, units to consume. Two add up."),
        gives="%(units)s %(unit)s",
    ),
}


TERMS_DO_NOT_FIT = _(
    "A time pass needs duration in days, a usage pack needs units (and may have valid days), "
    "a subscription has no duration (and may have grace, a trial and units)."
)


def kinds_that(claim: str) -> list[str]:
    """The kinds for which a claim of their rules holds, for example ``has_units``."""
    return [kind.value for kind in Kind if getattr(kind.rules, claim)]


def terms_fit() -> Q:
    """The products whose terms fit their kind."""
    return reduce(or_, (Q(kind=kind.value) & kind.rules.fit() for kind in Kind))
