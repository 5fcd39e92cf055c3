"""Delivery on the workers that a host already has, through Django's task framework.

Django 6 has the framework as ``django.tasks``; before, the django-tasks package has it. Nothing here runs, and nothing
imports this module, unless ``TASKS`` names a backend that works elsewhere, since Django's default one would send within
the request. A task comes for each moment at which something can be sent: now for what was just recorded, later for a
retry where the backend can defer. Where it cannot, ``licenzy_deliver`` from cron sees to the retries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from licenzy_django import clock
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.rows import insert
from licenzy_django.models import OutboundEndpoint, Wakeup
from licenzy_django.outbound import deliveries, has_task_workers

MOST_BATCHES = 20
# Moments are rounded up to these, so that retries that lie close together share a task.
NEAR, FAR = timedelta(seconds=1), timedelta(seconds=30)
FAR_BEGINS = timedelta(minutes=1)


def framework() -> Any:
    """The module that has ``task``, or None."""
    for name in ("django.tasks", "django_tasks"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


tasks = framework()


def as_task(function: Any) -> Any:
    if tasks is None:
        return function
    known = licenzy_settings()
    return tasks.task(backend=known.TASK_BACKEND, queue_name=known.TASK_QUEUE)(function)


@as_task
def deliver_due(wakeup: str = "") -> int:
    """Send what is due, and see to the next moment at which something can be sent. Returns how many were sent.

    Args:
        wakeup: the moment that this task was asked for.
    """
    over = Wakeup.objects.filter(at__lte=max(clock.now(), parse_datetime(wakeup) or clock.now()))
    over.delete()
    sent = 0
    for _ in range(MOST_BATCHES):
        batch = deliveries.deliver_due()
        sent += batch.sent
        if not batch.taken:
            break
    come_back()
    return sent


def come_back() -> None:
    """Have a task run when something can be sent again, if none is to come then."""
    if tasks is None or not has_task_workers():
        return
    now, sendable_at = clock.now(), deliveries.next_sendable_at()
    if sendable_at is None:
        return
    if sendable_at <= now:
        wake(now, timedelta())
    elif deliver_due.get_backend().supports_defer:
        at = rounded_up(max(sendable_at, now + NEAR), FAR if sendable_at - now > FAR_BEGINS else NEAR)
        wake(at, at - now)


def rounded_up(at: datetime, to: timedelta) -> datetime:
    return at + (datetime.min.replace(tzinfo=at.tzinfo) - at) % to


def wake(at: datetime, pause: timedelta) -> None:
    """Enqueue a task for a moment, once: the unique index says who asked first."""
    at = at.replace(microsecond=0)
    if insert(Wakeup(at=at)):
        task = deliver_due.using(run_after=timezone.now() + pause) if pause else deliver_due
        task.enqueue(at.isoformat())


def on_recorded(*, mode: str, **_: Any) -> None:
    """Where every endpoint rests, the task that comes when one has rested sends this too."""
    now = clock.now()
    if OutboundEndpoint.objects.filter(mode=mode, is_active=True).exclude(resting_until__gt=now).exists():
        wake(now, timedelta())
