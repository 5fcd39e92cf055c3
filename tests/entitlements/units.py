"""Short builders for the tables about units: products, what they include, and windows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from licenzy_django.entitlements.allowance import Window, derive_windows
from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.paid_time import Evidence, PaidTime
from licenzy_django.entitlements.terms import Allowance, Terms
from tests.entitlements.money import DAY, days, seconds

Included = Mapping[str, Allowance]

PRICES = ("pro", "max", "more", "plain", "year", "sms")


def gives(units: int, every: str = "period", **more: Any) -> Allowance:
    return Allowance(**{"unit": "credits", "units": units, "every": every} | more)


USUAL: Included = {"pro": gives(1000), "max": gives(2000), "year": gives(1000, "month")}


def terms_of(price: str, at: int | None) -> Terms | None:
    """A product for each price, numbered in the order of ``PRICES``."""
    return Terms(PRICES.index(price) + 1, "subscription") if price in PRICES else None


def on(until: float | None = None, *, is_on: bool = True) -> EntitlementState:
    return EntitlementState(
        "sub_1", 1, "pro", "active", grants_access=is_on, available_until=None if until is None else seconds(until)
    )


def windows(
    known: Evidence,
    included: Included | None = None,
    *,
    states: Sequence[EntitlementState] | None = None,
    leeway: float = 1,
) -> list[Window]:
    """Of a subscription that gives access without an end, unless ``states`` says otherwise."""
    by_product = {PRICES.index(price) + 1: terms for price, terms in (USUAL if included is None else included).items()}

    def allowance_of(product_id: int, at: int) -> Allowance | None:
        return by_product.get(product_id)

    found = [on()] if states is None else states
    return derive_windows(PaidTime(known), terms_of, allowance_of, found, leeway=int(leeway * DAY))


def in_words(found: Sequence[Window]) -> list[str]:
    """Days and units of each window that is paid for, ``0-30: 1000``, or was; without the one to come next."""
    return [
        f"{days(window.starts_at)}-{days(window.ends_at)}: {window.granted}"
        for window in found
        if not window.is_provisional
    ]
