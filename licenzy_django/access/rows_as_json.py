"""Entitlement rows as plain JSON, and back; each value is looked at before it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any

from licenzy_django.access.entitlement_rows import EntitlementRow
from licenzy_django.models import Status


def values_of(row: EntitlementRow) -> list[Any]:
    return [as_json(value) for value in astuple(row)]


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value


def row_of(values: Any) -> EntitlementRow:
    """The row. Raises ValueError or TypeError for values that are none."""
    row = EntitlementRow(*(read(value) for read, value in zip(READERS, values, strict=True)))
    Status(row.status)
    return row


def exactly(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return value

    return read


def moment(value: Any) -> datetime | None:
    """A text with its zone."""
    if value is None:
        return None
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return at


def names(value: Any) -> frozenset[str]:
    return frozenset(exactly(str)(name) for name in exactly(list)(value))


def numbers(value: Any) -> tuple[tuple[str, int | None], ...]:
    return tuple((exactly(str)(name), None if most is None else exactly(int)(most)) for name, most in value)


BY_TYPE: dict[Any, Callable[[Any], Any]] = {
    "str": exactly(str),
    "bool": exactly(bool),
    "int": exactly(int),
    "datetime | None": moment,
    "frozenset[str]": names,
    "tuple[tuple[str, int | None], ...]": numbers,
}
READERS = [BY_TYPE[column.type] for column in fields(EntitlementRow)]
