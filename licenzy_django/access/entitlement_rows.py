"""The one statement behind every access check. It is SQL by hand since the ORM costs twice what the database does.

SQLite and PostgreSQL run the same text. ``access`` decides in Python over the rows it returns. Times are read in the
zone of the connection, as Django's own converters do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import Q

from licenzy_django.db.conditions import as_sql, leaves
from licenzy_django.db.functions import StoredQuery, register
from licenzy_django.models import ApiKey, Entitlement, Pack, Product
from licenzy_django.models.availability import MAY_BECOME_AVAILABLE, OBSTACLES
from licenzy_django.models.kinds import RULES

ROWS_AT_ONCE = 100
"""A subject with more rows than this is asked again, for those that can matter only."""

ENTITLEMENT_COLUMNS = (
    "public_id",
    "status",
    "status_reason",
    "grants_access",
    "not_before",
    "available_until",
    "cancel_at",
    "revoked_at",
)
PACK_COLUMNS = ("units_remaining", "reserved_until")


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """What of an entitlement the decision needs."""

    public_id: str
    status: str
    status_reason: str
    grants_access: bool
    not_before: datetime | None
    available_until: datetime | None
    cancel_at: datetime | None
    revoked_at: datetime | None
    units_remaining: int
    reserved_until: datetime | None
    product_code: str
    kind: str
    features: frozenset[str]
    is_add_on: bool
    limits: tuple[tuple[str, int | None], ...]
    """By name, the quantity in its place; None for unlimited."""


def rows_of(subject_ref: str, mode: str, *, at: datetime) -> list[EntitlementRow]:
    """The subject's entitlements; where there are very many, of those that are over one of each kind and reason."""
    found: Sequence[Sequence[Any]] = OF_SUBJECT.fetch(reader(), subject_ref, mode)
    if len(found) > ROWS_AT_ONCE:
        found = rows_that_matter(subject_ref, mode, at)
    zone = zone_of_texts()
    return [entitlement_row(row, zone) for row in found]


def key_and_rows_of(digest: str, subject_ref: str, *, at: datetime) -> tuple[KeyRow | None, list[EntitlementRow]]:
    """The API key with this digest and, in its mode, the subject's entitlements: one statement for both."""
    found = OF_KEY_AND_SUBJECT.fetch(reader(), subject_ref, digest)
    if not found:
        return None, []
    zone = zone_of_texts()
    key = KeyRow(found[0][0], found[0][1], as_time(found[0][2], zone), as_time(found[0][3], zone))
    if len(found) > ROWS_AT_ONCE:
        return key, rows_of(subject_ref, key.mode, at=at)
    return key, [entitlement_row(row[4:], zone) for row in found if row[4] is not None]


@dataclass(frozen=True, slots=True)
class KeyRow:
    pk: int
    mode: str
    revoked_at: datetime | None
    last_used_at: datetime | None


def rows_that_matter(subject_ref: str, mode: str, at: datetime) -> list[Sequence[Any]]:
    connection = connections[reader()]
    moment = at if connection.vendor == "postgresql" else connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(MATTERING_OF_SUBJECT, {"subject_ref": subject_ref, "mode": mode, "at": moment})
        return list(cursor.fetchall())


def reader() -> str:
    return router.db_for_read(Entitlement)


def zone_of_texts() -> tzinfo:
    """The zone of times that the database gives without one: that of ``DATABASES[…]["TIME_ZONE"]``, or UTC."""
    return connections[reader()].timezone or UTC


def entitlement_row(row: Sequence[Any], zone: tzinfo) -> EntitlementRow:
    (
        public_id,
        status,
        reason,
        grants,
        not_before,
        until,
        cancel_at,
        revoked_at,
        left,
        reserved_until,
        code,
        kind,
        now,
        is_add_on,
        limits_now,
        sold,
        limits_sold,
        quantity,
    ) = row
    return EntitlementRow(
        public_id,
        status,
        reason,
        bool(grants),
        as_time(not_before, zone),
        as_time(until, zone),
        as_time(cancel_at, zone),
        as_time(revoked_at, zone),
        left or 0,
        as_time(reserved_until, zone),
        code,
        kind,
        features_of(kind, sold, now),
        bool(is_add_on),
        limits_of(kind, limits_sold, limits_now, quantity, is_add_on=bool(is_add_on)),
    )


def features_of(kind: str, sold: str | list[str], now: str | list[str]) -> frozenset[str]:
    """What the entitlement gives. JSON is a text in SQLite, and a list in PostgreSQL."""
    return features_in(kind, *(each if isinstance(each, str) else tuple(each) for each in (sold, now)))


