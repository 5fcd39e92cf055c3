"""Outbound events: endpoints, signing, delivery, retries."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from licenzy_django.conf import licenzy_settings

WITHIN_THE_REQUEST = ("ImmediateBackend", "DummyBackend")


def task_backend() -> dict[str, Any]:
    """The entry of ``TASKS`` that ``TASK_BACKEND`` names; empty where there is none."""
    entry: dict[str, Any] = getattr(settings, "TASKS", {}).get(licenzy_settings().TASK_BACKEND) or {}
    return entry


def has_task_workers() -> bool:
    """Whether ``TASKS`` names a backend that works somewhere else than in the request, and it has our queue."""
    path: str = task_backend().get("BACKEND", "")
    return bool(path) and not path.endswith(WITHIN_THE_REQUEST) and has_task_queue()


def has_task_queue() -> bool:
    """Whether the backend has the queue ``TASK_QUEUE``. One whose list is empty has every queue."""
    queues = task_backend().get("QUEUES", ["default"])
    return not queues or licenzy_settings().TASK_QUEUE in queues


__all__ = ["has_task_queue", "has_task_workers", "task_backend"]
