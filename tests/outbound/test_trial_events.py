"""A trial's end is announced once, and only while it lies ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from licenzy_django.models import OutboundEvent, StripeEvent, Subject
from licenzy_django.outbound import endpoints, events
from licenzy_django.signals import trial_will_end
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sells(PRO={"trial_days": 14})]


@pytest.fixture(autouse=True)
def endpoint(db: None) -> None:
    endpoints.create("test", "https://hooks.example.com/")


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    received: list[Any] = []

    def receiver(**given: Any) -> None:
        received.append(given)

    trial_will_end.connect(receiver)
    yield received
    trial_will_end.disconnect(receiver)


def published() -> list[OutboundEvent]:
    return list(OutboundEvent.objects.filter(type="subscription.trial_will_end"))


def test_three_days_before_it_is_an_event_and_a_signal(stripe: StripeDouble, heard: list[Any]) -> None:
    session = stripe.buy("user_1", "PRO")
    assert (published(), heard) == ([], [])

    stripe.advance(days=12)

    [event] = published()
    told = events.body_of(event)["data"]
    assert (told["subject_ref"], told["product_code"], told["status"]) == ("user_1", "PRO", "trialing")
    assert (told["reason"], told["source"]) == ("trial_will_end", "stripe")
    assert told["stripe_subscription_id"] == session["subscription"]
    [signal] = heard
    assert (signal["sender"], signal["subject"]) == (Subject, Subject.objects.get())
    assert told["current_period_end"] == events.in_utc(signal["trial_end"])
    assert signal["subscription_id"] == session["subscription"]


def test_a_replayed_event_is_published_once(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO")
    stripe.advance(days=12)

    inbox.replay(StripeEvent.objects.get(type="customer.subscription.trial_will_end"))

    assert len(published()) == 1


def test_one_that_comes_after_the_trial_says_nothing(stripe: StripeDouble, heard: list[Any]) -> None:
    stripe.buy("user_1", "PRO")
    with stripe.webhooks_held_back():
        stripe.advance(days=20)
    stripe.deliver()

    assert (published(), heard) == ([], [])


def test_one_that_comes_after_the_subscription_was_canceled_says_nothing(
    stripe: StripeDouble, heard: list[Any]
) -> None:
    session = stripe.buy("user_1", "PRO")
    with stripe.webhooks_held_back():
        stripe.advance(days=12)
        stripe.cancel(session)
    stripe.deliver()

    assert (published(), heard) == ([], [])


def test_a_trial_that_was_ended_at_once_is_not_announced(stripe: StripeDouble, heard: list[Any]) -> None:
    session = stripe.buy("user_1", "PRO")

    stripe.delivered(stripe.simulator.end_trial(session["subscription"], early=True))

    assert StripeEvent.objects.filter(type="customer.subscription.trial_will_end").exists()
    assert (published(), heard) == ([], [])
