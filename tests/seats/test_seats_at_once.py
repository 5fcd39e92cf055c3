"""Many who want the last seat, each with a connection of its own."""

from __future__ import annotations

import threading

import pytest

from licenzy_django import seats
from licenzy_django.exceptions import LimitReached
from licenzy_django.models import Seat
from tests.limits.plans import plan
from tests.shelf import ON_POSTGRESQL
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
ORG = "org:acme"
CALLERS = 16 if ON_POSTGRESQL else 4
ROUNDS = [30, pytest.param(1000, marks=pytest.mark.slow)]
SOME_ROUNDS = [10, pytest.param(200, marks=pytest.mark.slow)]


def in_rounds(rounds: int, names: list[str]) -> list[int]:
    """How many got a seat in each round; one is free at the start of it."""
    barrier = threading.Barrier(CALLERS, timeout=60)

    def run(number: int) -> list[bool]:
        return [one_round(barrier, names[number]) for _ in range(rounds)]

    return [sum(each) for each in zip(*in_threads(CALLERS, run), strict=True)]


def one_round(barrier: threading.Barrier, name: str) -> bool:
    if barrier.wait() == 0:
        Seat.objects.all().delete()
        seats.assign(ORG, "there before")
    barrier.wait()
    try:
        got = seats.assign(ORG, name).available
    except LimitReached:
        got = False
    barrier.wait()
    return got


@pytest.mark.parametrize("rounds", ROUNDS)
def test_exactly_one_gets_the_last_seat(rounds: int) -> None:
    plan(ORG, seats=2)
    assert in_rounds(rounds, [f"user_{number}" for number in range(CALLERS)]) == [1] * rounds


@pytest.mark.parametrize("rounds", SOME_ROUNDS)
def test_the_same_member_by_all_at_once_gets_one_seat(rounds: int) -> None:
    plan(ORG, seats=2)
    assert in_rounds(rounds, ["user_7"] * CALLERS) == [CALLERS] * rounds
    assert Seat.objects.count() == 2
