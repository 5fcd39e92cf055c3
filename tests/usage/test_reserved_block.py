"""Reservations as a block of Python."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from licenzy_django import usage
from licenzy_django.exceptions import IdempotencyKeyInUse, InvalidRequest, ReservationClosed
from tests.shelf import Shelf
from tests.usage.steps import columns, reserve

pytestmark = pytest.mark.usefixtures("balanced_books")


def test_a_block_confirms_what_it_used(shelf: Shelf) -> None:
    pack = shelf.give(100)

    with reserve(60) as reserved:
        reserved.use(10)
        reserved.use(15)

    assert columns(pack) == (25, 0, 0, 75)


def test_a_block_that_fails_uses_nothing(shelf: Shelf) -> None:
    pack = shelf.give(100)

    def work() -> None:
        with reserve(60) as reserved:
            reserved.use(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

    assert columns(pack) == (0, 0, 0, 100)


def test_a_block_that_fails_late_raises_its_own_error(shelf: Shelf) -> None:
    shelf.give(100)

    def work() -> None:
        with reserve(60, ttl_seconds=60):
            shelf.double.advance(seconds=61)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_a_block_that_takes_too_long_hears_of_it(shelf: Shelf) -> None:
    shelf.give(100)

    def work() -> None:
        with reserve(60, ttl_seconds=60) as reserved:
            reserved.use(60)
            shelf.double.advance(seconds=61)

    with pytest.raises(ReservationClosed):
        work()


def test_a_block_cannot_use_more_than_it_reserved(shelf: Shelf) -> None:
    shelf.give(100)

    with pytest.raises(InvalidRequest), reserve(60) as reserved:
        reserved.use(61)


def test_a_block_runs_once_for_a_key(shelf: Shelf) -> None:
    shelf.give(100)
    worked = []

    def work() -> None:
        with reserve(60, idempotency_key="k") as reserved:
            worked.append(1)
            reserved.use(10)

    work()
    with pytest.raises(ReservationClosed):
        work()

    assert len(worked) == 1
    assert usage.remaining("user_1") == 90


def test_a_block_that_is_entered_again_while_it_runs_is_refused(shelf: Shelf) -> None:
    pack = shelf.give(100)

    with reserve(60, idempotency_key="k") as reserved:
        with pytest.raises(IdempotencyKeyInUse), reserve(60, idempotency_key="k"):
            pytest.fail("The work was started twice.")
        with pytest.raises(IdempotencyKeyInUse), reserved:
            pytest.fail("The work was started twice.")
        reserved.use(10)

    assert columns(pack) == (10, 0, 0, 90)


def test_an_async_block_is_refused_alike(shelf: Shelf) -> None:
    shelf.give(100)
    reserve(60, idempotency_key="k")

    async def work() -> None:
        async with await usage.areserve("user_1", 60, idempotency_key="k"):
            pytest.fail("The work was started twice.")

    with pytest.raises(IdempotencyKeyInUse):
        async_to_sync(work)()


def test_an_async_block_does_the_same(shelf: Shelf) -> None:
    pack = shelf.give(100)

    async def work() -> None:
        async with await usage.areserve("user_1", 60, idempotency_key="k") as reserved:
            reserved.use(10)

    async_to_sync(work)()

    assert columns(pack) == (10, 0, 0, 90)
