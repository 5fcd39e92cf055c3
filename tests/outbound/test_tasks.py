"""Delivery on a host's task workers, where Django's task framework is there."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from licenzy_django import outbound
from licenzy_django.models import OutboundEndpoint
from licenzy_django.outbound import events, outbox, tasks
from licenzy_django.signals import outbound_recorded
from tests.outbound.receiver import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)


def tell() -> None:
    outbox.publish("test", [events.usage_consumed("user_1", 1, mode="test", usage_remaining=0)])


@pytest.mark.parametrize(
    ("setting", "works_elsewhere"),
    [
        ({}, False),
        ({"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}, False),
        ({"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}, False),
        ({"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}, False),
        ({"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, True),
        ({"other": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, False),
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


@pytest.fixture
def enqueued(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The results that a backend that only collects has collected, as if its workers were elsewhere."""
    if tasks.tasks is None:
        pytest.skip("Neither django.tasks nor django_tasks is installed.")
    collecting = f"{tasks.tasks.__name__}.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {"BACKEND": collecting}}
    monkeypatch.setattr(tasks, "has_task_workers", lambda: True)
    tasks.connect()
    yield tasks.tasks.task_backends["default"].results
    outbound_recorded.disconnect(dispatch_uid="licenzy_outbound_tasks")


def test_a_recorded_event_enqueues_a_task_after_the_commit(endpoint: OutboundEndpoint, enqueued: Any) -> None:
    tell()

    [result] = enqueued
    assert result.task.module_path == "licenzy_django.outbound.tasks.deliver_due"


def test_a_retry_enqueues_a_task_for_its_moment(endpoint: OutboundEndpoint, receiver: Receiver, enqueued: Any) -> None:
    receiver.always = answer(500)
    tell()

    tasks.deliver_due.func()

    retry = enqueued[-1].task
    assert 3 < (retry.run_after - timezone.now()).total_seconds() < 6
