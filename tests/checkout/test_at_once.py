"""The same checkout many times at the same moment: one session, one customer."""

from __future__ import annotations

import time

import pytest

from licenzy_django.checkout import sessions
from licenzy_django.checkout.sessions import StartedCheckout
from licenzy_django.exceptions import CheckoutSessionExpired, IdempotencyKeyInUse, StripeUnavailable
from licenzy_django.models import Subject
from licenzy_django.stripe import customers
from licenzy_django.testing import StripeDouble
from tests.checkouts import asked, start
from tests.threads import at_once

pytestmark = pytest.mark.sells("PRO_MONTHLY", CREDITS={"kind": "usage_pack"})

SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_one_key_make_one_session(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "call_after", call=lambda: time.sleep(0.3))

    answers = at_once([start] * 8)

    sessions = stripe.simulator.all("checkout.session")
    assert len(sessions) == 1
    urls = {answer.checkout_url for answer in answers if isinstance(answer, StartedCheckout)}
    assert urls == {sessions[0]["url"]}
    refused = [answer for answer in answers if not isinstance(answer, StartedCheckout)]
    assert all(isinstance(answer, IdempotencyKeyInUse) for answer in refused), refused
    assert refused, "while the first is talking to Stripe, the others are told so"


@pytest.mark.django_db(transaction=True)
def test_first_checkouts_at_the_same_time_share_one_customer(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", CUSTOMERS, "call_after", times=8, call=lambda: time.sleep(0.05))

    answers = at_once([lambda number=number: start("CREDITS", f"order-{number}") for number in range(8)])  # type: ignore[misc]

    assert all(isinstance(answer, (StartedCheckout, StripeUnavailable)) for answer in answers), answers
    assert len(stripe.simulator.all("customer")) == 1
    used = {session["customer"] for session in stripe.simulator.all("checkout.session")}
    assert used == {Subject.objects.get().stripe_customer_id}
    assert customers.ensure_customer(Subject.objects.get()) in used


@pytest.mark.parametrize("fault", ["call_before", "call_after"])
def test_a_request_that_outlives_its_lease_and_its_successor_end_in_one_session(
    stripe: StripeDouble, fault: str
) -> None:
    inner: list[StartedCheckout] = []

    def successor() -> None:
        stripe.simulator.advance(sessions.LEASE)
        inner.append(start())

    stripe.faults.add("POST", SESSIONS, fault, call=successor)

    first = start()

    assert first.checkout_url == inner[0].checkout_url
    assert len(stripe.simulator.all("checkout.session")) == 1
    assert start().checkout_url == first.checkout_url


@pytest.mark.django_db(transaction=True)
def test_eight_threads_retrying_a_lost_answer_make_no_second_session(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()

    answers = at_once([start] * 8)

    sessions = stripe.simulator.all("checkout.session")
    assert len(sessions) == 1
    assert {a.checkout_url for a in answers if isinstance(a, StartedCheckout)} == {sessions[0]["url"]}
    assert len(set(asked(stripe, SESSIONS))) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_eight_keys_leave_at_most_one_page_open(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "call_after", times=8, call=lambda: time.sleep(0.05))

    answers = at_once([lambda number=number: start(key=f"order-{number}") for number in range(8)])  # type: ignore[misc]

    open_pages = [session["url"] for session in stripe.simulator.all("checkout.session") if session["status"] == "open"]
    assert len(open_pages) == 1
    shown = [answer.checkout_url for answer in answers if isinstance(answer, StartedCheckout)]
    assert open_pages[0] in shown
    refused = [answer for answer in answers if not isinstance(answer, StartedCheckout)]
    assert all(isinstance(answer, (IdempotencyKeyInUse, CheckoutSessionExpired)) for answer in refused), refused
