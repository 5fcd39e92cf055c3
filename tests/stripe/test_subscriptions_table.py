"""What a subscription says of its rhythm, in old shapes and new, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.stripe.objects import fact_of
from licenzy_django.stripe.objects.subscription import Item, Subscription

QUARTERLY = {"interval": "month", "interval_count": 3}
RHYTHMS: dict[str, tuple[dict[str, Any], tuple[str, int]]] = {
    "of a price": ({"price": {"id": "price_1", "recurring": QUARTERLY}}, ("month", 3)),
    "of a plan": ({"plan": {"id": "price_1", **QUARTERLY}}, ("month", 3)),
    "of both": ({"price": {"id": "price_1", "recurring": QUARTERLY}, "plan": {"interval": "day"}}, ("month", 3)),
    "of a plan without a count": ({"plan": {"id": "price_1", "interval": "year"}}, ("year", 1)),
    "of a price that is named alone": ({"price": "price_1"}, ("", 1)),
    "of no times": ({"plan": {"id": "price_1", "interval": "year", "interval_count": 0}}, ("year", 1)),
    "of fewer": ({"plan": {"id": "price_1", "interval": "year", "interval_count": -2}}, ("year", 1)),
}


def subscription(item: dict[str, Any], **more: Any) -> Subscription:
    known = {"object": "subscription", "id": "sub_1", "items": {"data": [{"id": "si_1", **item}]}, **more}
    fact = fact_of(known, seen_at=None)
    assert fact is not None
    return Subscription.of(fact)


@pytest.mark.parametrize(("item", "expected"), RHYTHMS.values(), ids=RHYTHMS.keys())
def test_how_long_a_period_is(item: dict[str, Any], expected: tuple[str, int]) -> None:
    [found] = subscription(item).items

    assert (found.interval, found.interval_count) == expected


def test_where_a_period_begins() -> None:
    assert subscription({}, billing_cycle_anchor=1_700_000_000).anchor == 1_700_000_000
    assert subscription({}).anchor is None


def test_what_an_earlier_version_kept_says_nothing_of_it() -> None:
    fact = fact_of({"object": "subscription", "id": "sub_1", "items": {"data": [{"id": "si_1"}]}}, seen_at=None)
    assert fact is not None
    del fact.state["anchor"]
    for kept in fact.state["items"]:
        del kept["interval"], kept["interval_count"]

    found = Subscription.of(fact)

    assert found.anchor is None
    assert found.items == (Item("si_1", "", 1, None, None, None),)
