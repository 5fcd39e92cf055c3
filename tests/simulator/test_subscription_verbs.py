"""What becomes of subscriptions: renewals, failures, both ways to cancel, pauses, changes."""

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


def test_the_new_period_shows_before_its_invoice_is_paid(shop: Shop) -> None:
    ref = shop.subscription()
    before = period(shop.simulator.get("subscription", ref))
    draft = shop.simulator.roll_period(ref)
    rolled = shop.simulator.get("subscription", ref)

    assert draft["status"] == "draft"
    assert (rolled["status"], period(rolled)[0]) == ("active", before[1])
    assert shop.simulator.now == before[1]
    events = shop.simulator.take_events()
    assert [event["type"] for event in events] == ["invoice.created", UPDATED]
    previous = events[1]["data"]["previous_attributes"]
    assert previous["items"]["data"][0]["current_period_end"] == before[1]
    assert "status" not in previous
    assert (draft["period_start"], draft["period_end"]) == before
    assert draft["lines"]["data"][0]["period"]["end"] == period(rolled)[1]
    assert draft["billing_reason"] == "subscription_cycle"

    assert shop.simulator.pay_invoice(draft)["status"] == "paid"
    assert shop.told() == [
        "invoice.finalized", "charge.succeeded", "payment_intent.succeeded", "invoice.paid",
        "invoice.payment_succeeded", "invoice_payment.paid",
    ]  # fmt: skip


def test_a_renewal_that_fails_is_past_due_and_recovers(shop: Shop) -> None:
    ref = shop.subscription()
    invoice = shop.simulator.renew(ref, paid=False)
    assert (invoice["status"], invoice["attempt_count"]) == ("open", 1)
    assert invoice["next_payment_attempt"] == shop.simulator.now + 3 * DAY
    assert shop.told()[-2:] == ["invoice.payment_failed", UPDATED]
    assert shop.simulator.get("subscription", ref)["status"] == "past_due"

    assert shop.simulator.recover(ref)["status"] == "active"
    last = shop.simulator.take_events()[-1]
    assert (last["type"], last["data"]["previous_attributes"]) == (UPDATED, {"status": "past_due"})


@pytest.mark.parametrize(("after", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")])
def test_when_the_retries_are_used_up_the_account_decides(after: str, status: str) -> None:
    shop = make_shop(Simulator(after_retries=after))
    ref = shop.subscription()
    shop.simulator.set_card(shop.customer, False)
    shop.simulator.renew(ref, paid=False)
    shop.simulator.advance(16 * DAY)
    invoice = shop.simulator.all("invoice")[-1]
    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (4, None)
    assert shop.simulator.get("subscription", ref)["status"] == status


def test_an_unpaid_subscription_leaves_drafts_behind(shop: Shop) -> None:
    shop.simulator.after_retries = "unpaid"
    ref = shop.subscription()
    shop.simulator.renew(ref, paid=False)
    for _ in range(3):
        shop.simulator.retry(ref, paid=False)
    assert shop.simulator.get("subscription", ref)["status"] == "unpaid"
    shop.simulator.advance(40 * DAY)
    latest = shop.simulator.all("invoice")[-1]
    assert (latest["status"], latest["auto_advance"]) == ("draft", False)
    assert shop.simulator.recover(ref)["status"] == "active"


def test_paid_out_of_band_is_paid_without_a_payment(shop: Shop) -> None:
    ref = shop.subscription()
    shop.simulator.renew(ref, paid=False)
    shop.told()
    shop.simulator.pay_invoice(shop.simulator.all("invoice")[-1], out_of_band=True)
    assert shop.told() == ["invoice.paid", "payment_intent.canceled", UPDATED]


@pytest.mark.parametrize(
    ("way", "event"), [("void", "invoice.voided"), ("uncollectible", "invoice.marked_uncollectible")]
)
def test_a_written_off_invoice_ends_the_past_due_state(shop: Shop, way: str, event: str) -> None:
    ref = shop.subscription()
    invoice = shop.simulator.renew(ref, paid=False)
    shop.told()
    assert shop.simulator.write_off_invoice(invoice, way)["status"] == way
    assert [told for told in shop.told() if told != "payment_intent.canceled"] == [event, UPDATED]


def test_the_portal_cancels_by_cancel_at_alone(shop: Shop) -> None:
    ref = shop.subscription()
    shown = shop.simulator.cancel_at_period_end(ref)
    end = period(shown)[1]
    assert (shown["cancel_at"], shown["cancel_at_period_end"], shown["status"]) == (end, False, "active")
    previous = shop.simulator.take_events()[0]["data"]["previous_attributes"]
    assert previous == {"cancel_at": None, "canceled_at": None, "cancellation_details": {"reason": None}}

    shop.simulator.advance(end - shop.simulator.now)
    ended = shop.simulator.get("subscription", ref)
    assert (ended["status"], ended["ended_at"]) == ("canceled", end)
    assert ended["canceled_at"] < end
    assert shop.told() == ["customer.subscription.deleted"]


def test_classic_billing_sets_both_fields_and_either_can_be_taken_back(shop: Shop) -> None:
    ref = shop.subscription(subscription_data={"billing_mode": {"type": "classic"}})
    shown = shop.simulator.cancel_at_period_end(ref)
    assert (shown["cancel_at"], shown["cancel_at_period_end"]) == (period(shown)[1], True)
    shown = shop.simulator.uncancel(ref)
    assert (shown["cancel_at"], shown["cancel_at_period_end"], shown["canceled_at"]) == (None, False, None)
    assert shop.told() == [UPDATED, UPDATED]
    shop.simulator.advance(32 * DAY)
    assert shop.simulator.get("subscription", ref)["status"] == "active"


def test_a_canceled_subscription_is_final(shop: Shop) -> None:
    ref = shop.subscription()
    assert shop.simulator.cancel(ref)["status"] == "canceled"
    assert shop.told() == ["customer.subscription.deleted"]
    for act in (shop.simulator.cancel, shop.simulator.uncancel, shop.simulator.renew, shop.simulator.pause):
        with pytest.raises(RefusalError):
            act(ref)


def test_a_pause_is_a_status_and_resuming_starts_a_new_period(shop: Shop) -> None:
    ref = shop.subscription()
    assert shop.simulator.pause(ref)["status"] == "paused"
    assert shop.told() == [UPDATED, "customer.subscription.paused"]
    shop.simulator.advance(50 * DAY)
    assert shop.told() == []
    resumed = shop.simulator.resume(ref)
    assert (resumed["status"], period(resumed)[0]) == ("active", shop.simulator.now)
    told = shop.told()
    assert "customer.subscription.resumed" in told
    assert "invoice.paid" in told


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_a_pause_of_collection_changes_no_status_and_collects_nothing(shop: Shop, behavior: str, status: str) -> None:
    ref = shop.subscription()
    shown = shop.simulator.pause_collection(ref, behavior=behavior, resumes_at=shop.simulator.now + 40 * DAY)
    assert (shown["status"], shown["pause_collection"]["behavior"]) == ("active", behavior)
    shop.simulator.advance(35 * DAY)
    assert shop.simulator.all("invoice")[-1]["status"] == status
    assert "invoice.paid" not in shop.told()
    shop.simulator.advance(10 * DAY)
    assert shop.simulator.get("subscription", ref)["pause_collection"] is None


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
