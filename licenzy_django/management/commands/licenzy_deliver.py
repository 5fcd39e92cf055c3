from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections

from licenzy_django.outbound import deliveries

logger = logging.getLogger("licenzy_django")

IDLE_SECONDS = 1.0
PAUSE_AFTER_A_DATABASE_ERROR_SECONDS = 5.0


class Command(BaseCommand):
    help = "Send the outbound events that are due. Any number of these may run at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="Go on until SIGTERM or Ctrl-C.")

    def handle(self, *args: Any, forever: bool, **options: Any) -> None:
        stop = threading.Event()
        if forever:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        sent = work(stop) if forever else work_off(stop)
        self.stdout.write(f"{sent} delivered.")


def work_off(stop: threading.Event) -> int:
    """Until nothing is due."""
    sent = 0
    while not stop.is_set():
        batch = deliveries.deliver_due(may_go_on=lambda: not stop.is_set())
        sent += batch.sent
        if not batch.taken:
            break
    return sent


def work(stop: threading.Event) -> int:
    """Until told to stop: the try in flight is finished, what else was taken is given back."""
    sent, pause = 0, IDLE_SECONDS
    while not stop.is_set():
        try:
            sent += work_off(stop)
            pause = IDLE_SECONDS
        except (OperationalError, InterfaceError):
            logger.exception("The database does not answer; deliveries wait for it")
            pause = PAUSE_AFTER_A_DATABASE_ERROR_SECONDS
        close_old_connections()
        stop.wait(pause)
    return sent
