"""A Stripe customer is made once for a subject, remembered and reused."""

from __future__ import annotations

import json

import pytest

from licenzy_django.exceptions import StripeUnavailable
from licenzy_django.models import CheckoutAttempt, StripeFact, Subject
from licenzy_django.testing import StripeDouble
from tests.checkouts import asked, start

pytestmark = pytest.mark.sells("PRO_MONTHLY", CREDITS={"kind": "usage_pack"})

SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"


def test_a_customer_is_made_once_and_reused(stripe: StripeDouble) -> None:
    start(key="order-1")
    start("CREDITS", "order-2")

    assert len(asked(stripe, CUSTOMERS)) == 1
    customer = stripe.simulator.all("customer")[0]
    assert Subject.objects.get().stripe_customer_id == customer["id"]
    assert {session["customer"] for session in stripe.simulator.all("checkout.session")} == {customer["id"]}


def test_a_customer_deleted_at_stripe_is_replaced_in_the_same_request(stripe: StripeDouble) -> None:
    start(key="order-1")
    stripe.simulator.delete_customer(Subject.objects.get().stripe_customer_id)

    start("CREDITS", "order-2")

    alive = [customer["id"] for customer in stripe.simulator.all("customer") if not customer.get("deleted")]
    assert [Subject.objects.get().stripe_customer_id] == alive
    assert stripe.simulator.all("checkout.session")[-1]["customer"] == alive[0]


def test_a_customer_deleted_and_told_of_is_not_given_again_by_stripes_memory_of_the_key(stripe: StripeDouble) -> None:
    start(key="order-1")
    stripe.simulator.delete_customer(Subject.objects.get().stripe_customer_id)
    stripe.deliver()
    assert Subject.objects.get().stripe_customer_id == ""
    before = len(asked(stripe, CUSTOMERS))

    start("CREDITS", "order-2")

    assert len(asked(stripe, CUSTOMERS)) == before + 1
    assert len({key for _, key in asked(stripe, CUSTOMERS)}) == 2


def test_an_old_attempt_does_not_forget_the_customer_that_replaced_its_own(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "drop_before", times=3)
    with pytest.raises(StripeUnavailable):
        start(key="order-1")
    stripe.simulator.delete_customer(Subject.objects.get().stripe_customer_id)
    start("CREDITS", "order-2")
    replaced = Subject.objects.get().stripe_customer_id

    start(key="order-1")

    assert Subject.objects.get().stripe_customer_id == replaced


def test_the_e_mail_is_prefilled_and_not_stored(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO_MONTHLY", customer_email="ada@example.com")

    assert stripe.simulator.all("customer")[0]["email"] == "ada@example.com"
    kept = [
        *Subject.objects.values(),
        *CheckoutAttempt.objects.values(),
        *StripeFact.objects.values(),
        *Subject.objects.get().stripe_events.values(),
    ]
    assert "@example" not in json.dumps(kept, default=str)
