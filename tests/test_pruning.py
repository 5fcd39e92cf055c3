"""What is dropped, and what has to stay."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from licenzy_django import access, checkout, pruning
from licenzy_django.exceptions import CheckoutSessionExpired
from licenzy_django.models import CheckoutAttempt, Delivery, EventType, OutboundEvent, StripeEvent
from licenzy_django.outbound import endpoints, events, outbox, usage_events
from licenzy_django.outbound.events import NewEvent
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sells("PRO_MONTHLY")]


def told(stripe: StripeDouble, **columns: Any) -> Delivery:
    """A delivery, as it stands."""
    endpoints.create("test", "https://hooks.example.com/", ["usage.consumed"])
    outbox.publish("test", [usage_events.usage_consumed("user_1", 1, mode="test", unit="credits", usage_remaining=0)])
    Delivery.objects.update(**columns)
    return Delivery.objects.get()


def test_what_was_sent_long_ago_goes_with_its_event(stripe: StripeDouble) -> None:
    told(stripe, status="sent", sent_at=stripe.now)

    at = stripe.now + timedelta(days=30)
    assert pruning.sent_deliveries(30, at=at) == 0
    assert pruning.sent_deliveries(30, at=at + timedelta(seconds=1)) == 1
    assert pruning.outbound_events(30, at=at + timedelta(seconds=1)) == 1
    assert not OutboundEvent.objects.exists()


def test_what_was_given_up_goes_too(stripe: StripeDouble) -> None:
    told(stripe, status="dead")

    assert pruning.sent_deliveries(30, at=stripe.now + timedelta(days=31)) == 1


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_what_still_waits_stays_however_old(stripe: StripeDouble, status: str) -> None:
    told(stripe, status=status)

    assert pruning.sent_deliveries(1, at=stripe.now + timedelta(days=400)) == 0
    assert pruning.outbound_events(1, at=stripe.now + timedelta(days=400)) == 0


def test_what_may_be_told_only_once_is_kept_while_it_is_news(stripe: StripeDouble) -> None:
    once = NewEvent(
        type=EventType.INVOICE_PAYMENT_FAILED, subject_ref="user_1", payload=events.payload("user_1"), dedup_key="in_1"
    )
    endpoints.create("test", "https://hooks.example.com/")
    outbox.publish("test", [once])
    Delivery.objects.all().delete()

    assert pruning.outbound_events(1, at=stripe.now + timedelta(days=29)) == 0
    assert outbox.publish("test", [once]) == []
    assert pruning.outbound_events(1, at=stripe.now + timedelta(days=31)) == 1


def test_payloads_go_and_the_events_still_count_once(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    events = stripe.take_events()
    stripe.deliver(events)
    rows = StripeEvent.objects.count()

    at = timezone.now() + timedelta(days=400)
    assert pruning.raw_payloads(90, at=at) > 0
    assert pruning.raw_payloads(90, at=at) == 0
    stripe.deliver(events)

    assert StripeEvent.objects.count() == rows
    assert not StripeEvent.objects.filter(payload__isnull=False).exists()
    assert access.check("user_1")


def test_a_replay_of_what_was_pruned_changes_nothing(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO_MONTHLY")
    pruning.raw_payloads(90, at=timezone.now() + timedelta(days=400))
    done = StripeEvent.objects.values("status", "outcome", "subject")
    before = list(done.all())

    for event in StripeEvent.objects.all():
        inbox.replay(event)

    assert list(done.all()) == before


def test_a_payload_that_is_still_needed_stays(stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    monkeypatch.setattr(inbox, "finish", lambda *_: 1 / 0)
    stripe.deliver()
    failed = StripeEvent.objects.filter(status="failed")
    assert failed.exists()

    pruning.raw_payloads(0, at=timezone.now() + timedelta(days=400))

    assert not failed.filter(payload__isnull=True).exists()


def test_an_old_checkout_forgets_its_answer_and_its_key_still_makes_nothing_new(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY", idempotency_key="key"))
    stripe.deliver()
    asked = len(stripe.requests)

    assert pruning.checkout_answers(30, at=stripe.now + timedelta(days=31)) == 1
    assert pruning.checkout_answers(30, at=stripe.now + timedelta(days=31)) == 0

    attempt = CheckoutAttempt.objects.get()
    assert (attempt.stripe_params, attempt.checkout_url, attempt.status) == ({}, "", "finalized")
    assert attempt.stripe_session_id
    with pytest.raises(CheckoutSessionExpired):
        checkout.start("user_1", "PRO_MONTHLY", idempotency_key="key", mode="test")
    assert len(stripe.requests) == asked


def test_an_answer_is_kept_for_two_days_whatever_is_asked(stripe: StripeDouble) -> None:
    stripe.checkout("user_1", "PRO_MONTHLY")

    assert pruning.checkout_answers(0, at=stripe.now + timedelta(days=1)) == 0


def test_it_goes_in_batches(stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    endpoints.create("test", "https://hooks.example.com/")
    for _ in range(5):
        outbox.publish(
            "test", [usage_events.usage_consumed("user_1", 1, mode="test", unit="credits", usage_remaining=0)]
        )
    Delivery.objects.update(status="sent", sent_at=stripe.now)

    assert pruning.sent_deliveries(1, at=stripe.now + timedelta(days=2)) == 5


def test_the_command_says_what_it_dropped(stripe: StripeDouble) -> None:
    told(stripe, status="sent", sent_at=stripe.now - timedelta(days=8))
    said = StringIO()

    call_command("licenzy_prune", "--deliveries", "7", stdout=said)

    assert "1 deliveries that were sent or given up" in said.getvalue()
    assert not Delivery.objects.exists()
    assert OutboundEvent.objects.exists()


def test_the_command_takes_whole_days_only() -> None:
    with pytest.raises(CommandError, match="whole number of days"):
        call_command("licenzy_prune", "--payloads", "-1")
