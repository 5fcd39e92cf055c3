"""Test clocks: docs.stripe.com/billing/testing/test-clocks"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.simulator.conftest import DAY, Json, Shop


def at(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


class Clocked:
    """A customer whose time is the first of November 2024, with a subscription to the month."""

    def __init__(self, shop: Shop, client: stripe.StripeClient, **more: Any) -> None:
        self.shop, self.v1 = shop, client.v1
        self.clock = client.v1.test_helpers.test_clocks.create({"frozen_time": at(2024, 11), "name": "November"}).id
        self.customer = client.v1.customers.create({"test_clock": self.clock, "payment_method": "pm_card_visa"}).id
        wanted: Any = {"customer": self.customer, "items": [{"price": shop.month["id"]}]} | more
        self.id = client.v1.subscriptions.create(wanted).id

    def advance(self, to: int) -> str:
        answer = self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": to})
        return answer.status

    def shown(self) -> Json:
        return self.shop.simulator.get("subscription", self.id)

    def latest(self) -> Json:
        return self.shop.simulator.get("invoice", self.shown()["latest_invoice"])


@pytest.fixture
def clocked(shop: Shop, stripe_client: stripe.StripeClient) -> Clocked:
    return Clocked(shop, stripe_client)


def test_what_a_customer_of_a_clock_has_begins_at_its_time(shop: Shop, clocked: Clocked) -> None:
    shown = clocked.shown()
    assert (shown["created"], shown["test_clock"]) == (at(2024, 11), clocked.clock)
    assert shown["items"]["data"][0]["current_period_end"] == at(2024, 12)
    assert (clocked.latest()["created"], clocked.latest()["test_clock"]) == (at(2024, 11), clocked.clock)
    assert shop.simulator.now > at(2025, 1)


def test_the_clock_moves_what_is_its_own_and_nothing_else(shop: Shop, clocked: Clocked) -> None:
    other = shop.subscription()
    now = shop.simulator.now
    assert clocked.advance(at(2024, 12) + 7_200) == "advancing"
    clock = clocked.v1.test_helpers.test_clocks.retrieve(clocked.clock)
    assert (clock.status, clock.frozen_time) == ("ready", at(2024, 12) + 7_200)
    assert (clocked.latest()["billing_reason"], clocked.latest()["status"]) == ("subscription_cycle", "paid")
    assert clocked.shown()["items"]["data"][0]["current_period_end"] == at(2025, 1)
    assert (shop.simulator.now, len(shop.simulator.all("invoice", customer=shop.customer["id"]))) == (now, 1)
    shop.simulator.advance(70 * DAY)
    assert clocked.shown()["items"]["data"][0]["current_period_end"] == at(2025, 1)
    assert len(shop.simulator.all("invoice", customer=shop.customer["id"])) == 3
    assert shop.simulator.get("subscription", other)["status"] == "active"
    told = [event["type"] for event in shop.simulator.events() if event["type"].startswith("test_helpers")]
    assert told == [f"test_helpers.test_clock.{name}" for name in ("created", "advancing", "ready")]


def test_changes_and_previews_are_made_at_the_time_of_the_clock(clocked: Clocked) -> None:
    """Half of November: 9.50 for each one more."""
    clocked.advance(at(2024, 11, 16))
    item = clocked.shown()["items"]["data"][0]["id"]
    change: Any = {"items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice"}
    preview = clocked.v1.invoices.create_preview({"subscription": clocked.id, "subscription_details": change})
    clocked.v1.subscriptions.update(clocked.id, change)
    assert preview.amount_due == clocked.latest()["amount_paid"] == 1900
    assert clocked.latest()["created"] == at(2024, 11, 16)
    assert clocked.v1.invoices.create_preview({"subscription": clocked.id}).created == at(2024, 12)


def test_a_trial_a_schedule_and_a_pending_update_follow_it(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    clocked = Clocked(shop, stripe_client, trial_period_days=14)
    clocked.advance(at(2024, 11, 16))
    assert clocked.shown()["status"] == "active"
    schedule = clocked.v1.subscription_schedules.create({"from_subscription": clocked.id}).to_dict()
    [now] = schedule["phases"]
    assert (now["start_date"], schedule["test_clock"]) == (at(2024, 11, 15), clocked.clock)
    items: Any = [{"price": shop.month["id"], "quantity": 1}]
    first = {"items": items, "start_date": now["start_date"], "end_date": now["end_date"]}
    phases: Any = [first, {"items": [{"price": shop.month["id"], "quantity": 2}], "proration_behavior": "none"}]
    clocked.v1.subscription_schedules.update(schedule["id"], {"phases": phases})
    clocked.advance(at(2024, 12, 16))
    assert clocked.shown()["items"]["data"][0]["quantity"] == 2
    shop.simulator.set_card(clocked.customer, False)
    shop.simulator.propose_update(clocked.id, quantity=5)
    assert clocked.shown()["pending_update"]["expires_at"] == at(2024, 12, 16) + 23 * 3_600
    clocked.advance(at(2024, 12, 18))
    assert clocked.shown()["pending_update"] is None


@pytest.mark.parametrize("to", [at(2024, 11), at(2024, 10), at(2025, 1, 2)], ids=["now", "back", "three months"])
def test_it_goes_ahead_and_by_two_intervals_at_most(clocked: Clocked, to: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        clocked.advance(to)
    assert refused.value.param == "frozen_time"
    assert clocked.advance(at(2025, 1)) == "advancing"


def test_lists_show_a_clocks_things_only_where_it_is_named(shop: Shop, clocked: Clocked) -> None:
    assert [found.id for found in clocked.v1.customers.list().data] == [shop.customer["id"]]
    assert [found.id for found in clocked.v1.customers.list({"test_clock": clocked.clock}).data] == [clocked.customer]
    assert clocked.v1.subscriptions.list().data == []
    for named in ({"test_clock": clocked.clock}, {"customer": clocked.customer}):
        assert [found.id for found in clocked.v1.subscriptions.list(named).data] == [clocked.id]  # type: ignore[arg-type]


def test_it_takes_its_customers_with_it(clocked: Clocked) -> None:
    assert clocked.v1.test_helpers.test_clocks.delete(clocked.clock).deleted
    assert clocked.shown()["status"] == "canceled"
    assert clocked.v1.customers.retrieve(clocked.customer).deleted
    assert clocked.v1.test_helpers.test_clocks.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        clocked.advance(at(2025, 1))


def test_an_unknown_clock_is_refused(clocked: Clocked) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        clocked.v1.customers.create({"test_clock": "clock_nobody"})
