"""What takes a place is added under a lock, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import OperationalError, connection, connections
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from licenzy_django import access, clock, limits
from licenzy_django.exceptions import EntitlementRequired, InvalidRequest, LimitReached
from licenzy_django.limits import locking
from licenzy_django.models import Entitlement, Subject
from tests.limits.plans import plan

pytestmark = pytest.mark.django_db(transaction=True)
ORG = "org:acme"


def projects() -> int:
    """A host's table: each row is one in use."""
    return Group.objects.count()


def add(name: str) -> None:
    with limits.slot(ORG, "projects", in_use=projects):
        Group.objects.create(name=name)


def test_it_lets_in_as_many_as_the_limit_says() -> None:
    plan(projects=2)
    add("one")
    add("two")

    with pytest.raises(LimitReached) as reached:
        add("three")

    assert (reached.value.limit, reached.value.in_use, projects()) == (2, 2, 2)
    assert isinstance(reached.value, PermissionDenied)


def test_it_tells_what_it_counted() -> None:
    plan(projects=2)
    add("one")

    with limits.slot(ORG, "projects", in_use=projects) as slot:
        assert (slot.limit.value, slot.in_use) == (2, 1)


@pytest.mark.parametrize(("required", "is_room"), [(1, True), (3, True), (4, False)])
def test_several_at_once_are_all_or_nothing(required: int, is_room: bool) -> None:
    plan(projects=3)
    entered = False
    try:
        with limits.slot(ORG, "projects", in_use=projects, required=required):
            entered = True
    except LimitReached:
        pass
    assert entered == is_room


def test_what_the_request_remembers_does_not_let_one_in(request_of: Any, ada: User) -> None:
    entitlement, request = plan(f"user_{ada.pk}", projects=1), request_of(ada)
    assert access.limit(request, "projects").value == 1
    Entitlement.objects.filter(pk=entitlement.pk).update(revoked_at=clock.now())
    assert access.limit(request, "projects").value == 1

    with pytest.raises(LimitReached), limits.slot(request, "projects", in_use=projects):
        pass


def test_unlimited_lets_everybody_in() -> None:
    plan(projects=None)
    with limits.slot(ORG, "projects", in_use=lambda: 1_000_000):
        pass


def test_a_subject_that_bought_nothing_gets_none_and_leaves_no_row() -> None:
    with pytest.raises(LimitReached):
        add("one")
    assert not Subject.objects.exists()


def test_a_subject_without_a_row_is_locked_by_making_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licenzy_django.access.limit", lambda *given, **named: Endless())
    with limits.slot("org:new", "projects", in_use=projects):
        pass
    assert Subject.objects.get().subject_ref == "org:new"


class Endless:
    value = None

    def allows(self, in_use: int, required: int = 1) -> bool:
        return True


def test_an_error_in_the_block_undoes_all_of_it_and_frees_the_slot() -> None:
    plan(projects=1)

    def add_and_fail() -> None:
        with limits.slot(ORG, "projects", in_use=projects):
            Group.objects.create(name="lost")
            raise KeyError("a mistake of the host")

    with pytest.raises(KeyError):
        add_and_fail()
    assert projects() == 0
    assert not connection.in_atomic_block
    add("one")


def test_nothing_is_locked_after_a_refusal() -> None:
    plan(projects=0)
    with pytest.raises(LimitReached):
        add("one")
    assert not connection.in_atomic_block


def test_nobody_gets_no_slot() -> None:
    with pytest.raises(EntitlementRequired):
        limits.slot(AnonymousUser(), "projects", in_use=projects)


@pytest.mark.parametrize("counted", [1.5, True, "3", None, -1])
def test_what_is_no_count_is_refused(counted: Any) -> None:
    plan(projects=9)
    with pytest.raises(InvalidRequest), limits.slot(ORG, "projects", in_use=lambda: counted):
        pass


