"""Changes that wait for their payment: docs.stripe.com/billing/subscriptions/pending-updates."""

from __future__ import annotations

import pytest

from licenzy_django.simulator.refusals import RefusalError
from tests.simulator.conftest import DAY, Json, Shop

UPDATED = "customer.subscription.updated"
HOUR = 3_600


def upgraded(shop: Shop, **terms: object) -> tuple[str, Json]:
    """A subscription in mid-period whose upgrade was not paid, and the invoice of that."""
    ref = shop.subscription()
    shop.simulator.advance(10 * DAY)
    shop.simulator.take_events()
    shown = shop.simulator.propose_update(ref, quantity=3, **terms)
    return ref, shop.simulator.get("invoice", shown["latest_invoice"])


def quantity(subscription: Json) -> int:
    return int(subscription["items"]["data"][0]["quantity"])


@pytest.mark.parametrize("requires_action", [False, True])
def test_a_declined_upgrade_leaves_everything_as_it_was_and_waits(shop: Shop, requires_action: bool) -> None:
    ref, invoice = upgraded(shop, requires_action=requires_action)
    shown = shop.simulator.get("subscription", ref)
    assert (shown["status"], quantity(shown), shown["latest_invoice"]) == ("active", 1, invoice["id"])
    pending = shown["pending_update"]
    assert [item["quantity"] for item in pending["subscription_items"]] == [3]
    assert pending["expires_at"] == shop.simulator.now + 23 * HOUR
    assert (invoice["status"], invoice["attempted"], invoice["next_payment_attempt"]) == ("open", True, None)
    intent = shop.simulator.payment_of(invoice)
    told = shop.told()
    assert told[:3] == ["invoice.created", "invoice.finalized", UPDATED]
    if requires_action:
        assert intent["status"] == "requires_action"
        assert told[3:] == [
            "payment_intent.requires_action", "invoice.updated", "invoice.payment_action_required",
            "invoice.payment_failed",
        ]  # fmt: skip
    else:
        assert intent["status"] == "requires_payment_method"
        assert told[-1] == "invoice.payment_failed"


def test_a_later_payment_applies_it(shop: Shop) -> None:
    ref, invoice = upgraded(shop)
    shop.simulator.advance(5 * HOUR)
    shop.told()
    shop.simulator.pay_invoice(invoice)
    shown = shop.simulator.get("subscription", ref)
    assert (quantity(shown), shown["pending_update"], shown["status"]) == (3, None, "active")
    assert shop.told()[-2:] == [UPDATED, "customer.subscription.pending_update_applied"]
    assert [line["amount"] for line in shop.simulator.renew(ref)["lines"]["data"]] == [5700]


def test_it_expires_after_23_hours_and_its_invoice_is_voided(shop: Shop) -> None:
    ref, invoice = upgraded(shop)
    shop.told()
    shop.simulator.advance(23 * HOUR)
    shown = shop.simulator.get("subscription", ref)
    assert (quantity(shown), shown["pending_update"], shown["status"]) == (1, None, "active")
    assert (shown["latest_invoice"], shop.simulator.get("invoice", invoice)["status"]) == (invoice["id"], "void")
    assert [told for told in shop.told() if not told.startswith("payment_intent")] == [
        "invoice.voided", UPDATED, "customer.subscription.pending_update_expired",
    ]  # fmt: skip
    with pytest.raises(RefusalError):
        shop.simulator.pay_invoice(invoice)


def test_a_change_in_its_place_gives_back_what_was_billed_before_and_nothing_of_it(shop: Shop) -> None:
    ref, _ = upgraded(shop)
    changed = shop.simulator.set_quantity(ref, 2, proration_behavior="always_invoice")
    lines = shop.simulator.get("invoice", changed["latest_invoice"])["lines"]["data"]
    assert [(line["quantity"], line["amount"] > 0) for line in lines] == [(1, False), (2, True)]


def test_the_end_of_the_period_comes_first_where_it_is_nearer(shop: Shop) -> None:
    ref = shop.subscription()
    end = shop.simulator.get("subscription", ref)["items"]["data"][0]["current_period_end"]
    shop.simulator.advance(end - shop.simulator.now - 20 * HOUR)
    pending = shop.simulator.propose_update(ref, quantity=3)["pending_update"]
    assert pending["expires_at"] == end
    shop.told()
    shop.simulator.advance(21 * HOUR)
    told = shop.told()
    expired = told.index("customer.subscription.pending_update_expired")
    assert expired < told.index("invoice.created")
    assert quantity(shop.simulator.get("subscription", ref)) == 1


