"""Seats held by people: as many as the limit, each once, and nobody loses one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import OperationalError

from licenzy_django import seats
from licenzy_django.exceptions import InvalidRequest, LimitReached
from licenzy_django.limits import locking
from licenzy_django.models import Entitlement, Product, Seat
from tests.limits.plans import plan

pytestmark = pytest.mark.django_db
ORG = "org:acme/eu"
NOON = datetime(2036, 11, 27, 12, tzinfo=UTC)


def held() -> list[tuple[str, bool]]:
    return [(member.member_ref, member.available) for member in seats.members(ORG)]


def test_a_member_gets_a_seat() -> None:
    plan(ORG, seats=2)

    member = seats.assign(ORG, "user_7", at=NOON)

    assert member == seats.Member(ORG, "user_7", True, NOON)
    assert seats.members(ORG) == [member]


def test_the_same_again_is_the_same_even_when_all_are_taken() -> None:
    plan(ORG, seats=1)
    first = seats.assign(ORG, "user_7")

    assert seats.assign(ORG, "user_7") == first
    assert Seat.objects.count() == 1


def test_no_more_than_there_are_seats() -> None:
    plan(ORG, seats=1)
    seats.assign(ORG, "user_7")

    with pytest.raises(LimitReached) as reached:
        seats.assign(ORG, "user_8")

    assert (reached.value.status, reached.value.extra) == (409, {"limit": 1, "in_use": 1})
    assert held() == [("user_7", True)]


def test_a_seat_that_is_released_is_free() -> None:
    plan(ORG, seats=1)
    seats.assign(ORG, "user_7")

    assert seats.release(ORG, "user_7") == seats.Member(ORG, "user_7", False, None)
    seats.assign(ORG, "user_8")

    assert held() == [("user_8", True)]


def test_to_release_what_is_not_held_is_no_error() -> None:
    assert not seats.release("org:unknown", "user_7").available


def test_when_the_limit_shrinks_the_oldest_stay_and_nobody_is_removed() -> None:
    plan(ORG, seats=3)
    for number in (3, 1, 2):
        seats.assign(ORG, f"user_{number}")

    Product.objects.update(limits={"seats": 2})
    plan_shrinks_to(2)

    assert held() == [("user_3", True), ("user_1", True), ("user_2", False)]
    assert not seats.assign(ORG, "user_2").available
    with pytest.raises(LimitReached):
        seats.assign(ORG, "user_4")
    seats.release(ORG, "user_3")
    assert held() == [("user_1", True), ("user_2", True)]


def plan_shrinks_to(number: int) -> None:
    """What was sold is what the entitlement says."""
    Entitlement.objects.update(limits={"seats": number})


def test_who_gets_a_seat_again_is_the_last() -> None:
    plan(ORG, seats=2)
    seats.assign(ORG, "user_1")
    seats.assign(ORG, "user_2")
    seats.release(ORG, "user_1")
    seats.assign(ORG, "user_1")

    assert held() == [("user_2", True), ("user_1", True)]


def test_after_the_plan_has_ended_nobody_sits_and_all_are_listed() -> None:
    row = plan(ORG, seats=2)
    seats.assign(ORG, "user_1")
    row.available_until = NOON
    row.save()

    assert [member.available for member in seats.members(ORG, at=NOON)] == [False]


def test_pages_know_who_is_over() -> None:
    plan(ORG, seats=4)
    for number in range(4):
        seats.assign(ORG, f"user_{number}")
    plan_shrinks_to(3)
    Product.objects.update(limits={"seats": 3})

    first, second = (seats.members(ORG, limit=2, starting_after=after) for after in ("", "user_1"))

    assert [member.available for member in first + second] == [True, True, True, False]
    with pytest.raises(InvalidRequest):
        seats.members(ORG, starting_after="user_9")


def test_the_modes_do_not_mix() -> None:
    plan(ORG, seats=2)
    seats.assign(ORG, "user_7")

    assert seats.members(ORG, mode="live") == []
    with pytest.raises(LimitReached):
        seats.assign(ORG, "user_7", mode="live")
    seats.release(ORG, "user_7", mode="live")
    assert held() == [("user_7", True)]


@pytest.mark.parametrize("bad", ["", "a/b", "/", " a", "a\n", "a" * 256, None, "\ud800"])
def test_what_is_no_member_is_refused(bad: Any) -> None:
    plan(ORG, seats=2)
    for verb in (seats.assign, seats.release):
        with pytest.raises(InvalidRequest) as refused:
            verb(ORG, bad)
        assert list(refused.value.extra["fields"]) == ["member_ref"]


def test_a_user_is_a_member_too(ada: User) -> None:
    plan(ORG, seats=2)
    assert seats.assign(ORG, ada).member_ref == f"user_{ada.pk}"


class Lost(Exception):
    sqlstate = "40P01"


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(ORG, seats=1)
    lock, tries = locking.lock, []

    def lose_once(*given: str) -> int:
        tries.append(given)
        if len(tries) == 1:
            raise OperationalError("deadlock detected") from Lost()
        return lock(*given)

    monkeypatch.setattr("licenzy_django.seats.holders.lock", lose_once)

    assert seats.assign(ORG, "user_7").available
    assert len(tries) == 2


@pytest.mark.django_db(transaction=True)
def test_they_are_async_too() -> None:
    plan(ORG, seats=1)

    async def all_of_them() -> list[seats.Member]:
        await seats.aassign(ORG, "user_7")
        await seats.arelease(ORG, "user_7")
        await seats.aassign(ORG, "user_8")
        return await seats.amembers(ORG)

    assert [member.member_ref for member in async_to_sync(all_of_them)()] == ["user_8"]
