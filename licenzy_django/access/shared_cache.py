"""Entitlement rows in a Django cache that the setting ``CACHE`` names, shared by all processes.

A cache version of the subject is kept beside its rows, and the rows carry the version under which they were read. A
change bumps the version after its commit; a reader that raced it can only leave rows of the old version, which are not
fresh. Versions are random, so that one that was evicted never comes back. A writer that dies before the bump, or
cannot reach the cache, leaves an old answer for ``CACHE_SECONDS`` at most. A cache that is down or holds something else
means a query.

What is kept is JSON in a text, which every serializer takes. The cache is trusted as the database is: whoever can write
to it can give access.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar
from uuid import uuid4

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import connections, router

from licenzy_django.access import entitlement_rows, rows_as_json
from licenzy_django.access.entitlement_rows import EntitlementRow
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.location import location_of
from licenzy_django.models import Entitlement

logger = logging.getLogger("licenzy_django")

VERSION_SECONDS = 86_400
"""How long a version is kept. Where there is none, the next reader makes a new one and asks the database."""

REST_SECONDS = 5
"""How long a process leaves a cache alone that has failed, so that not every check waits for it in vain."""

COLUMNS = " ".join(f"{column.name}: {column.type}" for column in fields(EntitlementRow))
SHAPE = blake2b(COLUMNS.encode(), digest_size=4).hexdigest()
"""Rows of another release are not ours to read."""

Rows = Sequence[EntitlementRow]
CacheVersion = list[str]
"""The version of the subject, and that of the catalog."""
Answer = TypeVar("Answer")


class Rest:
    """Until when (monotonic) the cache is left alone."""

    until: float = 0.0


rest = Rest()


def leave_alone() -> None:
    """From now on this process asks the database. For tests, whose rows are rolled back without anybody's notice."""
    rest.until = float("inf")


def rows_of(subject_ref: str, mode: str, *, at: datetime) -> Rows:
    """From the cache in one round trip, or from the database."""
    if not licenzy_settings().CACHE or time.monotonic() < rest.until:
        return entitlement_rows.rows_of(subject_ref, mode, at=at)
    place = place_of(mode)
    key = key_of(subject_ref, place)
    version, rows = asking(lambda cache: remembered(cache, key, place)) or (None, None)
    if rows is not None:
        return rows
    read_at = time.time()
    rows = entitlement_rows.rows_of(subject_ref, mode, at=at)
    if version is not None and reads_what_is_committed():
        entry = json.dumps([version, read_at, [rows_as_json.values_of(row) for row in rows]])
        asking(lambda cache: cache.set(f"{key}:rows", entry, licenzy_settings().CACHE_SECONDS))
    return rows


def bump(subject_ref: str | None, place: str) -> None:
    """Make a subject's rows outdated; without one, those of the place's every subject."""
    settings = licenzy_settings()
    if not settings.CACHE:
        return
    name = version_name(key_of(subject_ref, place)) if subject_ref is not None else catalog_version_name(place)
    try:
        caches[settings.CACHE].set(name, uuid4().hex, VERSION_SECONDS)
    except Exception:
        logger.exception(
            "The cache could not be brought up to date: an old answer may be given for %s seconds",
            settings.CACHE_SECONDS,
        )


def place_of(mode: str) -> str:
    """Whose rows they are: those of a mode in this database, in its current schema."""
    return f"licenzy:{SHAPE}:{location_of(connections[router.db_for_write(Entitlement)])}:{mode}"


def key_of(subject_ref: str, place: str) -> str:
    """Short and plain whatever the ref holds, as Memcached wants it."""
    return f"{place}:{blake2b(subject_ref.encode(), digest_size=16).hexdigest()}"


def version_name(key: str) -> str:
    return f"{key}:version"


def catalog_version_name(place: str) -> str:
    return f"{place}:catalog:version"


def asking(ask: Callable[[BaseCache], Answer]) -> Answer | None:
    """What the cache answers, or None if it failed."""
    try:
        return ask(caches[licenzy_settings().CACHE])
    except Exception:
        rest.until = time.monotonic() + REST_SECONDS
        logger.exception("The cache failed; for %s seconds access checks ask the database", REST_SECONDS)
        return None


def remembered(cache: BaseCache, key: str, place: str) -> tuple[CacheVersion | None, Rows | None]:
    """Rows that are fresh; or else the version under which to remember what the database says.

    Without a version another process is making one at this moment, and there is nothing to remember under.
    """
    names = [version_name(key), catalog_version_name(place)]
    found = cache.get_many([*names, f"{key}:rows"])
    version = [version for name in names if (version := found.get(name) or new_version(cache, name))]
    if len(version) < len(names):
        return None, None
    return version, fresh_rows(found.get(f"{key}:rows"), version)


def new_version(cache: BaseCache, name: str) -> str | None:
    version = uuid4().hex
    return version if cache.add(name, version, VERSION_SECONDS) else None


def fresh_rows(entry: object, version: CacheVersion) -> Rows | None:
    """The rows of an entry if it has this version and is not too old; None for whatever is no such entry."""
    try:
        of_version, read_at, rows = json.loads(entry)  # type: ignore[arg-type]
        is_fresh = of_version == version and abs(time.time() - read_at) < licenzy_settings().CACHE_SECONDS
        return [rows_as_json.row_of(values) for values in rows] if is_fresh else None
    except (TypeError, ValueError, RecursionError):
        return None


def reads_what_is_committed() -> bool:
    """Whether the next statement sees the latest commit. In a transaction with a snapshot it may see an older one."""
    connection = connections[router.db_for_read(Entitlement)]
    if not connection.in_atomic_block:
        return True
    return connection.vendor != "sqlite" and "isolation_level" not in connection.settings_dict["OPTIONS"]
