"""What an event tells of units: of a pack, and of what a subscription includes. Where there are none it is free."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import operators
from licenzy_django.models import Entitlement, OutboundEvent
from licenzy_django.models.audit import AuditContext
from licenzy_django.outbound import endpoints, events, outbox
from licenzy_django.outbound.outbox import WholeSubscription
from tests.shelf import Shelf

pytestmark = pytest.mark.django_db


def revoked(row: Entitlement) -> None:
    operators.revoke(row, actor=None, reason="a test")


def told() -> dict[str, Any]:
    return dict(events.body_of(OutboundEvent.objects.latest("pk"))["data"])


def reads_of_windows(row: Entitlement) -> int:
    with CaptureQueriesContext(connection) as queries:
        revoked(row)
    return sum('"allowance_of_id" IS NOT NULL' in query["sql"] for query in queries)


def test_a_subscription_tells_of_its_allowance(shelf: Shelf) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    plan = shelf.plan()
    window = shelf.window(plan, 1000, used=100)

    revoked(plan)

    said = {"unit": "credits", "units": None, "usage_granted": 1000, "usage_remaining": 900, "threshold": None}
    assert told() | said | {"usage_resets_at": events.in_utc(window.ends_at)} == told()


def test_a_pack_tells_of_its_units(shelf: Shelf) -> None:
    endpoints.create("test", "https://hooks.example.com/")

    shelf.give(500)

    said = {"unit": "credits", "units": 500, "usage_granted": 500, "usage_remaining": 500, "usage_resets_at": None}
    assert told() | said == told()


def test_where_no_allowance_exists_it_is_null(shelf: Shelf) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    plan = shelf.plan()

    revoked(plan)

    assert [told()[name] for name in ("unit", "usage_granted", "usage_remaining", "usage_resets_at")] == [None] * 4


def test_windows_are_read_only_where_somebody_listens_and_some_can_be(shelf: Shelf) -> None:
    plan, more = shelf.plan(), shelf.plan("MORE")
    assert reads_of_windows(plan) == 0

    endpoints.create("test", "https://hooks.example.com/")
    assert reads_of_windows(more) == 1
    assert reads_of_windows(shelf.give(500)) == 0


def test_an_event_of_the_whole_subscription_tells_of_its_allowance_by_one_query(shelf: Shelf) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    plan = shelf.plan()
    shelf.window(plan, 1000, used=100)
    whole = WholeSubscription(plan.subject, [plan], is_end=False, invoice=None)

    with CaptureQueriesContext(connection) as queries:
        outbox.publish_entitlements([plan], audit=AuditContext(reason="renewed"), whole=whole)

    assert sum('"allowance_of_id" IS NOT NULL' in query["sql"] for query in queries) == 1
    assert {event.type for event in OutboundEvent.objects.all()} == {"entitlement.updated", "subscription.updated"}
    assert {event.payload["usage_remaining"] for event in OutboundEvent.objects.all()} == {900}
