from __future__ import annotations

from datetime import timedelta

import pytest

from licenzy_django import access, operators, usage
from licenzy_django.exceptions import (
    IdempotencyKeyReused,
    InsufficientUsage,
    InvalidRequest,
    ReservationClosed,
    ReservationNotFound,
)
from tests.shelf import Shelf
from tests.usage.steps import columns, reserve

pytestmark = pytest.mark.usefixtures("balanced_books")


def test_reserved_units_are_available_to_nobody_else(shelf: Shelf) -> None:
    pack = shelf.give(1000)

    held = reserve(900)

    assert (held.reserved, held.usage_remaining) == (900, 100)
    assert held.expires_at == shelf.double.now + timedelta(seconds=900)
    assert columns(pack) == (0, 900, 0, 100)
    with pytest.raises(InsufficientUsage) as refusal:
        usage.consume("user_1", 101, idempotency_key="k")
    assert refusal.value.usage_remaining == 100


def test_a_confirm_uses_what_was_needed_and_the_rest_goes_back(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    held = reserve(100)

    used = usage.confirm(held.reservation_id, 70)

    assert (used.consumed, used.usage_remaining) == (70, 930)
    assert columns(pack) == (70, 0, 0, 930)


def test_a_release_gives_all_of_it_back(shelf: Shelf) -> None:
    pack = shelf.give(1000)

    released = usage.release(reserve(100).reservation_id)

    assert released.usage_remaining == 1000
    assert columns(pack) == (0, 0, 0, 1000)


def test_confirming_nothing_is_a_confirm(shelf: Shelf) -> None:
    shelf.give(10)
    held = reserve(10)

    assert usage.confirm(held.reservation_id, 0).usage_remaining == 10
    with pytest.raises(ReservationClosed):
        usage.release(held.reservation_id)


def test_the_same_confirm_or_release_again_gives_the_same_answer(shelf: Shelf) -> None:
    shelf.give(1000)
    one, other = reserve(100), reserve(100)
    confirmed, released = usage.confirm(one.reservation_id, 70), usage.release(other.reservation_id)
    usage.consume("user_1", 500, idempotency_key="k")
    shelf.double.advance(days=2)

    again = usage.confirm(one.reservation_id, 70)
    assert (again.usage_remaining, again.replayed) == (confirmed.usage_remaining, True)
    again = usage.release(other.reservation_id)
    assert (again.usage_remaining, again.replayed) == (released.usage_remaining, True)


def test_a_different_end_of_a_closed_reservation_is_refused(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    confirmed, released = reserve(100), reserve(100)
    usage.confirm(confirmed.reservation_id, 70)
    usage.release(released.reservation_id)

    for end in (
        lambda: usage.confirm(confirmed.reservation_id, 71),
        lambda: usage.release(confirmed.reservation_id),
        lambda: usage.confirm(released.reservation_id, 0),
    ):
        with pytest.raises(ReservationClosed):
            end()
    assert columns(pack) == (70, 0, 0, 930)


def test_more_than_was_reserved_cannot_be_confirmed(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    held = reserve(100)

    with pytest.raises(InvalidRequest):
        usage.confirm(held.reservation_id, 101)

    assert columns(pack) == (0, 100, 0, 900)


@pytest.mark.parametrize("units", [-1, 1.5, "5", True, None])
def test_units_of_a_confirm_that_are_none_are_refused(shelf: Shelf, units: object) -> None:
    shelf.give(10)
    held = reserve(5)

    with pytest.raises(InvalidRequest):
        usage.confirm(held.reservation_id, units)  # type: ignore[arg-type]


@pytest.mark.parametrize("ttl_seconds", [0, 86_401, 1.5, "900", True])
def test_a_time_that_is_none_is_refused(shelf: Shelf, ttl_seconds: object) -> None:
    shelf.give(10)

    with pytest.raises(InvalidRequest):
        reserve(5, ttl_seconds=ttl_seconds)


def test_a_reservation_is_known_in_its_own_mode_only(shelf: Shelf) -> None:
    shelf.give(10)
    held = reserve(5)

    for mode, reservation_id in (("live", held.reservation_id), ("test", "res_unknown")):
        with pytest.raises(ReservationNotFound):
            usage.release(reservation_id, mode=mode)


def test_a_retried_reserve_sets_aside_once(shelf: Shelf) -> None:
    pack = shelf.give(100)
    first = reserve(60, idempotency_key="k")
    usage.consume("user_1", 10, idempotency_key="k")

    again = reserve(60, idempotency_key="k")

    assert again.replayed
    assert (again.reservation_id, again.usage_remaining) == (first.reservation_id, 40)
    assert again.expires_at == first.expires_at
    assert columns(pack) == (10, 60, 0, 30)


@pytest.mark.parametrize("end", ["confirm", "release", "expiry"])
def test_a_retried_reserve_is_refused_once_its_reservation_is_closed(shelf: Shelf, end: str) -> None:
    """Whoever retries would do the work again, and nothing would be left to charge it to."""
    shelf.give(100)
    first = reserve(60, idempotency_key="k")
    if end == "confirm":
        usage.confirm(first.reservation_id, 10)
    elif end == "release":
        usage.release(first.reservation_id)
    else:
        shelf.double.advance(seconds=900)
    left = usage.remaining("user_1")

    with pytest.raises(ReservationClosed):
        reserve(60, idempotency_key="k")

    assert usage.remaining("user_1") == left


def test_a_reserve_with_another_time_is_another_request(shelf: Shelf) -> None:
    shelf.give(100)
    reserve(60, idempotency_key="k")

    with pytest.raises(IdempotencyKeyReused):
        reserve(60, idempotency_key="k", ttl_seconds=60)


def test_a_release_to_a_pack_that_was_revoked_is_void_and_comes_back_with_it(shelf: Shelf) -> None:
    pack = shelf.give(100)
    held = reserve(60)
    operators.revoke(pack, actor=None, reason="fraud")
    assert columns(pack) == (0, 60, 40, 0)

    usage.confirm(held.reservation_id, 25)
    assert columns(pack) == (25, 0, 75, 0)
    assert not access.check("user_1")

    operators.restore(pack, actor=None, reason="a mistake")
    assert columns(pack) == (25, 0, 0, 75)


def test_a_reservation_of_a_revoked_pack_that_lapses_is_void_too(shelf: Shelf) -> None:
    pack = shelf.give(100)
    reserve(60, ttl_seconds=60)
    operators.revoke(pack, actor=None, reason="fraud")
    shelf.give(5)
    shelf.double.advance(seconds=60)

    assert usage.remaining("user_1") == 5
    with pytest.raises(InsufficientUsage):
        usage.consume("user_1", 6, idempotency_key="k")
    assert columns(pack) == (0, 0, 100, 0)


def test_a_reservation_over_several_packs_ends_in_drain_order(shelf: Shelf) -> None:
    soon = shelf.give(10, until=shelf.double.now + timedelta(days=1))
    late = shelf.give(10)
    held = reserve(15)

    usage.confirm(held.reservation_id, 12)

    assert (columns(soon), columns(late)) == ((10, 0, 0, 0), (2, 0, 0, 8))
