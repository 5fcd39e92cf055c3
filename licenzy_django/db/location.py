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
    schema = getattr(connection, "schema_name", None)
    search_path = settings["OPTIONS"].get("options")
    return short(connection.alias, *[settings[part] for part in PARTS], search_path, schema)


@cache
def short(*parts: Any) -> str:
    return blake2b("\0".join(str(part or "") for part in parts).encode(), digest_size=8).hexdigest()
