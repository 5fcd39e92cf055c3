"""Cards, payments and what becomes of them, as the SDK makes them without Checkout."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import Shop


def pay(client: stripe.StripeClient, card: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    wanted: Any = {"amount": 2000, "currency": "usd", "payment_method": card, "confirm": True}
    return client.v1.payment_intents.create(wanted | more)


def test_a_card_pays_and_the_charge_shows_it(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    intent = pay(stripe_client, description="A pack", metadata={"order": "7"})
    assert (intent.status, intent.amount_received, intent.description) == ("succeeded", 2000, "A pack")
    charge = stripe_client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.status, charge.metadata["order"]) == ("succeeded", "7")
    assert shop.told() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize("card", ["chargeDeclined", "visa_chargeDeclined", "chargeCustomerFail"])
def test_a_card_that_is_declined_is_402_and_leaves_a_trace(
    shop: Shop, stripe_client: stripe.StripeClient, card: str
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        pay(stripe_client, f"pm_card_{card}")
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert shop.told() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    [intent] = stripe_client.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    assert pay_again(stripe_client, intent.id).status == "succeeded"


def pay_again(client: stripe.StripeClient, intent: str) -> stripe.PaymentIntent:
    return client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})


def test_a_bank_may_ask_for_3d_secure(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    intent = pay(stripe_client, "pm_card_threeDSecure2Required")
    assert (intent.status, bool(intent.next_action)) == ("requires_action", True)
    assert shop.told() == ["payment_intent.created", "payment_intent.requires_action"]
    with pytest.raises(stripe.CardError) as refused:
        pay(stripe_client, "pm_card_threeDSecure2Required", off_session=True)
    assert refused.value.code == "authentication_required"


@pytest.mark.parametrize(
    ("card", "status"),
    [("pm_card_createDispute", "needs_response"), ("pm_card_createDisputeInquiry", "warning_needs_response")],
)
def test_a_card_that_is_disputed(shop: Shop, stripe_client: stripe.StripeClient, card: str, status: str) -> None:
    intent = pay(stripe_client, card)
    [dispute] = stripe_client.v1.disputes.list({"payment_intent": intent.id}).data
    assert dispute.status == status
    assert "charge.dispute.created" in shop.told()


def test_a_charge_that_was_charged_back_cannot_be_refunded(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    intent = pay(stripe_client, "pm_card_createDispute")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    [dispute] = stripe_client.v1.disputes.list({"payment_intent": intent.id}).data
    won = stripe_client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert won.status == "won"
    assert stripe_client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_evidence_is_reviewed_and_a_dispute_can_be_accepted(stripe_client: stripe.StripeClient) -> None:
    disputes = stripe_client.v1.disputes
    pay(stripe_client, "pm_card_createDispute")
    [dispute] = disputes.list().data
    staged = disputes.update(dispute.id, {"evidence": {"product_description": "A pack"}, "submit": False})
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    reviewed = disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "metadata": {"case": "1"}})
    assert (reviewed.status, reviewed.evidence.product_description) == ("under_review", "A pack")
    assert disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}})


def test_an_inquiry_that_is_closed_takes_no_money(stripe_client: stripe.StripeClient) -> None:
    pay(stripe_client, "pm_card_createDisputeInquiry")
    [dispute] = stripe_client.v1.disputes.list().data
    closed = stripe_client.v1.disputes.close(dispute.id)
    assert (closed.status, closed.balance_transactions) == ("warning_closed", [])


@pytest.mark.parametrize(
    ("amount", "currency", "least"), [(49, "usd", "$0.50 usd"), (29, "gbp", "£0.30 gbp"), (10, "jpy", "¥50 jpy")]
)
def test_an_amount_below_the_least_charge_is_refused(
    stripe_client: stripe.StripeClient, amount: int, currency: str, least: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(stripe_client, amount=amount, currency=currency)
    assert (refused.value.code, refused.value.user_message) == ("amount_too_small", f"Amount must be at least {least}")


def test_cards_are_kept_with_customers(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    methods, customer = stripe_client.v1.payment_methods, shop.customer["id"]
    method = methods.create({"type": "card", "card": {"token": "tok_mastercard"}, "billing_details": {"name": "Ada"}})
    assert method.card
    assert (method.card.brand, method.card.last4, method.customer) == ("mastercard", "4444", None)
    assert methods.attach(method.id, {"customer": customer}).customer == customer
    assert [kept.id for kept in methods.list({"customer": customer}).data] == [method.id]
    stripe_client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})
    assert stripe_client.v1.customers.retrieve(customer).invoice_settings.default_payment_method == method.id  # type: ignore[union-attr]
    assert methods.update(method.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"
    assert methods.detach(method.id).customer is None
    assert methods.list({"customer": customer}).data == []
    assert shop.told() == [
        "payment_method.attached", "customer.updated", "payment_method.updated", "customer.updated",
        "payment_method.detached",
    ]  # fmt: skip


def test_a_card_that_fails_later_can_be_attached_and_one_that_is_declined_cannot(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    customer = shop.customer["id"]
    assert stripe_client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).customer
    with pytest.raises(stripe.CardError):
        stripe_client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod: 'unheardOf'"):
        stripe_client.v1.payment_methods.attach("pm_card_unheardOf", {"customer": customer})


def test_one_name_for_a_new_customers_card_and_default_is_one_card(stripe_client: stripe.StripeClient) -> None:
    customer = stripe_client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    [method] = stripe_client.v1.payment_methods.list({"customer": customer.id}).data
    assert customer.invoice_settings
    assert customer.invoice_settings.default_payment_method == method.id


def test_payments_are_changed_and_canceled_until_they_are_made(stripe_client: stripe.StripeClient) -> None:
    intents = stripe_client.v1.payment_intents
    intent = intents.create({"amount": 2000, "currency": "usd"})
    assert intents.update(intent.id, {"amount": 3000, "description": "More"}).amount == 3000
    canceled = intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay_again(stripe_client, intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_charges_and_refunds_take_metadata(stripe_client: stripe.StripeClient) -> None:
    intent = pay(stripe_client)
    assert stripe_client.v1.charges.update(str(intent.latest_charge), {"metadata": {"a": "1"}}).metadata["a"] == "1"
    refund = stripe_client.v1.refunds.create({"payment_intent": intent.id})
    assert stripe_client.v1.refunds.update(refund.id, {"metadata": {"b": "2"}}).metadata["b"] == "2"
