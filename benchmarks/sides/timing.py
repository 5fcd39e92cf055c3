"""How long calls take, and how many statements they need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

Call = Callable[[], Any]


def microseconds(calls: Iterable[Call], *, times: int = 1) -> list[float]:
    """Each call's time; of very short ones ``times`` in a row."""
    took = []
    for call in calls:
        began = time.perf_counter_ns()
        for _ in range(times):
            call()
        took.append((time.perf_counter_ns() - began) / 1000 / times)
    return took


def statements(call: Call) -> dict[str, int]:
    """How many statements a call needs.

    ``all`` is every one that goes to the database; ``reads_and_writes`` leaves out what only opens and closes
    transactions and savepoints.
    """
    with CaptureQueriesContext(connection) as captured:
        call()
    words = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
    sent = [query["sql"].upper() for query in captured.captured_queries]
    return {"reads_and_writes": sum(not sql.startswith(words) for sql in sent), "all": len(sent)}


def measured(make: Callable[[int], Call], numbers: Iterable[int], *, times: int = 1) -> dict[str, Any]:
    """The times of one call for each subscriber, and the statements of the first. The answers must all be true."""
    calls = [make(number) for number in numbers]
    for call in calls[:20]:
        assert call(), "every subscriber is entitled"
    return {"queries": statements(calls[0])["all"], "microseconds": microseconds(calls, times=times)}
