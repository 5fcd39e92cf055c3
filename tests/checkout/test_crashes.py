"""Whatever dies between us and Stripe, the same request again ends in the same session, and no payment is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from licenzy_django import access
from licenzy_django.checkout import pages
from licenzy_django.exceptions import (
    CheckoutSessionExpired,
    IdempotencyKeyInUse,
    StripeUnavailable,
)
from licenzy_django.models import CheckoutAttempt, Product, Subject
from licenzy_django.simulator.account import database_simulator, forget_clock
from licenzy_django.testing import StripeDouble
from tests.checkouts import asked, start

pytestmark = [pytest.mark.slow, pytest.mark.sells("PRO_MONTHLY")]

SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"


class KilledError(BaseException):
    """Stands for a process that is gone: nothing of ours may catch it and carry on."""


# --- the answer is lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CUSTOMERS, SESSIONS])
@pytest.mark.parametrize("fault", ["drop_after", "timeout", "drop_before"])
def test_an_answer_lost_on_the_way_is_asked_for_again_with_the_same_bytes(
    stripe: StripeDouble, path: str, fault: str
) -> None:
    stripe.faults.add("POST", path, fault, times=3)
    with pytest.raises(StripeUnavailable):
        start(customer_email="ada@example.com")

    again = start(customer_email="ada@example.com")

    assert again.status == "created"
    assert len(stripe.simulator.all("checkout.session")) == 1
    assert len(stripe.simulator.all("customer")) == 1
    tries = asked(stripe, path)
    assert len(tries) == 4
    assert len(set(tries)) == 1, "the bytes and the key are the same every time"


def test_a_single_lost_answer_is_not_even_noticed(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "drop_after")

    assert not start().replayed
    assert len(stripe.simulator.all("checkout.session")) == 1


def test_a_failed_look_at_the_replayed_session_is_made_good_by_the_next_try(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    stripe.faults.add("GET", f"{SESSIONS}/*", "timeout", times=3)
    for _ in range(2):
        with pytest.raises(StripeUnavailable):
            start()

    assert start().checkout_url
    assert len(stripe.simulator.all("checkout.session")) == 1


def test_the_callers_key_never_reaches_stripe(stripe: StripeDouble) -> None:
    start(key="a-very-secret-key")

    sent = [text for request in stripe.requests for text in (request.body, *request.headers.values())]
    assert not any("a-very-secret-key" in text for text in sent)


def test_what_was_frozen_is_sent_even_if_the_product_changed_meanwhile(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    stripe.sell("OTHER")
    Product.objects.filter(code="OTHER").delete()
    Product.objects.filter(code="PRO_MONTHLY").update(stripe_price_id="price_other")

    start()

    assert len({body for body, _ in asked(stripe, SESSIONS)}) == 1
    assert CheckoutAttempt.objects.get().stripe_price_id == "price_pro_monthly"


def test_a_webhook_for_a_session_whose_answer_was_lost_finds_its_attempt(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    session = stripe.simulator.all("checkout.session")[0]
    assert CheckoutAttempt.objects.get().stripe_session_id == ""

    stripe.simulator.pay(session)
    stripe.deliver()

    assert access.check("user_1")
    assert CheckoutAttempt.objects.get().stripe_session_id == session["id"]
    with pytest.raises(CheckoutSessionExpired):
        start()


@pytest.mark.parametrize("finish", ["expire", "pay"])
def test_a_retry_that_finds_its_page_closed_says_so(stripe: StripeDouble, finish: str) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    getattr(stripe.simulator, finish)(stripe.simulator.all("checkout.session")[0])

    for _ in range(2):
        with pytest.raises(CheckoutSessionExpired):
            start()


def test_a_lost_answer_is_not_asked_for_once_stripe_may_have_forgotten_the_key(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    stripe.simulator.advance(timedelta(hours=23, seconds=1))
    requests = len(asked(stripe, SESSIONS))

    with pytest.raises(CheckoutSessionExpired):
        start()

    assert len(asked(stripe, SESSIONS)) == requests


# --- the process dies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["create_session", "ensure_customer", "close"])
def test_a_death_at_any_point_is_carried_on_from(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    original: Callable[..., Any] = getattr(pages, where)

    def dies_after_it(*args: Any, **kwargs: Any) -> Any:
        if where != "close":
            original(*args, **kwargs)
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(pages, where, dies_after_it)
        with pytest.raises(KilledError):
            start()
    CheckoutAttempt.objects.update(leased_until=None)

    assert start().checkout_url
    assert len(stripe.simulator.all("checkout.session")) == 1
    assert len(stripe.simulator.all("customer")) == 1


def test_a_dead_first_request_keeps_the_key_in_use_only_for_as_long_as_its_lease(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(pages, "close", die)
        with pytest.raises(KilledError):
            start()
    with pytest.raises(IdempotencyKeyInUse):
        start()

    stripe.simulator.advance(pages.LEASE)

    assert start().checkout_url
    assert len(stripe.simulator.all("checkout.session")) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before_stripe", "after_the_customer", "after_the_session"])
def test_a_process_killed_between_stripes_answer_and_our_commit_loses_nothing(where: str) -> None:
    Product.objects.create(
        mode="test", code="PRO_MONTHLY", name="Pro", kind="subscription", stripe_price_id="price_pro_monthly"
    )
    command = [sys.executable, "-m", "tests.dying_process", str(connection.settings_dict["NAME"]), where]

    killed = subprocess.run(command, capture_output=True, check=False, timeout=60)

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.stripe_session_id, attempt.checkout_url) == ("", "")
    CheckoutAttempt.objects.update(leased_until=None)
    forget_clock()
    again = start(customer_email="ada@example.com")
    world = database_simulator()
    assert again.attempt_id == attempt.public_id
    assert [session["url"] for session in world.all("checkout.session")] == [again.checkout_url]
    assert [customer["id"] for customer in world.all("customer")] == [Subject.objects.get().stripe_customer_id]


def test_the_bytes_are_the_same_whatever_order_the_database_gives_the_names_back_in(stripe: StripeDouble) -> None:
    """PostgreSQL keeps JSON by the length of its names."""
    stripe.faults.add("POST", SESSIONS, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    attempt = CheckoutAttempt.objects.get()
    attempt.stripe_params = dict(reversed(attempt.stripe_params.items()))
    attempt.save()

    start()

    assert len(set(asked(stripe, SESSIONS))) == 1
