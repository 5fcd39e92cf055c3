"""Subscriptions, quotes and invoices that the seller makes without Checkout; and what is deleted or moved at Stripe."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe

from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.resources.subscription_items import fit_together
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.simulator.conftest import DAY, Json, Shop, make_shop

UPDATED = "customer.subscription.updated"


@pytest.fixture
def shop() -> Shop:
    return make_shop(Simulator(MemoryStore(now=at(11, 16))))


def at(month: int, day: int) -> int:
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp())


def subscribed(shop: Shop, **given: object) -> Json:
    shop.simulator.take_events()
    return shop.simulator.subscribe(shop.customer["id"], [(shop.month["id"], 1)], **given)


def latest(shop: Shop, subscription: Json) -> Json:
    return shop.simulator.get("invoice", shop.simulator.get("subscription", subscription)["latest_invoice"])


def lines(invoice: Json) -> list[tuple[int, int, int, bool]]:
    return [
        (line["amount"], line["period"]["start"], line["period"]["end"],
         line["parent"]["subscription_item_details"]["proration"])
        for line in invoice["lines"]["data"]
    ]  # fmt: skip


def test_the_time_until_an_anchor_can_be_free_without_any_invoice(shop: Shop) -> None:
    made = subscribed(shop, billing_cycle_anchor=at(12, 1), proration_behavior="none")
    assert (made["status"], made["latest_invoice"], made["billing_cycle_anchor"]) == ("active", None, at(12, 1))
    [item] = made["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (at(11, 16), at(12, 1))
    assert shop.told() == ["customer.subscription.created"]

    shop.simulator.advance(15 * DAY + 3600)
    assert lines(latest(shop, made)) == [(1900, at(12, 1), at(12, 31) + DAY, False)]


def test_or_billed_as_a_part_of_a_period(shop: Shop) -> None:
    made = subscribed(shop, billing_cycle_anchor=at(12, 1))
    assert lines(latest(shop, made)) == [(950, at(11, 16), at(12, 1), True)]


def test_backdated_time_is_billed_by_the_period_in_flexible_mode(shop: Shop) -> None:
    made = subscribed(shop, backdate_start_date=at(9, 1))
    assert (made["start_date"], made["billing_cycle_anchor"]) == (at(9, 1), at(9, 1))
    assert lines(latest(shop, made)) == [
        (1900, at(9, 1), at(10, 1), False), (1900, at(10, 1), at(11, 1), False), (1900, at(11, 1), at(12, 1), False),
    ]  # fmt: skip


def test_backdated_time_is_one_line_in_classic_mode(shop: Shop) -> None:
    """A month from 16 October has 31 days, so that the 31 days until now are a whole one."""
    made = subscribed(shop, backdate_start_date=at(10, 16), billing_mode="classic")
    assert made["billing_cycle_anchor"] == at(11, 16)
    assert lines(latest(shop, made)) == [(1900, at(10, 16), at(11, 16), True), (1900, at(11, 16), at(12, 16), False)]


def test_the_documents_example_of_a_migration(shop: Shop) -> None:
    """Started on 1 September, next billed on 1 December: billed for "the time between", or free."""
    made = subscribed(shop, backdate_start_date=at(9, 1), billing_cycle_anchor=at(12, 1))
    assert [amount for amount, *_ in lines(latest(shop, made))] == [1900, 1900, 1900]
    free = subscribed(
        shop, backdate_start_date=at(9, 1), billing_cycle_anchor=at(12, 1), proration_behavior="none",
    )  # fmt: skip
    assert (free["start_date"], free["latest_invoice"], free["status"]) == (at(9, 1), None, "active")


def test_what_the_documents_leave_open_is_refused(shop: Shop) -> None:
    for given in (
        {"backdate_start_date": at(9, 1), "proration_behavior": "none"},
        {"backdate_start_date": at(12, 1)},
        {"billing_cycle_anchor": at(11, 1)},
        {"proration_behavior": "sometimes"},
    ):
        with pytest.raises(RefusalError):
            subscribed(shop, **given)


def test_a_sent_invoice_is_overdue_only_after_its_due_date(shop: Shop) -> None:
    made = subscribed(shop, by_invoice=True, days_until_due=10)
    invoice = latest(shop, made)
    assert (made["status"], made["collection_method"]) == ("active", "send_invoice")
    assert (invoice["status"], invoice["due_date"], invoice["next_payment_attempt"]) == ("open", at(11, 26), None)
    assert shop.told()[-1] == "invoice.sent"

    shop.simulator.fail_invoice(invoice)  # a try on the hosted page
    assert shop.told()[-1] == "invoice.payment_failed"
    assert shop.simulator.get("subscription", made)["status"] == "active"
    assert latest(shop, made)["next_payment_attempt"] is None

    shop.simulator.advance(10 * DAY - 1)
    assert shop.simulator.get("subscription", made)["status"] == "active"
    shop.simulator.advance(1)
    assert shop.told() == [UPDATED]
    assert shop.simulator.get("subscription", made)["status"] == "past_due"
    shop.simulator.pay_invoice(invoice)
    assert shop.simulator.get("subscription", made)["status"] == "active"


def test_a_renewal_that_is_sent_stays_open_and_nothing_is_charged(shop: Shop) -> None:
    made = subscribed(shop, by_invoice=True, days_until_due=10)
    shop.simulator.pay_invoice(latest(shop, made))
    shop.simulator.advance(31 * DAY)
    renewal = latest(shop, made)
    assert (renewal["billing_reason"], renewal["status"], renewal["attempted"]) == ("subscription_cycle", "open", False)
    assert shop.simulator.get("subscription", made)["status"] == "active"
    shop.simulator.advance(10 * DAY)
    assert shop.simulator.get("subscription", made)["status"] == "past_due"


def test_a_quotes_invoice_names_the_quote_and_its_lines_the_subscription(shop: Shop) -> None:
    made = shop.simulator.accept_quote(shop.customer["id"], [(shop.month["id"], 2)])
    invoice = latest(shop, made)
    assert (invoice["parent"]["type"], invoice["parent"]["subscription_details"]) == ("quote_details", None)
    assert invoice["parent"]["quote_details"]["quote"].startswith("qt_")
    assert [line["subscription"] for line in invoice["lines"]["data"]] == [made["id"]]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 3800)
    old = shop.simulator.render(shop.simulator.events("invoice.paid")[-1], "2024-06-20")["data"]["object"]
    assert (old["quote"], old["subscription"]) == (invoice["parent"]["quote_details"]["quote"], made["id"])


def test_a_hand_made_invoice_names_the_subscription_in_its_lines_alone(shop: Shop) -> None:
    made = subscribed(shop)
    period = (at(12, 16), at(12, 31))
    invoice = shop.simulator.hand_made_invoice(shop.customer["id"], shop.pack["id"], subscription=made, period=period)
    assert (invoice["parent"], invoice["billing_reason"], invoice["status"]) == (None, "manual", "open")
    [line] = invoice["lines"]["data"]
    assert (line["subscription"], line["parent"]["type"]) == (made["id"], "invoice_item_details")
    assert line["period"] == {"start": period[0], "end": period[1]}
    assert shop.simulator.get("subscription", made)["latest_invoice"] == made["latest_invoice"]
    old = shop.simulator.render(shop.simulator.events("invoice.finalized")[-1], "2024-06-20")["data"]["object"]
    assert (old["subscription"], old["lines"]["data"][0]["subscription"]) == (None, made["id"])
    assert shop.simulator.pay_invoice(invoice)["status"] == "paid"


def test_a_price_is_moved_without_any_billing(shop: Shop) -> None:
    first, second = subscribed(shop), subscribed(shop)
    shop.simulator.cancel(second)
    new = shop.simulator.create_price({"currency": "eur", "unit_amount": 2400, "recurring": {"interval": "month"}})
    shop.told()
    moved = shop.simulator.move_price(shop.month, new["id"])
    assert [subscription["id"] for subscription in moved["data"]] == [first["id"]]
    assert shop.told() == [UPDATED]
    assert [line["amount"] for line in shop.simulator.renew(first)["lines"]["data"]] == [2400]


def test_deleted_test_data_is_not_found_any_more(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    session = shop.simulator.pay(shop.session(shop.month, customer=shop.customer["id"]))
    shop.told()
    for kind, gone in (
        ("checkout.session", session["id"]),
        ("subscription", session["subscription"]),
        ("customer", shop.customer["id"]),
    ):
        shop.simulator.forget(kind, gone)
    assert shop.told() == []
    for retrieve, gone in (
        (stripe_client.v1.checkout.sessions.retrieve, session["id"]),
        (stripe_client.v1.subscriptions.retrieve, session["subscription"]),
        (stripe_client.v1.customers.retrieve, shop.customer["id"]),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            retrieve(gone)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    shop.simulator.advance(40 * DAY)


def test_a_prepaid_year_stays_while_the_monthly_add_on_is_declined(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.year["id"], 1), (shop.month["id"], 1)])
    assert [amount for amount, *_ in lines(latest(shop, made))] == [19_000, 1900]
    renewal = shop.simulator.renew(made, paid=False)
    assert [amount for amount, *_ in lines(renewal)] == [1900]
    shown = shop.simulator.get("subscription", made)
    assert shown["status"] == "past_due"
    yearly, monthly = shown["items"]["data"]
    assert yearly["current_period_start"] == at(11, 16)
    assert monthly["current_period_start"] == at(12, 16)


@pytest.mark.parametrize(
    ("rhythms", "fits"),
    [
        ([("month", 1), ("month", 3)], True),
        ([("month", 1), ("year", 1)], True),
        ([("day", 1), ("week", 1)], True),
        ([("day", 1), ("month", 3)], True),
        ([("day", 1), ("year", 2)], True),
        ([("week", 2), ("week", 4)], True),
        ([("month", 2), ("month", 4), ("month", 6)], True),
        ([("month", 2), ("month", 3)], False),
        ([("month", 4), ("month", 6)], False),
        ([("week", 1), ("month", 1)], False),
        ([("day", 2), ("week", 1)], False),
        ([("month", 5), ("year", 1)], False),
    ],
)
def test_intervals_fit_together_as_the_documents_list_them(rhythms: list[tuple[str, int]], fits: bool) -> None:
    assert fit_together(rhythms) is fits


def test_checkout_has_no_mixed_intervals(shop: Shop) -> None:
    both = [{"price": price["id"], "quantity": 1} for price in (shop.month, shop.year)]
    with pytest.raises(RefusalError):
        shop.session(shop.month, line_items=both)


def test_before_basil_a_mixed_subscription_shows_the_latest_start_and_the_earliest_end(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.year["id"], 1), (shop.month["id"], 1)])
    shop.simulator.renew(made)
    event = shop.simulator.events(UPDATED)[-1]
    old = shop.simulator.render(event, "2024-06-20")["data"]["object"]
    assert (old["current_period_start"], old["current_period_end"]) == (at(12, 16), at(12, 16) + 31 * DAY)


def test_a_subscription_cannot_be_canceled_in_the_past(shop: Shop) -> None:
    with pytest.raises(RefusalError):
        shop.simulator.cancel_at(subscribed(shop), shop.simulator.now)


def test_one_subscription_holds_a_price_once_and_in_classic_mode_one_interval(shop: Shop) -> None:
    with pytest.raises(RefusalError):
        shop.simulator.add_item(subscribed(shop), shop.month)
    with pytest.raises(RefusalError):
        shop.simulator.add_item(subscribed(shop, billing_mode="classic"), shop.year)