@cache
def features_in(kind: str, *lists: str | tuple[str, ...]) -> frozenset[str]:
    sold, now = (json.loads(each) if isinstance(each, str) else each for each in lists)
    return frozenset(RULES[kind].features(sold, now))


def limits_of(
    kind: str, sold: str | dict[str, Any], now: str | dict[str, Any], quantity: int, *, is_add_on: bool
) -> tuple[tuple[str, int | None], ...]:
    """How many of what the entitlement gives. JSON is a text in SQLite, and a dict in PostgreSQL."""
    if sold in ("{}", {}) and now in ("{}", {}):
        return ()
    sold, now = (json.loads(each) if isinstance(each, str) else each for each in (sold, now))
    return tuple(sorted(RULES[kind].limits(sold, now, quantity, is_add_on=is_add_on).items()))


def as_time(value: Any, zone: tzinfo) -> datetime | None:
    """A column's time, aware: a datetime or an ISO text, in SQLite without a zone of its own."""
    if value is None:
        return None
    time: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=zone)


# Nothing but our own table and column names is put into these.
ENTITLEMENTS, PACKS, PRODUCTS, KEYS = (model._meta.db_table for model in (Entitlement, Pack, Product, ApiKey))
FIELDS = [
    *(("e", Entitlement._meta.get_field(name)) for name in ENTITLEMENT_COLUMNS),
    *(("u", Pack._meta.get_field(name)) for name in PACK_COLUMNS),
    *(("p", Product._meta.get_field(name)) for name in ("code", "kind", "features", "is_add_on", "limits")),
    *(("e", Entitlement._meta.get_field(name)) for name in ("features", "limits", "quantity")),
]
KEY_FIELDS = [("k", ApiKey._meta.get_field(name)) for name in ("id", "mode", "revoked_at", "last_used_at")]
LIMIT = f" LIMIT {ROWS_AT_ONCE + 1}"


def columns_of(fields: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(f"{table}.{field.column}" for table, field in fields)


def stored(purpose: str, sql: str, parameters: Sequence[str], fields: Sequence[tuple[str, Any]]) -> StoredQuery:
    return StoredQuery(purpose, sql + LIMIT, parameters, len(fields))


SUBJECTS_ROWS = (
    f"SELECT {columns_of(FIELDS)} FROM {ENTITLEMENTS} e JOIN {PRODUCTS} p ON p.id = e.product_id "  # noqa: S608
    f"LEFT JOIN {PACKS} u ON u.id = e.pack_id "
    "WHERE e.subject_ref = %(subject_ref)s AND e.mode = %(mode)s"
)


TABLES = {"": "e", "product": "p", "pack": "u"}


def sql_of(condition: Q) -> str:
    return as_sql(condition, at="%(at)s", column=column_of)


def column_of(path: str) -> str:
    relation, _, name = path.rpartition("__")
    return f"{TABLES[relation]}.{name}"


# Of rows that agree in all that the obstacles look at, one tells the reason as well as all; the product has the kind.
LOOKED_AT = {sql_of(leaf) for obstacle in OBSTACLES for leaf in leaves(obstacle.condition)}
ALIKE = ["e.product_id", "e.status", "e.status_reason", *sorted(sql for sql in LOOKED_AT if "p.kind" not in sql)]
ONE_OF_EACH_REASON = (
    f"SELECT min(e.id) FROM {ENTITLEMENTS} e LEFT JOIN {PACKS} u ON u.id = e.pack_id "  # noqa: S608
    "WHERE e.subject_ref = %(subject_ref)s AND e.mode = %(mode)s "
    f"GROUP BY {', '.join(ALIKE)}"
)
MATTERING_OF_SUBJECT = f"{SUBJECTS_ROWS} AND ({sql_of(MAY_BECOME_AVAILABLE)} OR e.id IN ({ONE_OF_EACH_REASON}))"
OF_SUBJECT = stored("rows", SUBJECTS_ROWS, ["subject_ref", "mode"], FIELDS)
OF_KEY_AND_SUBJECT = stored(
    "check",
    f"SELECT {columns_of([*KEY_FIELDS, *FIELDS])} FROM {KEYS} k "  # noqa: S608
    f"LEFT JOIN {ENTITLEMENTS} e ON e.mode = k.mode AND e.subject_ref = %(subject_ref)s "
    f"LEFT JOIN {PRODUCTS} p ON p.id = e.product_id LEFT JOIN {PACKS} u ON u.id = e.pack_id "
    "WHERE k.digest = %(digest)s",
    ["subject_ref", "digest"],
    [*KEY_FIELDS, *FIELDS],
)
register(OF_SUBJECT.function, OF_KEY_AND_SUBJECT.function)
