"""``subscriptions.update`` as the ``stripe`` library sends it: what it charges, and what it refuses."""

from __future__ import annotations

import pytest
import stripe

from tests.simulator.conftest import DAY, Json, Shop

WAITING: Json = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}


def subscribed(shop: Shop, client: stripe.StripeClient, card: str = "pm_card_visa", quantity: int = 1) -> Json:
    """A subscription to the month, ten days old, whose customer will be charged by ``card`` from now on."""
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    items = [{"price": shop.month["id"], "quantity": quantity}]
    made = client.v1.subscriptions.create({"customer": customer.id, "items": items})  # type: ignore[typeddict-item]
    attached = client.v1.payment_methods.attach(card, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": attached.id}})
    shop.simulator.advance(10 * DAY)
    shop.simulator.take_events()
    return shop.simulator.get("subscription", made.id)


def item(subscription: Json) -> str:
    return str(subscription["items"]["data"][0]["id"])


def update(client: stripe.StripeClient, subscription: Json, **changes: object) -> Json:
    return client.v1.subscriptions.update(subscription["id"], changes).to_dict()  # type: ignore[arg-type]


def test_a_card_that_asks_leaves_an_open_invoice_that_waits_for_its_customer(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    made = subscribed(shop, stripe_client, "pm_card_authenticationRequired")
    shown = update(stripe_client, made, items=[{"id": item(made), "quantity": 3}], **WAITING)
    assert shown["pending_update"]["subscription_items"][0]["quantity"] == 3
    assert shown["items"]["data"][0]["quantity"] == 1
    invoice = shop.simulator.get("invoice", shown["latest_invoice"])
    assert shop.simulator.payment_of(invoice)["status"] == "requires_action"
    assert "invoice.payment_action_required" in shop.told()
    stripe_client.v1.payment_methods.attach("pm_card_visa", {"customer": made["customer"]})
    [good] = [
        method.id
        for method in stripe_client.v1.payment_methods.list({"customer": made["customer"]}).data
        if method.card and method.card.last4 == "4242"
    ][:1]
    stripe_client.v1.invoices.pay(invoice["id"], {"payment_method": good})
    shown = shop.simulator.get("subscription", made["id"])
    assert (shown["items"]["data"][0]["quantity"], shown["pending_update"]) == (3, None)


def test_a_declined_card_waits_too_and_error_if_incomplete_changes_nothing(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    made = subscribed(shop, stripe_client, "pm_card_chargeCustomerFail")
    change = {"items": [{"id": item(made), "quantity": 3}]}
    with pytest.raises(stripe.CardError) as refused:
        update(stripe_client, made, **change | WAITING | {"payment_behavior": "error_if_incomplete"})
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert shop.simulator.get("subscription", made["id"]) == made
    shown = update(stripe_client, made, **change | WAITING)
    assert (shown["status"], bool(shown["pending_update"])) == ("active", True)
    with pytest.raises(stripe.CardError):
        stripe_client.v1.invoices.pay(str(shown["latest_invoice"]))


@pytest.mark.parametrize(
    "others",
    [
        {"metadata": {"a": "b"}},
        {"description": "x"},
        {"default_payment_method": "pm_card_visa"},
        {"cancel_at_period_end": True},
        {"trial_end": "now"},
        {"items": [{"price": "year"}, {"id": "item", "deleted": True}]},
    ],
    ids=lambda others: next(iter(others)),
)
def test_what_cannot_wait_for_a_payment_is_refused(
    shop: Shop, stripe_client: stripe.StripeClient, others: Json
) -> None:
    made = subscribed(shop, stripe_client)
    if "items" in others:
        others = {"items": [{"price": shop.year["id"]}, {"id": item(made), "deleted": True}]}
    with pytest.raises(stripe.InvalidRequestError):
        update(stripe_client, made, **{"items": [{"id": item(made), "quantity": 2}]} | WAITING | others)
    assert shop.simulator.get("subscription", made["id"]) == made


def test_a_bank_debit_cannot_wait(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    session = shop.session(shop.month, allowed_payment_method_types=["sepa_debit"])
    bought = shop.simulator.pay_by_bank(session)
    shop.simulator.settle_bank(bought)
    made = shop.simulator.get("subscription", bought["subscription"])
    method = stripe_client.v1.payment_methods.retrieve(made["default_payment_method"])
    assert (made["status"], method.type) == ("active", "sepa_debit")
    shop.simulator.advance(DAY)
    with pytest.raises(stripe.InvalidRequestError, match="sepa_debit"):
        update(stripe_client, made, items=[{"id": item(made), "quantity": 2}], **WAITING)


def test_another_price_without_a_quantity_is_bought_once(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    """ "When changing a subscription item's price, ``quantity`` is set to 1 unless a ``quantity`` … is provided"."""
    other = shop.simulator.create_price({"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}})
    made = subscribed(shop, stripe_client, quantity=4)
    same = update(stripe_client, made, items=[{"id": item(made), "price": shop.month["id"]}])
    assert same["items"]["data"][0]["quantity"] == 4
    changed = update(stripe_client, made, items=[{"id": item(made), "price": other["id"]}])
    assert changed["items"]["data"][0]["quantity"] == 1


def test_a_subscription_without_a_card_can_wait_for_one(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    customer = stripe_client.v1.customers.create({"email": "n@example.com"})
    wanted: Json = {"customer": customer.id, "items": [{"price": shop.month["id"]}]}
    made = stripe_client.v1.subscriptions.create(wanted | {"payment_behavior": "default_incomplete"})  # type: ignore[arg-type]
    assert made.status == "incomplete"


def test_a_trial_that_ends_now_is_paid_or_not_as_the_card_says(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    customer = stripe_client.v1.customers.create({"payment_method": "pm_card_visa"})
    wanted: Json = {"customer": customer.id, "items": [{"price": shop.month["id"]}], "trial_period_days": 9}
    made = stripe_client.v1.subscriptions.create(wanted)  # type: ignore[arg-type]
    shop.simulator.set_card(customer.id, False)
    assert stripe_client.v1.subscriptions.update(made.id, {"trial_end": "now"}).status == "past_due"


def test_an_end_now_gives_nothing_back_unless_it_is_asked_to(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    """Ten of thirty or thirty-one days are gone; the preview says the same."""
    for wanted in ({}, {"invoice_now": True}):
        made = subscribed(shop, stripe_client)
        canceled = stripe_client.v1.subscriptions.cancel(made["id"], wanted)  # type: ignore[arg-type]
        assert (canceled.status, canceled.latest_invoice) == ("canceled", made["latest_invoice"])
    made = subscribed(shop, stripe_client)
    preview = stripe_client.v1.invoices.create_preview(
        {"subscription": made["id"], "subscription_details": {"cancel_now": True}}
    )
    canceled = stripe_client.v1.subscriptions.cancel(made["id"], {"invoice_now": True, "prorate": True})
    invoice = shop.simulator.get("invoice", str(canceled.latest_invoice))
    period = made["items"]["data"][0]
    whole = period["current_period_end"] - period["current_period_start"]
    assert invoice["total"] == preview.total == -round(1900 * (whole - 10 * DAY) / whole)
    assert shop.simulator.get("customer", made["customer"])["balance"] == invoice["total"]


def test_waiting_prorations_are_billed_with_the_end(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    made = subscribed(shop, stripe_client)
    update(stripe_client, made, items=[{"id": item(made), "quantity": 3}])
    canceled = stripe_client.v1.subscriptions.cancel(made["id"], {"invoice_now": True})
    lines = shop.simulator.get("invoice", str(canceled.latest_invoice))["lines"]["data"]
    assert [line["amount"] > 0 for line in lines] == [False, True]


def test_a_credit_that_would_wait_for_another_invoice_is_refused(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    made = subscribed(shop, stripe_client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.subscriptions.cancel(made["id"], {"prorate": True})
    assert (refused.value.code, refused.value.param) == ("not_simulated", "prorate")


def test_a_cancellation_is_cleared_by_the_field_that_is_set_and_by_one_alone(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    made = subscribed(shop, stripe_client)
    ends = made["items"]["data"][0]["current_period_end"]
    shown = update(stripe_client, made, cancel_at_period_end=True)
    assert (shown["cancel_at_period_end"], shown["cancel_at"]) == (True, ends)
    with pytest.raises(stripe.InvalidRequestError, match="Received both cancel_at and cancel_at_period_end"):
        update(stripe_client, made, cancel_at_period_end=False, cancel_at="")
    shown = update(stripe_client, made, cancel_at_period_end=False)
    assert (shown["cancel_at_period_end"], shown["cancel_at"], shown["canceled_at"]) == (False, None, None)


@pytest.mark.parametrize(("wanted", "which"), [("min_period_end", 0), ("max_period_end", 1)])
def test_of_several_intervals_the_end_is_the_first_or_the_last(
    shop: Shop, stripe_client: stripe.StripeClient, wanted: str, which: int
) -> None:
    made = subscribed(shop, stripe_client)
    both = update(stripe_client, made, items=[{"price": shop.year["id"]}])
    ends = [entry["current_period_end"] for entry in both["items"]["data"]]
    shown = update(stripe_client, made, cancel_at=wanted)
    assert (shown["cancel_at"], shown["cancel_at_period_end"]) == (ends[which], False)
