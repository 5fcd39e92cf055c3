"""A reservation that is never confirmed gives its units back by time alone."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import access, operators, usage
from licenzy_django.exceptions import (
    InsufficientUsage,
    ReservationClosed,
)
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Reservation
from tests.shelf import Shelf
from tests.usage.steps import columns, reserve

pytestmark = pytest.mark.usefixtures("balanced_books")


def test_a_reservation_that_is_never_confirmed_gives_its_units_back_by_time_alone(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    held = reserve(1000, ttl_seconds=60)
    assert access.check("user_1").reason == "usage_exhausted"

    shelf.double.advance(seconds=60)

    assert columns(pack) == (0, 1000, 0, 0)
    assert access.check("user_1")
    assert access.summary("user_1").usage_remaining == 1000
    assert access.entitlements_of("user_1")[0].usage_remaining == 1000
    assert usage.remaining("user_1") == 1000
    with pytest.raises(ReservationClosed):
        usage.confirm(held.reservation_id, 1)


def test_the_access_check_counts_lapsed_reservations_in_one_query(
    shelf: Shelf, django_assert_num_queries: object
) -> None:
    shelf.give(10)
    reserve(10, ttl_seconds=60)
    shelf.double.advance(seconds=61)

    with django_assert_num_queries(1):  # type: ignore[operator]
        assert access.check("user_1")


def test_lapsed_units_can_be_used_and_the_ledger_says_so(shelf: Shelf) -> None:
    pack = shelf.give(100)
    held = reserve(80, ttl_seconds=60)
    shelf.double.advance(seconds=60)

    used = usage.consume("user_1", 90, idempotency_key="k")

    assert used.usage_remaining == 10
    assert columns(pack) == (90, 0, 0, 10)
    assert [row.kind for row in LedgerEntry.objects.order_by("pk")] == ["grant", "reserve", "expire", "consume"]
    assert Reservation.objects.get(public_id=held.reservation_id).status == "expired"


def test_lapsed_units_of_the_pack_that_expires_first_are_used_first(shelf: Shelf) -> None:
    """Although there is enough elsewhere: the order of use must not depend on whether the lapse was written down."""
    soon = shelf.give(10, until=shelf.double.now + timedelta(days=1))
    late = shelf.give(10)
    reserve(10, ttl_seconds=60)
    assert columns(soon) == (0, 10, 0, 0)
    shelf.double.advance(seconds=60)

    usage.consume("user_1", 5, idempotency_key="k")

    assert (columns(soon), columns(late)) == ((5, 0, 0, 5), (0, 0, 0, 10))


def test_a_lapsed_reservation_does_not_free_an_open_one(shelf: Shelf) -> None:
    shelf.give(100)
    reserve(30, ttl_seconds=60)
    reserve(30, ttl_seconds=600)
    shelf.double.advance(seconds=60)

    assert usage.remaining("user_1") == 70
    assert access.entitlements_of("user_1")[0].usage_remaining == 70
    assert usage.consume("user_1", 70, idempotency_key="k").usage_remaining == 0
    with pytest.raises(InsufficientUsage):
        usage.consume("user_1", 1, idempotency_key="k2")


def test_the_end_of_the_earliest_reservation_leaves_the_time_of_the_next(shelf: Shelf) -> None:
    pack = shelf.give(100)
    first, second, third = (reserve(10, ttl_seconds=seconds) for seconds in (60, 300, 600))

    for ended, next_end in ((first, second.expires_at), (second, third.expires_at), (third, None)):
        usage.release(ended.reservation_id)
        assert Entitlement.objects.get(pk=pack.pk).reserved_until == next_end


def test_units_can_be_confirmed_although_their_pack_has_expired_meanwhile(shelf: Shelf) -> None:
    """They were set aside in time."""
    pack = shelf.give(100, until=shelf.double.now + timedelta(seconds=30))
    held = reserve(50)
    shelf.double.advance(seconds=60)

    used = usage.confirm(held.reservation_id, 20)

    assert (used.consumed, used.usage_remaining) == (20, 0)
    assert columns(pack) == (20, 0, 0, 80)


def test_reclaiming_takes_as_many_statements_for_many_reservations_as_for_one(shelf: Shelf) -> None:
    counts = []
    for number in (1, 40):
        pack, other = shelf.give(number * 3), shelf.give(number * 3)
        for _ in range(number):
            reserve(4, ttl_seconds=60)
        shelf.double.advance(seconds=60)
        with CaptureQueriesContext(connection) as queries:
            assert usage.consume("user_1", 6 * number, idempotency_key=f"k{number}").usage_remaining == 0
        counts.append(len(queries))
        assert (columns(pack), columns(other)) == ((3 * number, 0, 0, 0), (3 * number, 0, 0, 0))

    assert counts[0] == counts[1]
    assert LedgerEntry.objects.filter(kind="expire", reservation__status="expired").count() >= 41


def test_what_expires_of_a_pack_that_was_revoked_is_void(shelf: Shelf) -> None:
    pack, other = shelf.give(10), shelf.give(10)
    for _ in range(3):
        reserve(3, ttl_seconds=60)
    operators.revoke(pack, actor=None, reason="r")
    shelf.double.advance(seconds=60)

    with pytest.raises(InsufficientUsage):
        usage.consume("user_1", 11, idempotency_key="k")

    assert columns(pack) == (0, 0, 10, 0)
    assert columns(other) == (0, 0, 0, 10)


@pytest.mark.slow
def test_a_consume_after_25_000_reservations_have_expired_is_answered_soon(shelf: Shelf) -> None:
    pack = shelf.give(25_000)
    subject, mode, at = pack.subject, pack.mode, shelf.double.now
    held = Reservation.objects.bulk_create(
        Reservation(mode=mode, subject=subject, units=1, expires_at=at + timedelta(seconds=1)) for _ in range(25_000)
    )
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            mode=mode,
            subject=subject,
            pack=pack.pack,
            kind="reserve",
            units=1,
            balance_after=24_999 - number,
            reservation=reservation,
        )
        for number, reservation in enumerate(held)
    )
    Pack.objects.filter(entitlement=pack).update(
        units_reserved=25_000, units_remaining=0, reserved_until=at + timedelta(seconds=1)
    )
    shelf.double.advance(seconds=2)

    began = time.monotonic()
    used = usage.consume("user_1", 1, idempotency_key="k")

    assert used.usage_remaining == 24_999
    assert time.monotonic() - began < 5
