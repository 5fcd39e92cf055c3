"""Delivery on the workers that a host already has, through Django's task framework.

Django 6 has the framework as ``django.tasks``; before, the django-tasks package has it. Nothing here runs unless
``TASKS`` names a backend that works elsewhere, since Django's default one would send within the request. A task comes
with every recorded event, and one for the next retry where the backend can defer; where it cannot, ``licenzy_deliver``
from cron sees to the retries.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.db.models import Min
from django.utils import timezone

from licenzy_django import clock
from licenzy_django.outbound import deliveries, has_task_workers
from licenzy_django.signals import outbound_recorded

MOST_BATCHES = 20
SOONEST_NEXT = timedelta(seconds=1)


def framework() -> Any:
    """The module that has ``task``, or None."""
    for name in ("django.tasks", "django_tasks"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


tasks = framework()
as_task: Any = tasks.task if tasks else lambda function: function


@as_task  # type: ignore[untyped-decorator]
def deliver_due() -> int:
    """Send what is due, and see to the next retry. Returns how many were sent."""
    sent = 0
    for _ in range(MOST_BATCHES):
        batch = deliveries.deliver_due()
        sent += batch.sent
        if not batch.taken:
            break
    come_back()
    return sent


def come_back() -> None:
    """Have another task run when the next retry is due."""
    if tasks is None or not has_task_workers() or not deliver_due.get_backend().supports_defer:
        return
    next_try_at = deliveries.waiting().aggregate(earliest=Min("next_try_at"))["earliest"]
    if next_try_at is not None:
        pause = max(next_try_at - clock.now(), SOONEST_NEXT)
        deliver_due.using(run_after=timezone.now() + pause).enqueue()


def on_recorded(**_: Any) -> None:
    deliver_due.enqueue()


def connect() -> None:
    """Called when Django is ready."""
    if tasks is not None and has_task_workers():
        outbound_recorded.connect(on_recorded, dispatch_uid="licenzy_outbound_tasks")
