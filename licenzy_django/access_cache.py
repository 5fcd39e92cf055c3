"""What is remembered of a subject's entitlements: within one request, and, if ``CACHE`` names one, in a shared cache.

Remembered are the rows, never the answer: the clock is asked at every check, so what ends by the clock ends on time.

A version of the subject stands next to its rows, and the rows carry the version under which they were read. A change
moves the version on after its commit; a reader that raced it can only leave rows of the old version, which nobody
believes. Versions are random, so that one that was evicted never comes back. A writer that dies between commit and
moving, or cannot reach the cache, leaves an old answer for ``CACHE_SECONDS`` at most. A cache that is down or holds
something else means a query.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import connections, router

from licenzy_django import gate
from licenzy_django.conf import licenzy_settings
from licenzy_django.gate import GateRow
from licenzy_django.models import Entitlement

logger = logging.getLogger("licenzy_django")

VERSION_SECONDS = 86_400
"""How long a version is kept. Without one, the next reader makes a new one and asks the database."""

REST_SECONDS = 5
"""How long a process leaves a cache alone that has failed, so that not every check waits for it in vain."""

Rows = Sequence[GateRow]


def rows_of(subject_ref: str, mode: str, *, at: datetime, request: Any = None) -> Rows:
    """The rows to decide from at this moment; read once for each request that is given."""
    if is_unsettled(subject_ref, mode):
        return gate.rows_of(subject_ref, mode, at=at)
    if request is None:
        return shared_rows_of(subject_ref, mode, at)
    memo, epoch = memo_of(request), last_change.epoch
    known = memo.get((subject_ref, mode))
    if known is None or known[0] is not epoch:
        known = memo[subject_ref, mode] = (epoch, shared_rows_of(subject_ref, mode, at))
    return known[1]


def changed(subject_ref: str, mode: str) -> None:
    """Forget a subject's rows once this change is committed. Belongs next to every write that a check can see."""
    on_commit(Change(subject_ref, mode))


def catalog_changed(mode: str) -> None:
    """Forget the rows of every subject of a mode: what a product gives stands in them."""
    on_commit(Change(None, mode))


# --- within one request ---------------------------------------------------------------------------------------------


class LastChange:
    """Replaced by each change that this process commits: what a request has remembered before is read again."""

    epoch: object = object()


class Here(threading.local):
    """The connection of this thread on which a change may wait for its commit."""

    connection: Any = None


last_change = LastChange()
here = Here()


def memo_of(request: Any) -> dict[tuple[str, str], tuple[object, Rows]]:
    """Lives on Django's request, also when DRF's is given."""
    request = getattr(request, "_request", request)
    try:
        memo: dict[tuple[str, str], tuple[object, Rows]] = request.licenzy_memo
    except AttributeError:
        memo = request.licenzy_memo = {}
    return memo


@dataclass(frozen=True, slots=True)
class Change:
    """A change that waits for its commit. A rollback takes it off the connection's list."""

    subject_ref: str | None
    mode: str

    def __call__(self) -> None:
        last_change.epoch = object()
        if not licenzy_settings().CACHE:
            return
        try:
            cache().set(self.key, uuid4().hex, VERSION_SECONDS)
        except Exception:
            logger.warning(
                "The cache could not be told of a change in %s mode; an old answer may stand for %s seconds",
                self.mode,
                licenzy_settings().CACHE_SECONDS,
                exc_info=True,
            )

    @property
    def key(self) -> str:
        if self.subject_ref is None:
            return catalog_key(self.mode)
        return f"{key_of(self.subject_ref, self.mode)}:version"


def on_commit(change: Change) -> None:
    connection = connections[router.db_for_write(Entitlement)]
    if connection.in_atomic_block:
        here.connection = connection
    connection.on_commit(change)


def is_unsettled(subject_ref: str, mode: str) -> bool:
    """Whether this very transaction has changed the subject: then only the database knows, and nobody else may."""
    if here.connection is None:
        return False
    waiting = [change for _, change, _ in here.connection.run_on_commit if isinstance(change, Change)]
    if not waiting:
        here.connection = None
    return any(change.mode == mode and change.subject_ref in (subject_ref, None) for change in waiting)


# --- between processes ----------------------------------------------------------------------------------------------

SHAPE = blake2b(" ".join(column.name for column in fields(GateRow)).encode(), digest_size=4).hexdigest()
"""Rows of another release are not ours to read."""


class Rest:
    """Until when (monotonic) the cache is left alone."""

    until: float = 0.0


rest = Rest()


def cache() -> BaseCache:
    return caches[licenzy_settings().CACHE]


def key_of(subject_ref: str, mode: str) -> str:
    return f"licenzy:{SHAPE}:{mode}:{blake2b(subject_ref.encode(), digest_size=16).hexdigest()}"


def catalog_key(mode: str) -> str:
    return f"licenzy:{SHAPE}:{mode}:catalog"


def shared_rows_of(subject_ref: str, mode: str, at: datetime) -> Rows:
    if not licenzy_settings().CACHE or time.monotonic() < rest.until:
        return gate.rows_of(subject_ref, mode, at=at)
    try:
        stamp, rows = remembered(subject_ref, mode)
    except Exception:
        leave_alone()
        return gate.rows_of(subject_ref, mode, at=at)
    if rows is not None:
        return rows
    read_at = time.time()
    rows = gate.rows_of(subject_ref, mode, at=at)
    if stamp is not None and reads_what_is_committed():
        remember(subject_ref, mode, (stamp, read_at, [astuple(row) for row in rows]))
    return rows


Stamp = tuple[str, str]
"""The version of the subject and that of the catalog."""


def remembered(subject_ref: str, mode: str) -> tuple[Stamp | None, Rows | None]:
    """Rows that are still true, in one round trip; or else the stamp under which to remember what the database says.

    Without a stamp another process is making a version at this moment, and there is nothing to remember under.
    """
    key = key_of(subject_ref, mode)
    names = (f"{key}:version", catalog_key(mode))
    found = cache().get_many([*names, f"{key}:rows"])
    versions = [found.get(name) or new_version(name) for name in names]
    if not all(isinstance(version, str) for version in versions):
        return None, None
    stamp = (versions[0], versions[1])
    return stamp, believed(found.get(f"{key}:rows"), stamp)


def new_version(name: str) -> str | None:
    version = uuid4().hex
    return version if cache().add(name, version, VERSION_SECONDS) else None


def believed(entry: Any, stamp: Stamp) -> Rows | None:
    """The rows of an entry that carries this stamp and is not too old."""
    try:
        of_stamp, read_at, rows = entry
        is_fresh = abs(time.time() - read_at) < licenzy_settings().CACHE_SECONDS
        return [GateRow(*row) for row in rows] if of_stamp == stamp and is_fresh else None
    except (TypeError, ValueError):
        return None


def remember(subject_ref: str, mode: str, entry: tuple[Stamp, float, list[Any]]) -> None:
    try:
        cache().set(f"{key_of(subject_ref, mode)}:rows", entry, licenzy_settings().CACHE_SECONDS)
    except Exception:
        leave_alone()


def leave_alone() -> None:
    rest.until = time.monotonic() + REST_SECONDS
    logger.warning("The cache failed and is left alone for %s seconds", REST_SECONDS, exc_info=True)


def reads_what_is_committed() -> bool:
    """Whether the next statement sees the latest commit. In a transaction with a snapshot it may see an older one."""
    connection = connections[router.db_for_read(Entitlement)]
    if not connection.in_atomic_block:
        return True
    return connection.vendor != "sqlite" and "isolation_level" not in connection.settings_dict["OPTIONS"]
