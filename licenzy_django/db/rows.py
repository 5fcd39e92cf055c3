"""Rows in the database that is written to, since a replica may be behind."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from django.db import connections, models, router

Row = TypeVar("Row", bound=models.Model)


def written(model: type[Row]) -> models.QuerySet[Row]:
    """All rows of a model."""
    return model._base_manager.using(writer_of(model))


def insert(row: models.Model) -> bool:
    """Insert a new row. False, and nothing has happened, where a unique index has it already.

    The index decides: of several that insert at once one gets True. No transaction is spoiled, and so
    needs no savepoint, which the ORM has no way to say. No signals are sent.
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
