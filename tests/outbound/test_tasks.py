"""Delivery on a host's task workers, where Django's task framework is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from licenzy_django import outbound
from licenzy_django.models import Delivery, OutboundEndpoint
from licenzy_django.outbound import deliveries, endpoints, outbox, tasks, usage_events
from tests.outbound.receiver import OK, Receiver, answer

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


def tell() -> None:
    outbox.publish("test", [usage_events.usage_consumed("user_1", 1, mode="test", unit="credits", usage_remaining=0)])


@pytest.mark.parametrize(
    ("setting", "works_elsewhere"),
    [
        ({}, False),
        ({"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}, False),
        ({"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}, False),
        ({"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}, False),
        ({"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, True),
        ({"other": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, False),
        ({"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["emails"]}}, False),
        ({"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}, True),
    ],
)
def test_only_a_backend_that_works_elsewhere_is_used(settings: Any, setting: Any, works_elsewhere: bool) -> None:
    """The others would send within the request."""
    settings.TASKS = setting

    assert outbound.has_task_workers() is works_elsewhere


def test_without_task_workers_nothing_is_sent_by_itself(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    tell()

    assert receiver.requests == []


def test_the_work_of_the_task_is_to_send_what_is_due(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    tell()
    tell()
    deliver = getattr(tasks.deliver_due, "func", tasks.deliver_due)

    assert deliver() == 2
    assert len(receiver.requests) == 2


def test_backend_and_queue_are_settings(settings: Any) -> None:
    settings.TASKS = {"slow": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["webhooks"]}}
    settings.LICENZY = settings.LICENZY | {"TASK_BACKEND": "slow", "TASK_QUEUE": "webhooks"}

    assert outbound.has_task_workers()


def test_a_host_without_a_queue_named_default_starts() -> None:
    program = (
        "from django.conf import settings; import django\n"
        "from tests import settings as ours\n"
        "known = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}\n"
        "backend = {'BACKEND': 'nowhere.DatabaseBackend', 'QUEUES': ['emails']}\n"
        "settings.configure(**known | {'TASKS': {'default': backend}}); django.setup()\n"
        "from django.core.checks import run_checks\n"
        "print([message.id for message in run_checks() if message.id == 'licenzy.W022'])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=REPOSITORY, text=True)

    assert (done.returncode, done.stdout.strip()) == (0, "['licenzy.W022']"), done.stderr


@pytest.fixture
def enqueued(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The results that a backend that only collects has collected, as if its workers were elsewhere."""
    if tasks.tasks is None:
        pytest.skip("Neither django.tasks nor django_tasks is installed.")
    collecting = f"{tasks.tasks.__name__}.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {"BACKEND": collecting}}
    monkeypatch.setattr(outbound, "WITHIN_THE_REQUEST", ())
    return tasks.tasks.task_backends["default"].results


def test_a_recorded_event_enqueues_a_task_after_the_commit(endpoint: OutboundEndpoint, enqueued: Any) -> None:
    tell()

    [result] = enqueued
    assert result.task.module_path == "licenzy_django.outbound.tasks.deliver_due"


def test_a_retry_enqueues_a_task_for_its_moment(endpoint: OutboundEndpoint, receiver: Receiver, enqueued: Any) -> None:
    receiver.always = answer(500)
    tell()

    tasks.deliver_due.func()

    retry = enqueued[-1].task
    assert 3 < (retry.run_after - timezone.now()).total_seconds() < 7


def test_events_that_one_task_can_send_enqueue_one(
    endpoint: OutboundEndpoint, receiver: Receiver, enqueued: Any, worker: Worker
) -> None:
    for _ in range(20):
        tell()

    worker.run_for(seconds=10)

    assert (len(receiver.requests), len(enqueued)) == (20, 1)


@pytest.mark.parametrize("told", [None, answer(500)], ids=["no answer", "500"])
def test_tasks_end_where_a_receiver_is_down(
    told: bytes | None, endpoint: OutboundEndpoint, receiver: Receiver, enqueued: Any, worker: Worker
) -> None:
    """At most 1.2 tasks for each try, however many wait."""
    receiver.always = told
    for _ in range(12):
        tell()
        worker.run_for(seconds=0.3)

    worker.run_for(seconds=200)

    assert len(receiver.requests) > 10
    assert worker.done <= 1.2 * len(receiver.requests)
    receiver.always = OK
    worker.run_for(seconds=3600)
    assert not deliveries.waiting().exists()
    assert not enqueued[worker.done :]


def test_what_an_operator_sends_again_enqueues_a_task(
    endpoint: OutboundEndpoint, receiver: Receiver, enqueued: Any, worker: Worker
) -> None:
    tell()
    worker.run_for(seconds=1)

    endpoints.requeue(Delivery.objects.get())
    worker.run_for(seconds=1)

    assert len(receiver.requests) == 2


class Worker:
    """Runs what was enqueued when its moment has come; the clock goes on by itself."""

    def __init__(self, results: list[Any]) -> None:
        self.results, self.done = results, 0
        self.began_at = self.now = timezone.now()
        self.moments: dict[int, datetime] = {}

    def run_for(self, *, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        while (found := self.next_task()) and found[0] <= until:
            at, number = found
            self.now = max(self.now, at)
            self.moments[number] = datetime.max.replace(tzinfo=UTC)
            self.done += 1
            result = self.results[number]
            result.task.func(*result.args)
        self.now = until

    def next_task(self) -> tuple[datetime, int] | None:
        for number in range(len(self.moments), len(self.results)):
            # A task is asked for in real time; the little that has passed here since then does not count.
            run_after, asked_at = self.results[number].task.run_after, self.results[number].enqueued_at
            pause = run_after - asked_at + timedelta(milliseconds=10) if run_after else timedelta()
            self.moments[number] = self.now + pause
        open_ones = [(at, number) for number, at in self.moments.items() if at.year < 9999]
        return min(open_ones, default=None)


worker_at_work: list[Worker] = []


def now_of_worker() -> datetime:
    return worker_at_work[-1].now


@pytest.fixture
def worker(enqueued: Any, settings: Any) -> Iterator[Worker]:
    worker_at_work.append(Worker(enqueued))
    settings.LICENZY = settings.LICENZY | {"CLOCK": f"{__name__}.now_of_worker"}
    yield worker_at_work[-1]
    worker_at_work.clear()
