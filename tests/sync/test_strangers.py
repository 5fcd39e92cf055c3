"""A validly signed session that is not ours grants nobody anything."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, checkout
from licenzy_django.exceptions import StripeUnavailable
from licenzy_django.models import CheckoutAttempt, Entitlement, StripeEvent
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells("PRO_MONTHLY", CREDITS={"kind": "usage_pack"})

SUBJECTS = ("user_1", "user_2", "stranger")


@pytest.fixture
def unanswered(stripe: StripeDouble) -> CheckoutAttempt:
    """An attempt of user_1 whose answer was lost, so that only a webhook could bring its session."""
    stripe.faults.add("POST", "/v1/checkout/sessions", "drop_before", times=3)
    with pytest.raises(StripeUnavailable):
        checkout.start("user_1", "CREDITS", idempotency_key="order-1")
    return CheckoutAttempt.objects.get()


def foreign_session(stripe: StripeDouble, price: str = "price_credits", **given: Any) -> dict[str, Any]:
    """Made by another system in the same Stripe account, and paid."""
    wanted = {"mode": "payment", "line_items": [{"price": price, "quantity": 1}], "success_url": "https://x.example/"}
    return stripe.simulator.pay(stripe.simulator.create_session(wanted | given))


def nobody_has_anything() -> bool:
    return not Entitlement.objects.exists() and not any(access.check(subject) for subject in SUBJECTS)


def test_a_refund_of_a_payment_that_stripe_does_not_know_is_no_failure(stripe: StripeDouble) -> None:
    """Of a connected account, say, whose payments our key cannot see."""
    stripe.simulator.refund(foreign_session(stripe))
    (event,) = stripe.simulator.events("refund.created")
    event["data"]["object"]["payment_intent"] = "pi_of_another_account"

    assert stripe.deliver([event]) == [200]

    assert StripeEvent.objects.get().outcome == "stored, waits for its purchase"


@pytest.mark.parametrize("kind", ["guest", "another customer"])
def test_a_session_with_the_same_price_grants_nothing(stripe: StripeDouble, kind: str) -> None:
    customer = {} if kind == "guest" else {"customer": stripe.simulator.create_customer({})["id"]}
    foreign_session(stripe, client_reference_id="user_1", metadata={"subject_ref": "user_1"}, **customer)

    assert set(stripe.deliver()) == {200}

    assert nobody_has_anything()
    row = StripeEvent.objects.get(type="checkout.session.completed")
    assert (row.status, row.outcome) == ("ignored", "not a session of ours")


@pytest.mark.parametrize("field", ["client_reference_id", "metadata"])
def test_naming_somebodys_attempt_grants_nothing(stripe: StripeDouble, unanswered: CheckoutAttempt, field: str) -> None:
    named: Any = unanswered.public_id if field == "client_reference_id" else {"licenzy_attempt": unanswered.public_id}
    foreign_session(stripe, customer=stripe.simulator.create_customer({})["id"], **{field: named})
    foreign_session(stripe, **{field: named})

    assert set(stripe.deliver()) == {200}

    assert nobody_has_anything()
    unanswered.refresh_from_db()
    assert (unanswered.status, unanswered.stripe_session_id) == ("created", "")


def test_a_second_session_that_names_an_answered_attempt_grants_nothing_more(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "CREDITS")
    attempt = CheckoutAttempt.objects.get()
    foreign_session(stripe, customer=session["customer"], metadata={"licenzy_attempt": attempt.public_id})

    assert set(stripe.deliver()) == {200}

    assert access.summary("user_1").usage_remaining == 1000
    attempt.refresh_from_db()
    assert attempt.stripe_session_id == session["id"]


def test_our_customer_buying_something_else_elsewhere_gets_nothing_here(
    stripe: StripeDouble, unanswered: CheckoutAttempt
) -> None:
    stripe.simulator.create_price({"id": "price_mug", "currency": "eur", "unit_amount": 900})
    customer = stripe.simulator.all("customer")[0]["id"]
    foreign_session(stripe, price="price_mug", customer=customer)
    foreign_session(stripe, price="price_mug", customer=customer, metadata={"licenzy_attempt": unanswered.public_id})

    assert set(stripe.deliver()) == {200}

    assert nobody_has_anything()


def test_a_subscription_of_a_customer_of_nobody_grants_nothing(stripe: StripeDouble) -> None:
    foreign_session(
        stripe,
        price="price_pro_monthly",
        mode="subscription",
        customer=stripe.simulator.create_customer({})["id"],
        client_reference_id="user_1",
    )

    assert set(stripe.deliver()) == {200}

    assert nobody_has_anything()


def test_a_live_session_never_finds_a_test_attempt(stripe: StripeDouble, unanswered: CheckoutAttempt) -> None:
    foreign_session(
        stripe,
        customer=unanswered.stripe_params["customer"],
        metadata={"licenzy_attempt": unanswered.public_id},
    )
    events = [{**event, "livemode": True} for event in stripe.take_events()]

    assert set(stripe.deliver(events)) == {200}

    assert nobody_has_anything()