def test_the_end_of_a_trial_lets_it_lapse_too(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.month["id"], 1)], trial_days=1)
    changed = shop.simulator.propose_update(made, quantity=3)
    assert (quantity(changed), changed["pending_update"]) == (3, None)  # in a trial nothing is due


def test_a_second_change_replaces_the_first(shop: Shop) -> None:
    ref, first = upgraded(shop)
    shown = shop.simulator.propose_update(ref, quantity=7)
    assert shown["pending_update"]["subscription_items"][0]["quantity"] == 7
    assert shown["latest_invoice"] != first["id"]
    assert shop.simulator.get("invoice", first)["status"] == "void"
    assert quantity(shop.simulator.apply_update(ref)) == 7


def test_voiding_its_invoice_takes_it_back(shop: Shop) -> None:
    ref, invoice = upgraded(shop)
    shop.told()
    shop.simulator.write_off_invoice(invoice, "void")
    shown = shop.simulator.get("subscription", ref)
    assert (quantity(shown), shown["pending_update"], shown["status"]) == (1, None, "active")
    assert shop.told()[-2:] == ["invoice.voided", UPDATED]


def test_what_was_credited_by_a_change_that_never_came_is_still_there_to_be_credited(shop: Shop) -> None:
    ref, _ = upgraded(shop)
    shop.simulator.expire_update(ref)
    shop.simulator.set_quantity(ref, 2, proration_behavior="always_invoice")
    latest = shop.simulator.get("invoice", shop.simulator.get("subscription", ref)["latest_invoice"])
    credit, debit = (line["amount"] for line in latest["lines"]["data"])
    assert (credit, debit) == (-1267, 2533)  # 20 of 30 days


def test_a_paid_upgrade_never_waits_and_neither_does_one_that_costs_nothing(shop: Shop) -> None:
    ref = shop.subscription()
    terms = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    shown = shop.simulator.set_quantity(ref, 3, **terms)
    assert (quantity(shown), shown["pending_update"]) == (3, None)
    shop.simulator.advance(DAY)
    shown = shop.simulator.set_quantity(ref, 1, paid=False, **terms)
    assert (quantity(shown), shown["pending_update"], shown["status"]) == (1, None, "active")


def test_a_year_that_waits_begins_when_it_was_asked_for(shop: Shop) -> None:
    ref = shop.subscription()
    shop.simulator.advance(10 * DAY)
    asked = shop.simulator.now
    pending = shop.simulator.propose_update(ref, price=shop.year)["pending_update"]
    assert pending["billing_cycle_anchor"] == asked
    shop.simulator.advance(3 * HOUR)
    shown = shop.simulator.apply_update(ref)
    [item] = shown["items"]["data"]
    assert (shown["billing_cycle_anchor"], item["current_period_start"]) == (asked, asked)
    assert item["price"]["id"] == shop.year["id"]


def test_without_it_the_change_shows_before_it_is_paid(shop: Shop) -> None:
    ref = shop.subscription()
    shop.simulator.advance(10 * DAY)
    shown = shop.simulator.set_quantity(ref, 3, proration_behavior="always_invoice", paid=False)
    assert (quantity(shown), shown["status"], shown["pending_update"]) == (3, "past_due", None)
    assert shop.simulator.get("invoice", shown["latest_invoice"])["status"] == "open"


def test_an_unpaid_change_can_be_refused_instead(shop: Shop) -> None:
    ref = shop.subscription()
    shop.simulator.advance(10 * DAY)
    shop.told()
    with pytest.raises(RefusalError) as refused:
        shop.simulator.set_quantity(
            ref, 3, proration_behavior="always_invoice", payment_behavior="error_if_incomplete", paid=False
        )
    assert refused.value.status == 402
    assert shop.told() == []


def test_what_is_sent_by_invoice_cannot_wait(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.month["id"], 1)], by_invoice=True)
    with pytest.raises(RefusalError):
        shop.simulator.propose_update(made, quantity=3)
