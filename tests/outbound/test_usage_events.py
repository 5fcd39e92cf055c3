"""Units that were used are told once; where nobody wants to hear of them, consuming costs what it always costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import usage
from licenzy_django.exceptions import InsufficientUsage
from licenzy_django.models import Delivery, OutboundEvent
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pack(stripe_double: StripeDouble) -> StripeDouble:
    """user_1 has 1,000 units."""
    stripe_double.sell("CREDITS", kind="usage_pack", amount=1000)
    stripe_double.buy("user_1", "CREDITS")
    return stripe_double


def used() -> list[tuple[int, int]]:
    """Units and what is left, of each event that told of use."""
    events = OutboundEvent.objects.filter(type="usage.consumed").order_by("pk")
    return [(event.payload["units"], event.payload["usage_remaining"]) for event in events]


def statements_of(units: int, key: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        usage.consume("user_1", units, idempotency_key=key)
    return len(queries)


def test_units_that_were_used_are_told_with_what_is_left(pack: StripeDouble) -> None:
    endpoints.create("test", "https://hooks.example.com/", ["usage.consumed"])

    usage.consume("user_1", 100, idempotency_key="a")
    usage.consume("user_1", 50, idempotency_key="b", product_code="CREDITS")

    assert used() == [(100, 900), (50, 850)]
    told = OutboundEvent.objects.latest("pk")
    expected: dict[str, Any] = {"subject_ref": "user_1", "mode": "test", "product_code": "CREDITS", "source": "runtime"}
    assert told.payload | expected == told.payload
    assert Delivery.objects.count() == 2


def test_a_retried_request_is_told_once_and_a_refused_one_not_at_all(pack: StripeDouble) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    for _ in range(3):
        usage.consume("user_1", 100, idempotency_key="a")
    with pytest.raises(InsufficientUsage):
        usage.consume("user_1", 5000, idempotency_key="b")

    assert used() == [(100, 900)]


def test_of_a_reservation_only_what_is_confirmed_is_told(pack: StripeDouble) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    first = usage.reserve("user_1", 100, idempotency_key="a")
    second = usage.reserve("user_1", 100, idempotency_key="b")
    assert used() == []

    for _ in range(2):
        usage.confirm(first.reservation_id, 70, mode="test")
    usage.release(second.reservation_id, mode="test")

    assert [units for units, _ in used()] == [70]


def test_where_nobody_wants_to_hear_of_it_using_costs_no_statement_more(pack: StripeDouble) -> None:
    usage.consume("user_1", 1, idempotency_key="warm")
    alone = statements_of(1, "a")
    endpoints.create("test", "https://hooks.example.com/", ["entitlement.updated"])
    if connection.vendor == "postgresql":
        assert statements_of(1, "b") == alone

    endpoints.create("live", "https://hooks.example.com/")
    assert statements_of(1, "c") <= alone + 1
    assert used() == []
