"""The statements of a webhook, put together once: Django takes longer to write one than the database to run it.

All go to the database that is written to, since a replica may be behind. None sends a model's signals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connections, models, router

Row = TypeVar("Row", bound=models.Model)
Params = Sequence[Any] | Mapping[str, Any]
NOTHING: Mapping[str, str] = {}


def insert(row: models.Model) -> bool:
    """Insert a new row. False, and nothing has happened, where a unique index has it already.

    The index decides: of several that insert at once one gets True. No transaction is spoiled.
    """
    model = type(row)
    connection = connections[writer_of(model)]
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in own_fields(model)]
    has_returning = connection.features.can_return_columns_from_insert
    with connection.cursor() as cursor:
        cursor.execute(insertion(model, has_returning), values)
        if has_returning:
            found = cursor.fetchone()
            row.pk = found[0] if found else None
        else:
            row.pk = cursor.lastrowid if cursor.rowcount > 0 else None
    row._state.adding, row._state.db = False, connection.alias
    return row.pk is not None


def update(model: type[models.Model], values: Mapping[str, Any], where: str, *params: Any) -> int:
    """Set these fields of the rows ``WHERE …``. Returns how many there were."""
    connection = connections[writer_of(model)]
    fields: list[Any] = [model._meta.get_field(name) for name in values]
    ready = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values.values(), strict=True)]
    changes = ", ".join(f'"{field.column}" = %s' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {changes} WHERE {where}", [*ready, *params])  # noqa: S608
        return int(cursor.rowcount)


def select(
    model: type[Row],
    where: str,
    *params: Any,
    lock: bool = False,
    related: str = "",
    also: Mapping[str, str] = NOTHING,
) -> list[Row]:
    """The rows ``WHERE …``; the table is called ``t`` there.

    Args:
        lock: until the end of the transaction, where the database has row locks. Others may still refer to the row, so
            that their foreign keys need not wait. Not with ``related``.
        related: a foreign key whose row is read along.
        also: attributes that the rows get, each from an expression of SQL.
    """
    sql = selection(model, related, tuple(also.values())) + where
    if lock and connections[writer_of(model)].features.has_select_for_no_key_update:
        sql += " FOR NO KEY UPDATE"
    found = fetch(model, sql, params)
    rows = made(model, found)
    if related:
        key: Any = model._meta.get_field(related)
        for row, other in zip(rows, made(key.related_model, found, len(model._meta.concrete_fields)), strict=True):
            setattr(row, related, other)
    for number, name in enumerate(also, start=-len(also)):
        for row, values in zip(rows, found, strict=True):
            setattr(row, name, values[number])
    return rows


def fetch(model: type[models.Model], sql: str, params: Params) -> list[tuple[Any, ...]]:
    """What a statement finds, as the driver gives it."""
    with connections[writer_of(model)].cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def any_of(count: int) -> str:
    """``IN (…)`` for so many parameters."""
    return f"IN ({', '.join(['%s'] * count)})"


def made(model: type[Row], found: Sequence[tuple[Any, ...]], first: int = 0) -> list[Row]:
    """Rows of a model from its columns, all of them and in their order, the first of which is the ``first`` one."""
    if not found:
        return []
    alias, fields = writer_of(model), model._meta.concrete_fields
    compiler = model._base_manager.using(alias).query.get_compiler(alias)
    converters = compiler.get_converters([field.cached_col for field in fields])
    names = [field.attname for field in fields]
    own = [values[first : first + len(names)] for values in found]
    return [model.from_db(alias, names, values) for values in compiler.apply_converters(own, converters)]


def writer_of(model: type[models.Model]) -> str:
    return router.db_for_write(model)


@cache
def own_fields(model: type[models.Model]) -> list[Any]:
    """All but the primary key, which the database gives."""
    return [field for field in model._meta.concrete_fields if not field.primary_key]


# Nothing but our own table and column names is put into these.


@cache
def insertion(model: type[models.Model], has_returning: bool) -> str:
    names = [f'"{field.column}"' for field in own_fields(model)]
    sql = f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"  # noqa: S608
    return f"{sql} ON CONFLICT DO NOTHING" + (" RETURNING id" if has_returning else "")


@cache
def selection(model: type[models.Model], related: str, also: tuple[str, ...]) -> str:
    tables = f"{model._meta.db_table} t"
    columns = [f't."{field.column}"' for field in model._meta.concrete_fields]
    if related:
        key: Any = model._meta.get_field(related)
        other = key.related_model._meta
        columns += [f'o."{field.column}"' for field in other.concrete_fields]
        tables += f" JOIN {other.db_table} o ON o.id = t.{key.column}"
    return f"SELECT {', '.join([*columns, *also])} FROM {tables} WHERE "  # noqa: S608
