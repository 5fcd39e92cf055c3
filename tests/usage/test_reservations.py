from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command

from licenzy_django import access, operators, usage
from licenzy_django.exceptions import (
    IdempotencyKeyReused,
    InsufficientUsage,
    InvalidRequest,
    ReservationClosed,
    ReservationNotFound,
)
from licenzy_django.models import Entitlement, LedgerEntry, Reservation
from tests.usage.conftest import Shelf


def reserve(units: int, subject: str = "user_1", **given: object) -> usage.Reserved:
    return usage.reserve(subject, units, **({"idempotency_key": uuid4().hex} | given))  # type: ignore[arg-type]


def columns(pack: Entitlement) -> tuple[int, int, int, int]:
    """Consumed, reserved, voided, remaining."""
    row = Entitlement.objects.get(pk=pack.pk)
    return row.units_consumed, row.units_reserved, row.units_voided, row.units_remaining


@pytest.fixture(autouse=True)
def _the_books_are_balanced_afterwards(db: None) -> object:
    yield
    call_command("licenzy_doctor", only=["books"])


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


# --- by time alone ----------------------------------------------------------------------------------------------------


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
    first, second = reserve(10, ttl_seconds=60), reserve(10, ttl_seconds=600)

    usage.release(first.reservation_id)
    assert Entitlement.objects.get(pk=pack.pk).reserved_until == second.expires_at

    usage.confirm(second.reservation_id, 10)
    assert Entitlement.objects.get(pk=pack.pk).reserved_until is None


def test_units_can_be_confirmed_although_their_pack_has_expired_meanwhile(shelf: Shelf) -> None:
    """They were set aside in time."""
    pack = shelf.give(100, until=shelf.double.now + timedelta(seconds=30))
    held = reserve(50)
    shelf.double.advance(seconds=60)

    used = usage.confirm(held.reservation_id, 20)

    assert (used.consumed, used.usage_remaining) == (20, 0)
    assert columns(pack) == (20, 0, 0, 80)


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_retried_reserve_sets_aside_once(shelf: Shelf) -> None:
    pack = shelf.give(100)
    first = reserve(60, idempotency_key="k")
    usage.confirm(first.reservation_id, 10)

    again = reserve(60, idempotency_key="k")

    assert again.replayed
    assert (again.reservation_id, again.usage_remaining) == (first.reservation_id, 40)
    assert again.expires_at == first.expires_at
    assert columns(pack) == (10, 0, 0, 90)


def test_a_reserve_with_another_time_is_another_request(shelf: Shelf) -> None:
    shelf.give(100)
    reserve(60, idempotency_key="k")

    with pytest.raises(IdempotencyKeyReused):
        reserve(60, idempotency_key="k", ttl_seconds=60)


# --- packs that are taken away meanwhile ------------------------------------------------------------------------------


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


# --- in Python --------------------------------------------------------------------------------------------------------


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


def test_an_async_block_does_the_same(shelf: Shelf) -> None:
    pack = shelf.give(100)

    async def work() -> None:
        async with await usage.areserve("user_1", 60, idempotency_key="k") as reserved:
            reserved.use(10)

    async_to_sync(work)()

    assert columns(pack) == (10, 0, 0, 90)
