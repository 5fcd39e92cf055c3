"""What becomes of subscriptions: renewals, failures, both ways to cancel, pauses, changes."""

from __future__ import annotations

import pytest

from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.simulator import Simulator
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
        "invoice.finalized", "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid",
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
    assert shop.told() == ["invoice.updated", "invoice.paid", "payment_intent.canceled", UPDATED]


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
