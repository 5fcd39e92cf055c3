"""We tell: addresses, signing, delivery, retries."""

from __future__ import annotations

from django.conf import settings

WITHIN_THE_REQUEST = ("ImmediateBackend", "DummyBackend")


def has_task_workers() -> bool:
    """Whether ``TASKS`` names a backend that works somewhere else than in the request."""
    backend: str = getattr(settings, "TASKS", {}).get("default", {}).get("BACKEND", "")
    return bool(backend) and not backend.endswith(WITHIN_THE_REQUEST)
