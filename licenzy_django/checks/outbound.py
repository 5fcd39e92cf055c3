"""What development may allow, and a public site hardly wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from licenzy_django import outbound
from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import licenzy_settings


@register("licenzy", Tags.compatibility)
def check_tasks(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A backend that is named and not there, or that has not the queue that is named."""
    if not are_readable():
        return []
    backend, queue = licenzy_settings().TASK_BACKEND, licenzy_settings().TASK_QUEUE
    if outbound.task_backend():
        problem = "" if outbound.has_task_queue() else f"TASKS[{backend!r}] has no queue {queue!r}"
    else:
        problem = "" if backend == "default" else f"TASKS has no backend {backend!r}"
    if not problem:
        return []
    return [
        Warning(
            f"{problem}: outbound events wait until licenzy_deliver runs.",
            hint="LICENZY['TASK_BACKEND'] and LICENZY['TASK_QUEUE'] name a backend of TASKS and one of its QUEUES.",
            id="licenzy.W022",
        )
    ]


@register("licenzy", Tags.security)
def check_outbound(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or settings.DEBUG:
        return []
    known = licenzy_settings()
    found: list[CheckMessage] = []
    if known.OUTBOUND_ALLOW_HTTP:
        found.append(
            Warning(
                "Outbound events may be sent over plain HTTP, where anybody on the way can read them.",
                hint="Remove LICENZY['OUTBOUND_ALLOW_HTTP']; it is for development.",
                id="licenzy.W020",
            )
        )
    if known.OUTBOUND_ALLOW_PRIVATE:
        found.append(
            Warning(
                "Outbound endpoints may be inside your network: who configures one can reach what stands there.",
                hint="Remove LICENZY['OUTBOUND_ALLOW_PRIVATE'], or silence this if your receivers are internal.",
                id="licenzy.W021",
            )
        )
    return found
