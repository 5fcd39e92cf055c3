"""One subject at a time: the lock under which something is counted and then added to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connections
from django.db.models import F

from licenzy_django.db.rows import insert, writer_of, written
from licenzy_django.models import Subject

Done = TypeVar("Done")

TRIES = 5
LOST_RACES = {"40001", "40P01"}
"""PostgreSQL's codes for a transaction that another one was chosen over: a serialization failure, a deadlock."""


def lock(subject_ref: str, mode: str) -> int:
    """Lock the row of a subject until the transaction ends, and make it if there is none. Returns its key.

    It is updated and not only selected: where transactions see an old snapshot (``REPEATABLE READ`` and above), whoever
    waited for the lock fails here, in place of counting what was there before. On SQLite it takes the one write lock.
    """
    rows = written(Subject).filter(subject_ref=subject_ref, mode=mode)
    if not rows.update(created_at=F("created_at")):
        insert(Subject(subject_ref=subject_ref, mode=mode))
        rows.update(created_at=F("created_at"))
    return rows.values_list("pk", flat=True).get()


def retried(act: Callable[[], Done]) -> Done:
    """Do it in a transaction of its own, and again where the database chose another transaction over this one.

    Inside a transaction of the caller it is done once: that one is lost as a whole, and only the caller can repeat it.
    """
    tries = 1 if connections[writer_of(Subject)].in_atomic_block else TRIES
    for _ in range(tries - 1):
        try:
            return act()
        except OperationalError as error:
            if not is_lost_race(error):
                raise
    return act()


def is_lost_race(error: OperationalError) -> bool:
    """Whether the same transaction may succeed when it is tried again."""
    cause = error.__cause__
    return (getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)) in LOST_RACES
