"""Subscriptions and their items, as the SDK makes and changes them without Checkout."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import DAY, Shop


@pytest.fixture
def payer(shop: Shop, stripe_client: stripe.StripeClient) -> str:
    """A customer with a card."""
    customer = stripe_client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    shop.told()
    return customer.id


def subscribe(client: stripe.StripeClient, shop: Shop, customer: str, **more: Any) -> stripe.Subscription:
    wanted: Any = {"customer": customer, "items": [{"price": shop.month["id"], "quantity": 2}]}
    return client.v1.subscriptions.create(wanted | more)


def items_of(subscription: stripe.Subscription) -> list[Any]:
    found: list[Any] = subscription["items"]["data"]
    return found


def test_it_is_charged_at_once(shop: Shop, stripe_client: stripe.StripeClient, payer: str) -> None:
    made = subscribe(stripe_client, shop, payer, metadata={"plan": "pro"}, description="Pro")
    assert (made.status, made.description, made.metadata["plan"]) == ("active", "Pro", "pro")
    invoice = stripe_client.v1.invoices.retrieve(str(made.latest_invoice))
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 3800, "subscription_create")
    assert {"customer.subscription.created", "invoice.paid"} <= set(shop.told())


def test_without_a_card_it_is_refused(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        subscribe(stripe_client, shop, shop.customer["id"])
    assert refused.value.code == "resource_missing"
    assert "no attached payment source" in str(refused.value.user_message)


def test_a_card_that_is_declined_leaves_it_incomplete(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    customer = stripe_client.v1.customers.create(
        {
            "payment_method": "pm_card_chargeCustomerFail",
            "invoice_settings": {"default_payment_method": "pm_card_chargeCustomerFail"},
        }
    )
    assert subscribe(stripe_client, shop, customer.id).status == "incomplete"
    assert "invoice.payment_failed" in shop.told()
    with pytest.raises(stripe.CardError):
        subscribe(stripe_client, shop, customer.id, payment_behavior="error_if_incomplete")
    assert len(stripe_client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data) == 1


def test_default_incomplete_waits_for_the_first_payment(
    shop: Shop, stripe_client: stripe.StripeClient, payer: str
) -> None:
    made = subscribe(stripe_client, shop, payer, payment_behavior="default_incomplete")
    assert made.status == "incomplete"
    assert stripe_client.v1.invoices.pay(str(made.latest_invoice)).status == "paid"
    assert stripe_client.v1.subscriptions.retrieve(made.id).status == "active"


def test_a_trial_asks_for_no_card_and_ends_by_request(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    cancel: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    made = subscribe(stripe_client, shop, shop.customer["id"], trial_period_days=7, trial_settings=cancel)
    assert (made.status, made.trial_end) == ("trialing", shop.simulator.now + 7 * DAY)
    assert stripe_client.v1.subscriptions.update(made.id, {"trial_end": "now"}).status == "paused"


def test_a_sent_invoice_makes_it_active_unpaid(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    made = subscribe(stripe_client, shop, shop.customer["id"], collection_method="send_invoice", days_until_due=14)
    invoice = stripe_client.v1.invoices.retrieve(str(made.latest_invoice))
    assert (made.status, invoice.status, invoice.due_date) == ("active", "open", shop.simulator.now + 14 * DAY)


def test_items_come_change_and_go(shop: Shop, stripe_client: stripe.StripeClient, payer: str) -> None:
    extra = shop.simulator.create_price({"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}})
    made, items = subscribe(stripe_client, shop, payer), stripe_client.v1.subscription_items
    added = items.create({"subscription": made.id, "price": extra["id"], "quantity": 3})
    assert [item.id for item in items.list({"subscription": made.id}).data] == [items_of(made)[0].id, added.id]
    changed = items.update(added.id, {"quantity": 5, "metadata": {"seat": "yes"}})
    assert (changed.quantity, changed.metadata["seat"], items.retrieve(added.id).quantity) == (5, "yes", 5)
    assert items.delete(added.id).deleted is True
    assert len(items_of(stripe_client.v1.subscriptions.retrieve(made.id))) == 1
    with pytest.raises(stripe.InvalidRequestError):
        items.retrieve("si_nobody")


def test_a_default_payment_method_is_charged_from_then_on(
    shop: Shop, stripe_client: stripe.StripeClient, payer: str
) -> None:
    made = subscribe(stripe_client, shop, payer)
    other = stripe_client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": payer})
    changed = stripe_client.v1.subscriptions.update(made.id, {"default_payment_method": other.id})
    assert changed.default_payment_method == other.id
    shop.simulator.advance(32 * DAY)
    assert stripe_client.v1.subscriptions.retrieve(made.id).status == "past_due"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a price that it has already": ({"items": [{"price": "month"}]}, "Cannot add multiple subscription items"),
    "a price of another currency": ({"items": [{"price": "usd"}]}, "only supports `usd`"),
    "an end in the past": ({"cancel_at": 1_000_000_000}, "in the future"),
    "an end and a period's end": (
        {"cancel_at": 4_000_000_000, "cancel_at_period_end": False},
        "Please pass in only one",
    ),
    "a one-time price": ({"items": [{"price": "pack"}]}, "type=recurring"),
    "a quantity below zero": ({"items": [{"price": "year", "quantity": -1}]}, "greater than or equal to 0"),
}


@pytest.mark.parametrize("case", [*REFUSED])
def test_an_update_refuses(shop: Shop, stripe_client: stripe.StripeClient, payer: str, case: str) -> None:
    dollars = shop.simulator.create_price({"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}})
    prices = {"month": shop.month["id"], "year": shop.year["id"], "pack": shop.pack["id"], "usd": dollars["id"]}
    wanted, sentence = REFUSED[case]
    if "items" in wanted:
        wanted = wanted | {"items": [item | {"price": prices[item["price"]]} for item in wanted["items"]]}
    made = subscribe(stripe_client, shop, payer)
    with pytest.raises(stripe.InvalidRequestError, match=sentence):
        stripe_client.v1.subscriptions.update(made.id, wanted)  # type: ignore[arg-type]
    assert len(items_of(stripe_client.v1.subscriptions.retrieve(made.id))) == 1


def test_a_customer_is_billed_in_one_currency(shop: Shop, stripe_client: stripe.StripeClient, payer: str) -> None:
    dollars = shop.simulator.create_price({"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}})
    subscribe(stripe_client, shop, payer)
    wanted: Any = {
        "customer": payer, "mode": "subscription", "success_url": "https://x.example/",
        "line_items": [{"price": dollars["id"], "quantity": 1}],
    }  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        stripe_client.v1.checkout.sessions.create(wanted)
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        stripe_client.v1.subscriptions.create({"customer": payer, "items": [{"price": dollars["id"]}]})


def test_why_somebody_cancels_is_kept(shop: Shop, stripe_client: stripe.StripeClient, payer: str) -> None:
    made = subscribe(stripe_client, shop, payer)
    ended = stripe_client.v1.subscriptions.cancel(made.id, {"cancellation_details": {"comment": "Too dear"}})
    assert ended.cancellation_details
    assert (ended.status, ended.cancellation_details.comment) == ("canceled", "Too dear")
