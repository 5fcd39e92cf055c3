"""Delivers what was told: one thread in every serving process, woken by new events, safe to run many times.

An event is taken by pushing its next try ahead in a conditional UPDATE, so one process delivers it at a time; when that
process dies, another takes it when the time has come. A duplicate is possible, a loss is not.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from .conf import simulator_settings
from .permission import permitted

logger = logging.getLogger("licenzy_django.simulator")

LEASE_SECONDS = 15.0
BACK_OFF_SECONDS = (1, 3, 10, 30, 120, 600, 3_600)
IDLE_SECONDS = 2.0
BATCH = 20

_running: dict[str, Any] = {"pid": None}
_start_lock = threading.Lock()
_bell = threading.Event()


def on_request(**_: Any) -> None:
    """Signal receiver: a process that serves requests delivers too."""
    if _running["pid"] != os.getpid():
        ensure_running()


def wake() -> None:
    ensure_running()
    _bell.set()


def ensure_running() -> None:
    """Starts the thread of this process, unless delivery is by hand, tests are running, or we must not run here."""
    if simulator_settings().WEBHOOK_DELAY_SECONDS is None or _under_test() or not permitted():
        return
    with _start_lock:
        if _running["pid"] != os.getpid():
            _running["pid"] = os.getpid()
            threading.Thread(target=_work, name="licenzy-simulator-webhooks", daemon=True).start()


def _under_test() -> bool:
    from django.core import mail

    return hasattr(mail, "outbox")


def _work() -> None:
    from django.db import close_old_connections

    while True:
        try:
            pause = work_once()
        except Exception:
            logger.exception("The simulator's webhook delivery failed; it goes on")
            pause = IDLE_SECONDS
        finally:
            close_old_connections()
        _bell.wait(pause)
        _bell.clear()


def work_once() -> float:
    """Performs what time brings, delivers what is due; returns after how many seconds to come back."""
    from .account import database_simulator
    from .refusals import RefusalError
    from .timeline import perform_due

    simulator = database_simulator()
    now = simulator.now
    try:
        if simulator.store.has_due(now):
            with simulator.unit():
                perform_due(simulator, now)
    except RefusalError:
        logger.exception("Something that is due cannot be done; events are delivered all the same")
    while deliver_due():
        pass
    return _seconds_to_next()


def deliver_due() -> int:
    """Delivers one batch; returns how many events it took."""
    from django.db.models import F

    from .models import Event

    taken = 0
    waiting = Event.objects.filter(delivered_at=None, next_try_at__lte=time.time()).order_by("pk")[:BATCH]
    for event in waiting:
        mine = Event.objects.filter(pk=event.pk, delivered_at=None, next_try_at=event.next_try_at)
        if mine.update(next_try_at=time.time() + LEASE_SECONDS, attempts=F("attempts") + 1):
            taken += 1
            _deliver(event)
    return taken


def _deliver(event: Any) -> None:
    from django.utils import timezone

    from .endpoints import post_to_all

    outcome = post_to_all(event.body, livemode=event.livemode, already=event.reached)
    event.reached, event.last_status, event.last_error = outcome.reached, outcome.status, outcome.error[:200]
    event.delivered_at = timezone.now() if outcome.complete else None
    event.next_try_at = time.time() + BACK_OFF_SECONDS[min(event.attempts, len(BACK_OFF_SECONDS) - 1)]
    event.save(update_fields=["reached", "last_status", "last_error", "delivered_at", "next_try_at"])


def _seconds_to_next() -> float:
    from .models import Event

    following = Event.objects.filter(delivered_at=None).order_by("next_try_at").values_list("next_try_at", flat=True)
    first = following.first()
    return IDLE_SECONDS if first is None else min(IDLE_SECONDS, max(0.02, first - time.time()))
