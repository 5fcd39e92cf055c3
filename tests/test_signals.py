"""What a host hears in its own process: after the commit, and a receiver that fails harms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.dispatch import Signal

from licenzy_django import access, operators, usage
from licenzy_django.models import CheckoutAttempt, Entitlement
from licenzy_django.signals import checkout_finalized, entitlement_changed
from licenzy_django.testing import StripeDouble, entitled

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rested_cache"),
    pytest.mark.sells("PRO_MONTHLY", CREDITS={"kind": "usage_pack"}),
]


@contextmanager
def heard(signal: Signal, also: Callable[..., object] = lambda **given: None) -> Iterator[list[Any]]:
    """What is sent while the block lasts."""
    told: list[Any] = []

    def receiver(**given: Any) -> None:
        told.append(given)
        also(**given)

    signal.connect(receiver)
    try:
        yield told
    finally:
        signal.disconnect(receiver)


def test_a_purchase_and_its_end_are_told_once_each(stripe: StripeDouble) -> None:
    with heard(entitlement_changed) as told:
        session = stripe.buy("user_1", "PRO_MONTHLY")
        stripe.cancel(session)
    first = told[0]
    assert (first["sender"], first["entitlement"].subject_ref, first["change"].before) == (Entitlement, "user_1", {})
    switched = [each["change"].after["grants_access"] for each in told if "grants_access" in each["change"].after]
    assert [on for on, before in zip(switched, [False, *switched], strict=False) if on != before] == [True, False]
    assert len({each["change"].pk for each in told}) == len(told)


def test_a_receiver_sees_the_new_answer(stripe: StripeDouble) -> None:
    answers = []

    def ask(entitlement: Entitlement, **given: Any) -> None:
        assert not transaction.get_connection().in_atomic_block
        answers.append(bool(access.check(entitlement.subject_ref)))

    with heard(entitlement_changed, ask):
        row = entitled("user_1")
        operators.revoke(row, actor=None, reason="a test")
        operators.restore(row, actor=None, reason="a test")
    assert answers == [False, True]


def test_what_is_rolled_back_is_never_told() -> None:
    row = entitled("user_1")
    with heard(entitlement_changed) as told, transaction.atomic():
        operators.revoke(row, actor=None, reason="a test")
        transaction.set_rollback(True)
    assert told == []


def test_an_event_that_changes_nothing_is_not_told(stripe: StripeDouble) -> None:
    session = stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    events = stripe.take_events()
    stripe.deliver(events)
    with heard(entitlement_changed) as told:
        stripe.deliver(events)
    assert session["status"] == "complete"
    assert told == []


def test_using_units_is_not_told(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "CREDITS")
    with heard(entitlement_changed) as told:
        usage.consume("user_1", 1000, idempotency_key="k1")
    assert told == []


def test_a_receiver_that_fails_harms_nobody(stripe: StripeDouble, caplog: pytest.LogCaptureFixture) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError("The host's own code.")

    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    with (
        heard(entitlement_changed, fail),
        heard(checkout_finalized, fail),
        heard(entitlement_changed) as changed,
        heard(checkout_finalized) as finalized,
    ):
        assert set(stripe.deliver()) == {200}, "The webhook was kept, whatever the host makes of it."
    assert changed
    assert len(finalized) == 1
    assert access.check("user_1")
    assert "The host's own code." in caplog.text


def test_a_finalized_checkout_is_told_once(stripe: StripeDouble) -> None:
    with heard(checkout_finalized) as told:
        session = stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
        assert told == []
        stripe.deliver(times=2)
    [given] = told
    attempt = given["attempt"]
    assert (given["sender"], attempt.status, attempt.stripe_session_id) == (CheckoutAttempt, "finalized", session["id"])
    assert (attempt.subject.subject_ref, attempt.product.code) == ("user_1", "PRO_MONTHLY")


def test_a_checkout_without_money_is_not_told(stripe: StripeDouble) -> None:
    with heard(checkout_finalized) as told:
        stripe.simulator.expire(stripe.checkout("user_1", "PRO_MONTHLY"))
        stripe.deliver()
    assert told == []
