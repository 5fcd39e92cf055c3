"""Prices and features that change while events are on their way: the same outcome wherever the change comes among them.

Faults M8, M9, M12 and M13. See ``test_every_order`` for the walk: here the operator's change is one more step of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from licenzy_django import access, catalog
from licenzy_django.checkout.plan_groups import paid_twice
from licenzy_django.models import Product, ProductPrice, UnknownPrice
from licenzy_django.testing import StripeDouble
from tests.entitlements.test_every_order import full_state
from tests.entitlements.test_rights_follow_money import SHAPES
from tests.histories import NOTHING, REF, Act, chain, day, handled, newest, on_sub, paid, sell_everything, state, undone

pytestmark = [pytest.mark.logic, pytest.mark.slow]

Change = Callable[[], Any]
PRO, MAX = "PRO_MONTHLY", "MAX_MONTHLY"


@dataclass(frozen=True)
class CatalogHistory:
    """
    Attributes:
        change: what the operator does to the catalog at any moment while the tail's events arrive.
        outcome: of the products that are on, the features that each gives.
        also: what operators are shown in the end.
    """

    name: str
    prelude: Act
    tail: Act
    change: Change
    outcome: dict[str, list[str]]
    also: Callable[[], bool] = lambda: not UnknownPrice.objects.exists() and not paid_twice("test")

    def __str__(self) -> str:
        return self.name


def edit(code: str, **given: Any) -> Change:
    def change() -> None:
        [entry] = catalog.dump(Product.objects.filter(code=code))
        catalog.load([{**entry, **given}])

    return change


def exchange_prices() -> None:
    [biggest, pro] = catalog.dump(Product.objects.filter(code__in=[PRO, MAX]).order_by("code"))
    prices = {MAX: pro["stripe_price_id"], PRO: biggest["stripe_price_id"]}
    catalog.load([{**entry, "stripe_price_id": prices[entry["code"]]} for entry in (pro, biggest)])


def by_operator(change: Change) -> Act:
    return lambda stripe: change()


def in_one_group(stripe: StripeDouble) -> None:
    edit(PRO, group="plans")()
    edit(MAX, group="plans")()


def new_price(stripe: StripeDouble) -> None:
    recurring = {"interval": "month"}
    stripe.simulator.create_price(
        {"id": "price_2027", "currency": "eur", "unit_amount": 2100, "product_name": PRO, "recurring": recurring}
    )


def by_hand(price: str) -> Act:
    return lambda stripe: stripe.simulator.subscribe(newest(stripe, "customer")["id"], [(price, 1)])


move_to_the_new_price = chain(new_price, lambda stripe: stripe.simulator.move_price("price_pro_monthly", "price_2027"))
no_change: Change = lambda: None  # noqa: E731
with_features = chain(by_operator(edit(PRO, features=["api", "export"])), day(1))
renewed = on_sub("renew")

CATALOG_HISTORIES = [
    CatalogHistory(
        "m8 moved to a price that is loaded as another one", paid(PRO), move_to_the_new_price,
        edit(PRO, other_price_ids=["price_2027"]), {PRO: []},
    ),
    CatalogHistory(
        "m8 moved to a price that is loaded as the one for sale", paid(PRO), move_to_the_new_price,
        edit(PRO, stripe_price_id="price_2027"), {PRO: []},
    ),
    CatalogHistory(
        "m8 moved to a price that nobody loads", paid(PRO), move_to_the_new_price, no_change, {},
        lambda: [row.stripe_price_id for row in UnknownPrice.objects.all()] == ["price_2027"],
    ),
    CatalogHistory(
        "m8 made by hand at a price that is loaded later", paid("WEEK_PASS"), chain(new_price, by_hand("price_2027")),
        edit(PRO, other_price_ids=["price_2027"]), {PRO: []},
    ),
    CatalogHistory(
        "m8 made by hand at a former price", paid("WEEK_PASS"), by_hand("price_pro_monthly"),
        edit(PRO, stripe_price_id="price_2027"), {PRO: []},
    ),
    CatalogHistory(
        "m9 two live ones of a group", chain(in_one_group, paid(PRO)), by_hand("price_max_monthly"),
        no_change, {MAX: [], PRO: []}, lambda: len(paid_twice("test")) == 1,
    ),
    CatalogHistory(
        "m9 two live ones of what becomes a group", paid(PRO), by_hand("price_max_monthly"),
        lambda: in_one_group(None), {MAX: [], PRO: []}, lambda: len(paid_twice("test")) == 1,  # type: ignore[arg-type]
    ),
    CatalogHistory(
        "m9 one of the two ends", chain(in_one_group, paid(PRO), by_hand("price_max_monthly")), on_sub("cancel"),
        no_change, {PRO: []},
    ),
    CatalogHistory("m12 prices are exchanged", NOTHING, chain(paid(PRO), day(1)), exchange_prices, {PRO: []}),
    CatalogHistory(
        "m12 prices are exchanged while it renews", chain(paid(PRO), day(1)), renewed, exchange_prices, {PRO: []}
    ),
    CatalogHistory(
        "m12 prices were exchanged before it renews", chain(paid(PRO), day(1)),
        chain(by_operator(exchange_prices), renewed), no_change, {PRO: []},
    ),
    CatalogHistory(
        "m12 bought after prices were exchanged", NOTHING,
        chain(day(1), by_operator(exchange_prices), day(1), paid(PRO)), no_change, {PRO: []},
    ),
    CatalogHistory(
        "m13 a feature is taken out", with_features, chain(paid(PRO), day(1)), edit(PRO, features=["export"]),
        {PRO: ["api", "export"]},
    ),
    CatalogHistory(
        "m13 a feature was taken out before it renews", chain(with_features, paid(PRO), day(1)),
        chain(by_operator(edit(PRO, features=["export"])), renewed), no_change, {PRO: ["export"]},
    ),
    CatalogHistory(
        "m13 a feature comes", with_features, chain(paid(PRO), day(1)), edit(PRO, features=["api", "export", "sso"]),
        {PRO: ["api", "export", "sso"]},
    ),
    CatalogHistory(
        "m13 a pass whose feature is taken out", chain(by_operator(edit("WEEK_PASS", features=["api"])), day(1)),
        paid("WEEK_PASS"), edit("WEEK_PASS", features=["export"]), {"WEEK_PASS": ["api"]},
    ),
]  # fmt: skip


def on_now(stripe: StripeDouble) -> dict[str, list[str]]:
    """The subscriptions that are on, and the passes where no subscription is sold, with their features."""
    views = [view for view in access.entitlements_of(REF, at=stripe.now) if view.available]
    subscriptions = [view for view in views if view.kind == "subscription"]
    return {view.product_code: sorted(features_of(view.product_code)) for view in subscriptions or views}


def features_of(code: str) -> list[str]:
    return [name for name in ("api", "export", "sso") if access.check(REF, code) and access.check(REF, feature=name)]


# Five events and more: `make test-orders` and CI walk them too.
LONG = {"m12 prices are exchanged", "m12 bought after prices were exchanged", "m13 a feature comes"}
WALKS = [
    pytest.param(history, marks=[pytest.mark.exhaustive] if history.name in LONG else [], id=history.name)
    for history in CATALOG_HISTORIES
]


@pytest.mark.parametrize("history", WALKS)
def test_the_change_may_come_anywhere_among_the_events(history: CatalogHistory, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    stripe.deliver()
    history.tail(stripe)
    events = handled(stripe.take_events())
    seen: set[str] = set()
    ends: set[str] = set()

    def visit(delivered: frozenset[str], is_changed: bool) -> None:
        here = full_state() + repr([*ProductPrice.objects.order_by("pk").values_list(), is_changed])
        if here in seen:
            return
        seen.add(here)
        if is_changed and len(delivered) == len(events):
            ends.add(repr(state()))
            assert on_now(stripe) == history.outcome
            assert history.also()
        for event in events:
            with undone():
                assert stripe.deliver([event]) == [200]
                visit(delivered | {event["id"]}, is_changed)
        if not is_changed:
            with undone():
                history.change()
                visit(delivered, is_changed=True)

    visit(frozenset(), is_changed=False)
    assert len(ends) == 1


@pytest.mark.parametrize("history", CATALOG_HISTORIES, ids=str)
def test_in_every_shape_that_stripe_renders(history: CatalogHistory, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    history.tail(stripe)
    events = handled(stripe.take_events())

    for shape in SHAPES:
        with undone():
            assert set(stripe.deliver(events, api_version=shape)) == {200}
            history.change()
            assert on_now(stripe) == history.outcome, shape
            assert history.also(), shape
