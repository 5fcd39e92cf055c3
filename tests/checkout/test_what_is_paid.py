"""Promotion codes, tax and free orders change what is paid, and nothing of what was bought."""

from __future__ import annotations

import random
from typing import Any

import pytest

from licenzy_django import access, usage
from licenzy_django.models import CheckoutAttempt, Entitlement, OutboundEvent
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db

OPTIONS = {
    "allow_promotion_codes": True,
    "automatic_tax": {"enabled": True},
    "tax_id_collection": {"enabled": True},
    "invoice_creation": {"enabled": True},
}
PAID = {"": 2280, "HALF": 1140, "FREE": 0}
"""Of 19.00, with the simulator's 20 per cent on top, after the code."""


@pytest.fixture
def stripe(stripe_double: StripeDouble, settings: Any) -> StripeDouble:
    settings.LICENZY = settings.LICENZY | {"CHECKOUT": OPTIONS}
    stripe_double.sell("PRO")
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.sell("CREDITS", kind="usage_pack")
    for code, percent in (("HALF", 50.0), ("FREE", 100.0)):
        coupon = stripe_double.simulator.create_coupon({"percent_off": percent, "duration": "forever"})
        stripe_double.simulator.create_promotion_code(
            {"promotion": {"type": "coupon", "coupon": coupon["id"]}, "code": code}
        )
    endpoints.create("test", "https://erp.example.com/events/")
    return stripe_double


def bought(stripe: StripeDouble, product: str, code: str) -> dict[str, Any]:
    """The finished session of somebody who typed this code, and no card where nothing is due."""
    session = stripe.checkout("user_1", product)
    if code:
        stripe.simulator.apply_promotion_code(session["id"], code)
    return stripe.pay(session)


def published(event_type: str) -> list[Any]:
    return [event.payload["amount_total"] for event in OutboundEvent.objects.filter(type=event_type)]


CODES = pytest.mark.parametrize("code", ["", "HALF", "FREE"])


@CODES
def test_a_pack_gives_its_units_whatever_was_paid(stripe: StripeDouble, code: str) -> None:
    session = bought(stripe, "CREDITS", code)

    assert session["amount_total"] == PAID[code]
    assert usage.remaining("user_1") == 1000
    assert published("purchase.finalized") == [PAID[code]]


@CODES
def test_a_pass_gives_its_days_whatever_was_paid(stripe: StripeDouble, code: str) -> None:
    session = bought(stripe, "WEEK", code)

    row = Entitlement.objects.get()
    assert session["amount_total"] == PAID[code]
    assert (row.expires_at - row.starts_at).days == 7
    stripe.advance(days=6)
    assert access.check("user_1", "WEEK")
    stripe.advance(days=2)
    assert not access.check("user_1", "WEEK")


@CODES
def test_a_subscription_runs_whatever_its_invoices_cost(stripe: StripeDouble, code: str) -> None:
    session = bought(stripe, "PRO", code)

    assert (session["amount_total"], published("purchase.finalized")) == (PAID[code], [PAID[code]])
    for _ in range(3):
        stripe.renew(session)
        assert access.check("user_1", "PRO")
    assert published("invoice.payment_succeeded") == [PAID[code]] * 4


def test_a_free_order_needs_no_card(stripe: StripeDouble) -> None:
    session = stripe.checkout("user_1", "CREDITS")
    stripe.simulator.apply_promotion_code(session["id"], "FREE")

    done = stripe.delivered(stripe.simulator.pay(session["id"], card=False))

    assert (done["payment_status"], done["payment_intent"], usage.remaining("user_1")) == (
        "no_payment_required",
        None,
        1000,
    )
    assert CheckoutAttempt.objects.get().status == "finalized"


def test_seats_are_counted_and_not_what_they_cost(stripe: StripeDouble) -> None:
    session = stripe.checkout("user_1", "PRO", quantity=5)
    stripe.simulator.apply_promotion_code(session["id"], "HALF")

    stripe.pay(session)

    assert Entitlement.objects.get().quantity == 5


# --- invoices of one-time purchases -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["", "HALF"])
def test_the_invoice_of_a_one_time_purchase_grants_nothing_of_its_own(stripe: StripeDouble, code: str) -> None:
    session = bought(stripe, "CREDITS", code)

    invoice = stripe.simulator.get("invoice", session["invoice"])
    assert (invoice["status"], invoice["parent"], invoice["amount_paid"]) == ("paid", None, PAID[code])
    assert (Entitlement.objects.count(), usage.remaining("user_1")) == (1, 1000)
    assert published("invoice.payment_succeeded") == []


@pytest.mark.parametrize("code", ["", "HALF"])
@pytest.mark.parametrize("product", ["CREDITS", "WEEK"])
def test_a_refund_is_found_by_the_payment(stripe: StripeDouble, product: str, code: str) -> None:
    session = bought(stripe, product, code)
    assert session["invoice"]

    stripe.refund(session, 1)
    assert access.check("user_1", product)
    stripe.refund(session)

    assert access.check("user_1", product).reason == "refunded"


def test_a_dispute_is_found_by_the_payment(stripe: StripeDouble) -> None:
    session = bought(stripe, "CREDITS", "HALF")

    dispute = stripe.dispute(session)
    assert access.check("user_1", "CREDITS").reason == "disputed"
    stripe.close_dispute(dispute, won=True)

    assert usage.remaining("user_1") == 1000


@pytest.mark.parametrize("product", ["CREDITS", "PRO"])
@CODES
def test_the_same_state_in_whatever_order_the_events_come(stripe: StripeDouble, product: str, code: str) -> None:
    with stripe.webhooks_held_back():
        bought(stripe, product, code)
    events = stripe.take_events()
    for seed in range(4):
        assert set(stripe.deliver(events, times=2, shuffled=random.Random(seed))) == {200}
        assert access.check("user_1", product)

    assert Entitlement.objects.get().units_granted == (1000 if product == "CREDITS" else 0)
    assert published("purchase.finalized") == [PAID[code]]
