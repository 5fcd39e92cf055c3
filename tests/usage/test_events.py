"""Other systems hear that units were used: in the transaction that uses them, once, and only if they listen."""

from __future__ import annotations

import pytest
from django.db import transaction

from licenzy_django import usage
from licenzy_django.exceptions import InsufficientUsage
from licenzy_django.models import OutboundEndpoint, OutboundEvent
from tests.shelf import Shelf


def listen(*events: str, mode: str = "test") -> None:
    OutboundEndpoint.objects.create(mode=mode, url="https://example.com/hook", events=list(events), secret="whsec_x")


def told() -> list[tuple[str, int, int]]:
    events = OutboundEvent.objects.filter(type="usage.consumed").order_by("pk")
    return [(one.subject_ref, one.payload["units"], one.payload["usage_remaining"]) for one in events]


def test_a_consume_is_told_once(shelf: Shelf) -> None:
    shelf.give(100)
    listen()

    for _ in range(2):
        usage.consume("user_1", 30, idempotency_key="k")
    with pytest.raises(InsufficientUsage):
        usage.consume("user_1", 71, idempotency_key="k2")

    assert told() == [("user_1", 30, 70)]


def test_only_those_who_want_to_hear_of_it_in_this_mode_are_told(shelf: Shelf) -> None:
    shelf.give(100)
    listen("entitlement.updated")
    listen("usage.consumed", mode="live")

    usage.consume("user_1", 30, idempotency_key="k")

    assert told() == []


def test_of_a_reservation_what_was_confirmed_is_told(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.consumed")

    held = usage.reserve("user_1", 50, idempotency_key="k")
    released = usage.reserve("user_1", 10, idempotency_key="k2")
    assert told() == []
    for _ in range(2):
        usage.confirm(held.reservation_id, 20)
    usage.release(released.reservation_id)

    assert told() == [("user_1", 20, 70)]


def test_what_a_host_takes_back_is_not_told(shelf: Shelf) -> None:
    shelf.give(100)
    listen()

    with transaction.atomic():
        usage.consume("user_1", 30, idempotency_key="k")
        transaction.set_rollback(True)

    assert told() == []


def test_it_is_told_which_unit_was_used(shelf: Shelf) -> None:
    shelf.give(100)
    shelf.give(20, code="SMS_20", unit="sms")
    listen()

    usage.consume("user_1", 30, unit="credits", idempotency_key="k")
    usage.consume("user_1", 5, product_code="SMS_20", idempotency_key="k2")
    usage.confirm(usage.reserve("user_1", 10, unit="sms", idempotency_key="k").reservation_id, 4)

    events = OutboundEvent.objects.filter(type="usage.consumed").order_by("pk")
    assert [(one.payload["unit"], one.payload["usage_remaining"]) for one in events] == [
        ("credits", 70),
        ("sms", 15),
        ("sms", 11),
    ]
