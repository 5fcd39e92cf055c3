"""Several callers at once, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from licenzy_django.exceptions import LicenzyError


def in_threads(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What ``act(0)``, ``act(1)`` … returned; all began at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returned, or the error of ours that it raised."""

    def call(number: int) -> Any:
        try:
            return calls[number]()
        except LicenzyError as error:
            return error

    return in_threads(len(calls), call)
