"""Many at the last slot, each with a connection of its own: exactly one gets in."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, connections, transaction

from licenzy_django import limits
from licenzy_django.exceptions import LicenzyError, LimitReached
from tests.limits.plans import plan
from tests.shelf import ON_POSTGRESQL
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
ORG = "org:acme"
CALLERS = 16 if ON_POSTGRESQL else 4
ROUNDS = [30, pytest.param(1000, marks=pytest.mark.slow)]
SOME_ROUNDS = [10, pytest.param(200, marks=pytest.mark.slow)]


def rounds_at_the_last_slot(rounds: int, act: Any) -> list[list[bool]]:
    """Who got in, round by round; one place is free at the start of each."""
    barrier = threading.Barrier(CALLERS, timeout=60)

    def run(number: int) -> list[bool]:
        got = []
        for turn in range(rounds):
            if barrier.wait() == 0:
                Group.objects.all().delete()
                Group.objects.create(name="there before")
            barrier.wait()
            got.append(act(turn, number))
            barrier.wait()
        return got

    return [list(each) for each in zip(*in_threads(CALLERS, run), strict=True)]


def is_added(turn: int, number: int) -> bool:
    try:
        with limits.slot(ORG, "projects", in_use=Group.objects.count):
            Group.objects.create(name=f"{turn} {number}")
    except LimitReached:
        return False
    return True


@pytest.mark.parametrize("rounds", ROUNDS)
def test_exactly_one_gets_the_last_slot(rounds: int) -> None:
    plan(projects=2)

    got = rounds_at_the_last_slot(rounds, is_added)

    assert [sum(each) for each in got] == [1] * rounds
    assert Group.objects.count() == 2


@pytest.mark.parametrize("rounds", SOME_ROUNDS)
def test_a_crash_in_the_block_leaves_the_slot_to_another(rounds: int) -> None:
    plan(projects=2)
    crashed: set[int] = set()

    def act(turn: int, number: int) -> bool:
        try:
            with limits.slot(ORG, "projects", in_use=Group.objects.count):
                Group.objects.create(name=f"{turn} {number}")
                crash_first(turn, crashed)
        except (KeyError, LimitReached):
            return False
        return True

    got = rounds_at_the_last_slot(rounds, act)

    assert [sum(each) for each in got] == [1] * rounds
    assert len(crashed) == rounds


def crash_first(turn: int, crashed: set[int]) -> None:
    if turn not in crashed:
        crashed.add(turn)
        raise KeyError("the first one crashes")


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_a_subject_that_nobody_knew_is_locked_too(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = plan(projects=2).product.limits["projects"]
    monkeypatch.setattr(
        "licenzy_django.access.limit", lambda *given, **named: limits.slots.access.Limit("projects", limit)
    )

    def act(turn: int, number: int) -> bool:
        try:
            with limits.slot(f"org:{turn}", "projects", in_use=Group.objects.count):
                Group.objects.create(name=f"{turn} {number}")
        except LimitReached:
            return False
        return True

    assert [sum(each) for each in rounds_at_the_last_slot(rounds, act)] == [1] * rounds


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock for all")
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_at_a_higher_isolation_level_it_is_tried_again(level: str) -> None:
    plan(projects=2)

    def act(turn: int, number: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}")
        try:
            return is_added(turn, number)
        except OperationalError:
            # Whoever lost as often as it is tried, or at the commit, is told, and was not let in.
            return False

    got = rounds_at_the_last_slot(10, act)

    assert max(sum(each) for each in got) == 1
    assert Group.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock for all")
def test_another_subject_does_not_wait() -> None:
    plan(projects=9)
    plan("org:other", projects=9)
    answers: list[Any] = []

    def ask_for_the_other() -> None:
        try:
            with limits.slot("org:other", "projects", in_use=lambda: 0):
                answers.append("in")
        except LicenzyError as error:
            answers.append(error)
        finally:
            connections.close_all()

    with limits.slot(ORG, "projects", in_use=lambda: 0):
        thread = threading.Thread(target=ask_for_the_other)
        thread.start()
        thread.join(20)
    assert answers == ["in"]


def test_inside_a_transaction_of_the_caller_all_of_it_is_one() -> None:
    plan(projects=1)

    @transaction.atomic
    def add_and_fail() -> None:
        assert is_added(1, 1)
        raise KeyError("after the block")

    with pytest.raises(KeyError):
        add_and_fail()
    assert is_added(2, 1)
