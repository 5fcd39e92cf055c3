"""What was begun and not finished."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import clock
from licenzy_django.models import CheckoutAttempt, OutboundEndpoint, StripeEvent, Subject
from licenzy_django.models.outbound import Delivery, OutboundEvent
from licenzy_django.testing import StripeDouble
from tests.doctor.conftest import Doctor


def event(**given: Any) -> StripeEvent:
    return StripeEvent.objects.create(
        mode="test", event_id="evt_1", type="invoice.paid", occurred_at=clock.now(), **given
    )


def test_a_failed_event(ready: StripeDouble, doctor: Doctor) -> None:
    event(status="failed", error="KeyError: 'lines'")
    status, said = doctor("--only", "work")
    assert status == 1
    assert "1 of Stripe's events are not processed, the oldest is invoice.paid evt_1: KeyError: 'lines'" in said
    assert "licenzy_replay --failed" in said


def test_an_event_that_a_crash_cut_off(ready: StripeDouble, doctor: Doctor) -> None:
    kept = event(status="received", received_at=clock.now())
    assert doctor("--only", "work")[0] == 0, "it is being worked on"
    StripeEvent.objects.filter(pk=kept.pk).update(received_at=clock.now() - timedelta(minutes=2))
    status, said = doctor("--only", "work")
    assert (status, "cut off" in said) == (1, True)


def test_an_attempt_without_an_answer_is_a_note(ready: StripeDouble, doctor: Doctor) -> None:
    ready.checkout("user_1", "PRO_MONTHLY")
    CheckoutAttempt.objects.update(stripe_session_id="", created_at=clock.now() - timedelta(minutes=2))
    status, said = doctor("--only", "work")
    assert (status, "note   1 checkout attempts got no answer" in said) == (0, True)


@pytest.fixture
def endpoint(ready: StripeDouble) -> OutboundEndpoint:
    return OutboundEndpoint.objects.create(
        mode="test", url="https://crm.example.com/hook?token=secret", secret="whsec_1"
    )


def test_an_outbound_endpoint_that_fails(endpoint: OutboundEndpoint, doctor: Doctor) -> None:
    OutboundEndpoint.objects.update(first_failed_at=clock.now())
    status, said = doctor("--only", "work")
    assert (status, "https://crm.example.com/hook (test) is failing" in said, "token" in said) == (1, True, False)


def test_an_outbound_endpoint_that_was_switched_off(endpoint: OutboundEndpoint, doctor: Doctor) -> None:
    OutboundEndpoint.objects.update(is_active=False, disabled_reason="410 Gone")
    status, said = doctor("--only", "work")
    assert (status, "was switched off: 410 Gone" in said) == (1, True)


def test_deliveries_that_nobody_sends(endpoint: OutboundEndpoint, doctor: Doctor) -> None:
    told = OutboundEvent.objects.create(mode="test", type="usage.consumed", subject_ref="user_1", payload={})
    Delivery.objects.create(mode="test", event=told, endpoint=endpoint, next_try_at=clock.now() - timedelta(minutes=6))
    status, said = doctor("--only", "work")
    assert (status, "1 outbound deliveries are late" in said, "licenzy_deliver --forever" in said) == (1, True, True)
    Delivery.objects.update(status="dead")
    status, said = doctor("--only", "work")
    assert (status, "note   1 outbound deliveries were given up" in said) == (0, True)


def test_an_open_attempt_is_nothing_to_mend(ready: StripeDouble, doctor: Doctor) -> None:
    assert Subject.objects.count() == 0
    ready.checkout("user_1", "PRO_MONTHLY")
    assert doctor("--only", "work") == (0, "Nothing is wrong.\n")
