"""A subject's rows in the cache that ``CACHE`` names, shared by all processes.

A version of the subject stands next to its rows, and the rows carry the version under which they were read. A change
moves the version on after its commit; a reader that raced it can only leave rows of the old version, which nobody
believes. Versions are random, so that one that was evicted never comes back. A writer that dies between commit and
moving, or cannot reach the cache, leaves an old answer for ``CACHE_SECONDS`` at most. A cache that is down or holds
something else means a query.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import connections, router

from licenzy_django.access import entitlement_rows
from licenzy_django.access.entitlement_rows import EntitlementRow
from licenzy_django.conf import licenzy_settings
from licenzy_django.models import Entitlement

logger = logging.getLogger("licenzy_django")

VERSION_SECONDS = 86_400
"""How long a version is kept. Where there is none, the next reader makes a new one and asks the database."""

REST_SECONDS = 5
"""How long a process leaves a cache alone that has failed, so that not every check waits for it in vain."""

SHAPE = blake2b(" ".join(column.name for column in fields(EntitlementRow)).encode(), digest_size=4).hexdigest()
"""Rows of another release are not ours to read."""

Rows = Sequence[EntitlementRow]
CacheVersion = list[str]
"""The version of the subject, and that of the catalog."""
Answer = TypeVar("Answer")


class Rest:
    """Until when (monotonic) the cache is left alone."""

    until: float = 0.0


rest = Rest()


def rows_of(subject_ref: str, mode: str, *, at: datetime) -> Rows:
    """From the cache in one round trip, or from the database."""
    if not licenzy_settings().CACHE or time.monotonic() < rest.until:
        return entitlement_rows.rows_of(subject_ref, mode, at=at)
    key = key_of(subject_ref, mode)
    version, rows = asking(lambda cache: remembered(cache, key, mode)) or (None, None)
    if rows is not None:
        return rows
    read_at = time.time()
    rows = entitlement_rows.rows_of(subject_ref, mode, at=at)
    if version is not None and reads_what_is_committed():
        entry = (version, read_at, [astuple(row) for row in rows])
        asking(lambda cache: cache.set(f"{key}:rows", entry, licenzy_settings().CACHE_SECONDS))
    return rows


def move_on(subject_ref: str | None, mode: str) -> None:
    """Nobody believes the rows of this subject any more; without one, those of the mode's every subject."""
    alias, name = (
        licenzy_settings().CACHE,
        version_name(None if subject_ref is None else key_of(subject_ref, mode), mode),
    )
    if not alias:
        return
    try:
        caches[alias].set(name, uuid4().hex, VERSION_SECONDS)
    except Exception:
        logger.exception(
            "The cache was not told of a change in %s mode: an old answer may stand for %s seconds",
            mode,
            licenzy_settings().CACHE_SECONDS,
        )


def key_of(subject_ref: str, mode: str) -> str:
    """Short and plain whatever the ref holds, as Memcached wants it."""
    return f"licenzy:{SHAPE}:{mode}:{blake2b(subject_ref.encode(), digest_size=16).hexdigest()}"


def version_name(key: str | None, mode: str) -> str:
    return f"{key or f'licenzy:{SHAPE}:{mode}:catalog'}:version"


def asking(ask: Callable[[BaseCache], Answer]) -> Answer | None:
    """What the cache answers, or None if it failed."""
    try:
        return ask(caches[licenzy_settings().CACHE])
    except Exception:
        rest.until = time.monotonic() + REST_SECONDS
        logger.exception("The cache failed; for %s seconds access checks ask the database", REST_SECONDS)
        return None


def remembered(cache: BaseCache, key: str, mode: str) -> tuple[CacheVersion | None, Rows | None]:
    """Rows that are still true; or else the stamp under which to remember what the database says.

    Without a stamp another process is making a version at this moment, and there is nothing to remember under.
    """
    names = [version_name(key, mode), version_name(None, mode)]
    found = cache.get_many([*names, f"{key}:rows"])
    version = [version for name in names if (version := found.get(name) or new_version(cache, name))]
    if len(version) < len(names):
        return None, None
    return version, fresh_rows(found.get(f"{key}:rows"), version)


def new_version(cache: BaseCache, name: str) -> str | None:
    version = uuid4().hex
    return version if cache.add(name, version, VERSION_SECONDS) else None


def fresh_rows(entry: Any, version: CacheVersion) -> Rows | None:
    """The rows of an entry that carries this stamp and is not too old."""
    try:
        of_version, read_at, rows = entry
        is_young = abs(time.time() - read_at) < licenzy_settings().CACHE_SECONDS
        return [EntitlementRow(*row) for row in rows] if of_version == version and is_young else None
    except (TypeError, ValueError):
        return None


def reads_what_is_committed() -> bool:
    """Whether the next statement sees the latest commit. In a transaction with a snapshot it may see an older one."""
    connection = connections[router.db_for_read(Entitlement)]
    if not connection.in_atomic_block:
        return True
    return connection.vendor != "sqlite" and "isolation_level" not in connection.settings_dict["OPTIONS"]
