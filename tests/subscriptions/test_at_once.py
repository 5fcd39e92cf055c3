"""The same change many times at the same moment, and several changes at once: one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from licenzy_django.exceptions import IdempotencyKeyInUse, StripeUnavailable
from licenzy_django.models import SubscriptionChange
from licenzy_django.subscriptions import Canceled, Changed
from licenzy_django.testing import StripeDouble
from tests.subscriptions.scenarios import EACH, SOLD, begun, cancel, change, seen
from tests.threads import at_once

pytestmark = [pytest.mark.sells(**SOLD), pytest.mark.django_db(transaction=True)]

UPDATES = "/v1/subscriptions/*"


def updates(stripe: StripeDouble) -> list[Any]:
    invoices = stripe.simulator.all("invoice")
    return [invoice for invoice in invoices if invoice["billing_reason"] == "subscription_update"]


def test_eight_threads_with_one_key_make_one_change(stripe: StripeDouble) -> None:
    begun(stripe, EACH["upgrade"], "ada")
    stripe.faults.add("POST", UPDATES, "call_after", call=lambda: time.sleep(0.3))

    answers = at_once([lambda: change()("ada", "key")] * 8)

    done = [answer for answer in answers if isinstance(answer, Changed)]
    assert {answer.status for answer in done} == {"changed"}
    assert sum(not answer.replayed for answer in done) == 1
    assert all(isinstance(answer, (Changed, IdempotencyKeyInUse)) for answer in answers), answers
    assert len(updates(stripe)) == SubscriptionChange.objects.count() == 1
    assert change()("ada", "key").replayed


def test_eight_threads_retrying_a_lost_answer_make_no_second_change(stripe: StripeDouble) -> None:
    begun(stripe, EACH["upgrade"], "ada")
    stripe.faults.add("POST", UPDATES, "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        change()("ada", "key")

    answers = at_once([lambda: change()("ada", "key")] * 8)

    assert all(isinstance(answer, (Changed, IdempotencyKeyInUse)) for answer in answers), answers
    assert len(updates(stripe)) == SubscriptionChange.objects.count() == 1


def test_eight_keys_at_once_are_made_one_by_one(stripe: StripeDouble) -> None:
    """Each that is made saw what the one before it had left: no two are frozen from the same state."""
    begun(stripe, EACH["upgrade"], "ada")
    stripe.faults.add("POST", UPDATES, "call_after", times=8, call=lambda: time.sleep(0.05))

    answers = at_once([lambda n=n: change("", quantity=n + 2)("ada", f"key-{n}") for n in range(8)])  # type: ignore[misc]

    assert all(isinstance(answer, (Changed, IdempotencyKeyInUse)) for answer in answers), answers
    assert any(isinstance(answer, Changed) for answer in answers)
    assert not SubscriptionChange.objects.filter(status="created").exists()


def test_a_change_and_a_cancellation_at_once_do_not_mix(stripe: StripeDouble) -> None:
    begun(stripe, EACH["upgrade"], "ada")

    answers = at_once([lambda: change(when="period_end")("ada", "key"), lambda: cancel()("ada", "key")])

    assert all(
        isinstance(answer, (Changed, Canceled, IdempotencyKeyInUse)) or "end" in str(answer) for answer in answers
    )
    after = seen(stripe, "ada")
    assert not (after["is scheduled"] and after["ends"][1])
