"""Which database, and which schema of it, a connection is at: what is remembered of one is not true of another."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import Any

PARTS = ("ENGINE", "HOST", "PORT", "NAME")


def location_of(connection: Any) -> str:
    """A short name for it: the same in every process that has the same ``DATABASES``.

    A host with a schema for each tenant says which one is current as ``connection.schema_name`` (django-tenants does),
    or as a ``search_path`` in ``OPTIONS``.
    """
    settings = connection.settings_dict
    parts = [connection.alias, *(settings.get(part) for part in PARTS), settings.get("OPTIONS", {}).get("options")]
    return short(*(str(part or "") for part in parts), str(getattr(connection, "schema_name", None) or ""))


@cache
def short(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
