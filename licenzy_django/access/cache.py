"""What a check need not ask again: rows remembered on the request, and in the shared cache (``shared_cache``).

Remembered are the rows, never the answer: the clock is asked at every check, so what ends by the clock ends on time.
Nothing is remembered that is not committed, and nothing outlives a change that this process commits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, router
from django.db.models.signals import post_delete, post_save

from licenzy_django.access import entitlement_rows, shared_cache
from licenzy_django.access.shared_cache import Rows
from licenzy_django.models import Entitlement, Product


def rows_of(subject_ref: str, mode: str, *, at: datetime, request: Any = None) -> Rows:
    """The rows to decide from at this moment; a request that is given asks for them once."""
    if has_uncommitted_change(subject_ref, mode):
        return entitlement_rows.rows_of(subject_ref, mode, at=at)
    if request is None:
        return shared_cache.rows_of(subject_ref, mode, at=at)
    memo, epoch, key = memo_of(request), last_change.epoch, (subject_ref, shared_cache.place_of(mode))
    known = memo.get(key)
    if known is None or known[0] is not epoch:
        known = memo[key] = (epoch, shared_cache.rows_of(subject_ref, mode, at=at))
    return known[1]


def changed(subject_ref: str, mode: str) -> None:
    """Forget a subject's rows once this change is committed. Belongs next to every write that a check can see."""
    once_committed(Change(subject_ref, mode, shared_cache.place_of(mode)))


def catalog_changed(mode: str) -> None:
    """Forget the rows of a mode's every subject once this is committed: what a product gives stands in them."""
    once_committed(Change(None, mode, shared_cache.place_of(mode)))


def watch_the_catalog() -> None:
    """Products are saved by operators, by the catalog command and by hosts alike."""
    for signal in (post_save, post_delete):
        signal.connect(product_changed, sender=Product, dispatch_uid="licenzy_access_cache")


def product_changed(instance: Product, **kwargs: Any) -> None:
    catalog_changed(instance.mode)


@dataclass(frozen=True, slots=True)
class Change:
    """Waits for its commit on the connection's list, from which a rollback takes it."""

    subject_ref: str | None
    mode: str
    place: str

    def __call__(self) -> None:
        last_change.epoch = object()
        shared_cache.bump(self.subject_ref, self.place)


class LastChange:
    """Replaced by each change that this process commits: what requests have remembered is read again."""

    epoch: object = object()


class Here(threading.local):
    """The connection of this thread on which a change may be waiting."""

    connection: Any = None


last_change = LastChange()
here = Here()


def once_committed(change: Change) -> None:
    connection = connections[router.db_for_write(Entitlement)]
    if connection.in_atomic_block:
        here.connection = connection
    connection.on_commit(change)


def has_uncommitted_change(subject_ref: str, mode: str) -> bool:
    """Whether this very transaction has changed the subject: then it sees what nobody else may."""
    if here.connection is None:
        return False
    waiting = [change for _, change, _ in here.connection.run_on_commit if isinstance(change, Change)]
    if not waiting:
        here.connection = None
    return any(change.mode == mode and change.subject_ref in (subject_ref, None) for change in waiting)


def memo_of(request: Any) -> dict[tuple[str, str], tuple[object, Rows]]:
    """Lives on Django's request, also when DRF's is given."""
    request = getattr(request, "_request", request)
    try:
        memo: dict[tuple[str, str], tuple[object, Rows]] = request.licenzy_memo
    except AttributeError:
        memo = request.licenzy_memo = {}
    return memo