def test_the_other_mode_has_limits_of_its_own() -> None:
    plan(projects=9)
    with pytest.raises(LimitReached), limits.slot(ORG, "projects", in_use=projects, mode="live"):
        pass


@pytest.fixture
def other_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    connections.settings["other"] = {**connections.settings["default"], "NAME": ":memory:"}
    connections.settings["other"] |= {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    other = connections["other"]
    other.connection = other.get_new_connection(other.get_connection_params())
    # pytest-django lets tests connect only to the databases that there were before.
    monkeypatch.setattr(other, "ensure_connection", lambda: None)
    yield "other"
    other.connection.close()
    del connections.settings["other"]
    del connections["other"]


def test_a_count_in_another_database_is_refused_in_a_sentence(other_database: str) -> None:
    plan(projects=9)

    slot = limits.slot(ORG, "projects", in_use=Group.objects.using(other_database).count)

    with pytest.raises(ImproperlyConfigured, match="counted in 'other'"):
        slot.__enter__()
    assert not connection.in_atomic_block


class Lost(Exception):
    sqlstate = "40001"


def failing(times: int, cause: Exception) -> Any:
    """The lock, which fails so many times before it works."""
    left, lock = [times], locking.lock

    def fail(*given: Any) -> int:
        if left[0]:
            left[0] -= 1
            raise OperationalError("could not serialize access") from cause
        return lock(*given)

    return fail


def test_a_lost_race_is_run_again_before_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(projects=1)
    monkeypatch.setattr("licenzy_django.limits.slots.lock", failing(locking.TRIES - 1, Lost()))
    add("one")
    assert projects() == 1


@pytest.mark.parametrize(("times", "cause"), [(locking.TRIES, Lost()), (1, Exception("no connection"))])
def test_what_goes_on_failing_or_is_no_race_is_told(
    monkeypatch: pytest.MonkeyPatch, times: int, cause: Exception
) -> None:
    plan(projects=1)
    monkeypatch.setattr("licenzy_django.limits.slots.lock", failing(times, cause))
    with pytest.raises(OperationalError):
        add("one")
    assert not connection.in_atomic_block


def test_a_block_that_ran_is_never_run_again() -> None:
    plan(projects=9)
    runs = []

    def lose() -> None:
        with limits.slot(ORG, "projects", in_use=projects):
            runs.append(1)
            raise OperationalError from Lost()

    with pytest.raises(OperationalError):
        lose()
    assert runs == [1]


def test_it_is_async_too() -> None:
    plan(projects=1)

    async def add_async(name: str) -> None:
        async with limits.slot(ORG, "projects", in_use=Group.objects.acount):
            await Group.objects.acreate(name=name)

    async_to_sync(add_async)("one")
    with pytest.raises(LimitReached):
        async_to_sync(add_async)("two")
    assert projects() == 1


def test_a_task_that_is_cancelled_while_it_waits_leaves_no_lock() -> None:
    plan(projects=9)

    async def cancelled_at_the_count() -> bool:
        task: asyncio.Task[None]
        loop = asyncio.get_running_loop()

        def count() -> int:
            loop.call_soon_threadsafe(task.cancel)
            return 0

        async def work() -> None:
            async with limits.slot(ORG, "projects", in_use=count):
                await asyncio.sleep(10)

        task = asyncio.create_task(work())
        with pytest.raises(asyncio.CancelledError):
            await task
        return await sync_to_async(lambda: connection.in_atomic_block)()

    assert async_to_sync(cancelled_at_the_count)() is False


def test_drf_answers_403_with_limit_and_in_use() -> None:
    class Projects(APIView):
        authentication_classes = ()
        permission_classes = ()

        def post(self, request: Any) -> None:
            add("one")

    answer = Projects.as_view()(APIRequestFactory().post("/projects/"))

    assert answer.status_code == 403
    assert {name: str(answer.data[name]) for name in ("error", "limit", "in_use")} == {
        "error": "limit_reached",
        "limit": "0",
        "in_use": "0",
    }
