"""What becomes of a subscription's items, of trials, and of everything as time goes by."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.simulator.conftest import DAY, Json, Shop, make_shop

UPDATED = "customer.subscription.updated"


def period(subscription: Json) -> tuple[int, int]:
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def test_a_swapped_price_keeps_the_item(shop: Shop) -> None:
    ref = shop.subscription()
    old = shop.simulator.get("subscription", ref)["items"]["data"][0]
    new = shop.simulator.swap_price(ref, shop.year)["items"]["data"][0]
    assert (new["id"], new["price"]["id"]) == (old["id"], shop.year["id"])
    assert new["current_period_end"] > old["current_period_end"] + 300 * DAY
    events = shop.simulator.take_events()
    [update] = [event for event in events if event["type"] == UPDATED]
    assert update["data"]["previous_attributes"]["items"]["data"][0]["price"]["id"] == shop.month["id"]
    assert "invoice.paid" in [event["type"] for event in events]


def test_an_upgrade_shows_before_its_invoice_fails(shop: Shop) -> None:
    ref = shop.subscription()
    shown = shop.simulator.swap_price(ref, shop.year, paid=False)
    assert (shown["status"], shown["items"]["data"][0]["price"]["id"]) == ("past_due", shop.year["id"])


def test_a_replaced_item_has_a_new_id_in_the_same_update(shop: Shop) -> None:
    other = shop.simulator.create_price({"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}})
    ref = shop.subscription()
    [old] = shop.simulator.get("subscription", ref)["items"]["data"]
    [new] = shop.simulator.replace_item(ref, other)["items"]["data"]
    assert new["id"] != old["id"]
    assert new["current_period_end"] == old["current_period_end"]
    assert shop.told() == [UPDATED]


def test_items_come_go_and_are_counted(shop: Shop) -> None:
    ref = shop.subscription()
    both = shop.simulator.add_item(ref, shop.year, quantity=2)
    assert [item["quantity"] for item in both["items"]["data"]] == [1, 2]
    with pytest.raises(RefusalError):
        shop.simulator.set_quantity(ref, 5)
    first, second = both["items"]["data"]
    assert shop.simulator.set_quantity(ref, 5, item=second)["items"]["data"][1]["quantity"] == 5
    shop.simulator.remove_item(ref, item=first)
    with pytest.raises(RefusalError):
        shop.simulator.remove_item(ref, item=second)
    assert shop.told() == [UPDATED] * 3


def test_items_of_mixed_rhythm_renew_each_in_their_own_time(shop: Shop) -> None:
    ref = shop.subscription()
    shop.simulator.add_item(ref, shop.year)
    shop.simulator.advance(32 * DAY)
    lines = shop.simulator.all("invoice")[-1]["lines"]["data"]
    assert [line["pricing"]["price_details"]["price"] for line in lines] == [shop.month["id"]]
    shown = shop.simulator.cancel_at_period_end(ref)
    assert shown["cancel_at"] == shown["items"]["data"][1]["current_period_end"]


def test_a_pending_update_is_in_force_only_once_applied(shop: Shop) -> None:
    ref = shop.subscription()
    shown = shop.simulator.propose_update(ref, quantity=9)
    assert (shown["items"]["data"][0]["quantity"], shown["pending_update"]["subscription_items"][0]["quantity"]) == (
        1,
        9,
    )
    applied = shop.simulator.apply_update(ref)
    assert (applied["items"]["data"][0]["quantity"], applied["pending_update"]) == (9, None)
    assert "customer.subscription.pending_update_applied" in shop.told()

    shop.simulator.propose_update(ref, price=shop.year)
    shop.simulator.advance(DAY)
    assert shop.simulator.get("subscription", ref)["pending_update"] is None
    assert "customer.subscription.pending_update_expired" in shop.told()


@pytest.mark.parametrize(
    ("behavior", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "active")]
)
def test_a_trial_without_a_card_ends_as_its_settings_say(shop: Shop, behavior: str, status: str) -> None:
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    session = shop.session(shop.month, subscription_data={"trial_period_days": 7, "trial_settings": settings})
    ref = shop.simulator.pay(session, card=False)["subscription"]
    shop.simulator.advance(7 * DAY)
    assert shop.simulator.get("subscription", ref)["status"] == status


def test_a_trial_with_a_card_becomes_the_first_paid_period(shop: Shop) -> None:
    ref = shop.subscription(subscription_data={"trial_period_days": 7})
    shop.simulator.advance(7 * DAY + 3600)
    assert shop.simulator.get("subscription", ref)["status"] == "active"
    assert shop.simulator.all("invoice")[-1]["amount_paid"] == 1900


def test_a_subscription_made_without_checkout_can_begin_incomplete(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.month["id"], 1)], status="incomplete")
    assert made["status"] == "incomplete"
    assert shop.told()[-1] == "invoice.payment_failed"
    assert shop.simulator.recover(made)["status"] == "active"


def test_deleting_a_customer_ends_what_runs(shop: Shop) -> None:
    first, second = shop.subscription(), shop.subscription()
    shop.simulator.cancel(second)
    shop.told()
    gone = shop.simulator.delete_customer(shop.customer)
    assert gone == {"id": shop.customer["id"], "object": "customer", "deleted": True}
    told = shop.simulator.take_events()
    assert [event["type"] for event in told] == ["customer.subscription.deleted", "customer.deleted"]
    assert told[0]["data"]["object"]["id"] == first
    assert told[1]["data"]["object"]["email"] == "ada@example.com"
    with pytest.raises(RefusalError):
        shop.session(shop.month, customer=shop.customer["id"])


def test_a_year_of_time_renews_twelve_times_in_order(shop: Shop) -> None:
    shop.subscription()
    shop.simulator.advance(366 * DAY)
    assert shop.told().count("invoice.paid") == 12
    created = [event["created"] for event in shop.simulator.events()]
    assert created == sorted(created)
    ends = [invoice["lines"]["data"][0]["period"] for invoice in shop.simulator.all("invoice")]
    assert all(earlier["end"] == later["start"] for earlier, later in pairwise(ends))


def test_periods_keep_to_the_day_of_the_month() -> None:
    simulator = Simulator(MemoryStore(now=datetime(2027, 1, 31, 12, tzinfo=UTC)))
    shop = make_shop(simulator)
    ref = shop.subscription()
    seen = []
    for _ in range(3):
        end = period(simulator.get("subscription", ref))[1]
        seen.append(datetime.fromtimestamp(end, UTC).strftime("%m-%d"))
        simulator.renew(ref)
    assert seen == ["02-28", "03-31", "04-30"]
