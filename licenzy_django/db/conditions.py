"""A condition that is declared once, as a ``Q``, and read by querysets, by SQL that is written by hand, and by Python.

Supported is what such conditions need: ``&``, ``|`` and ``~`` over the look-ups in ``LOOKUPS``. ``AT`` stands for the
moment that is asked about. A comparison with NULL is false, in all three readings.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, cast

from django.db.models import Q


class Moment:
    """Stands in a condition for the moment that is asked about."""

    def __repr__(self) -> str:
        return "AT"


AT = Moment()
LOOKUPS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "exact": ("=", operator.eq),
    "lt": ("<", operator.lt),
    "lte": ("<=", operator.le),
    "gt": (">", operator.gt),
    "gte": (">=", operator.ge),
}
Leaf = tuple[str, Any]
Reading = Callable[[Any, Any], bool]


def at_moment(condition: Q, at: Any) -> Q:
    """The condition for the ORM, with the moment in its place."""
    made = Q()
    made.connector, made.negated = condition.connector, condition.negated
    made.children = [
        at_moment(child, at) if isinstance(child, Q) else (child[0], at if child[1] is AT else child[1])
        for child in cast("list[Q | Leaf]", condition.children)
    ]
    return made


def leaves(condition: Q) -> Iterator[Q]:
    """Its single comparisons, in their order."""
    for child in cast("list[Q | Leaf]", condition.children):
        if isinstance(child, Q):
            yield from leaves(child)
        else:
            yield Q(child)


def as_sql(condition: Q, *, at: str, column: Callable[[str], str]) -> str:
    """The condition as SQL that PostgreSQL and SQLite read alike.

    Args:
        at: how the statement writes the moment: a parameter or a variable.
        column: how it writes a field; a field of a related row is asked for as ``product__kind``.
    """
    parts = [
        as_sql(child, at=at, column=column) if isinstance(child, Q) else leaf_as_sql(*child, at=at, column=column)
        for child in cast("list[Q | Leaf]", condition.children)
    ]
    text = parts[0] if len(parts) == 1 else f"({f' {condition.connector} '.join(parts)})"
    return f"NOT {text}" if condition.negated else text


def leaf_as_sql(path: str, value: Any, *, at: str, column: Callable[[str], str]) -> str:
    name, lookup = named(path)
    if lookup == "isnull":
        return f"({column(name)} IS {'' if value else 'NOT '}NULL)"
    if value is True or value is False:
        return column(name) if value else f"(NOT {column(name)})"
    sign, _ = LOOKUPS[lookup]
    if value is AT:
        return f"({column(name)} IS NOT NULL AND {column(name)} {sign} {at})"
    there = "" if lookup == "exact" else f"{column(name)} IS NOT NULL AND "
    return f"({there}{column(name)} {sign} {literal(value)})"


def literal(value: Any) -> str:
    """Only what the code itself declares is written into statements."""
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))


def as_python(condition: Q) -> Reading:
    """The condition as a function of a row and the moment. The kind of a row's product is the row's ``kind``."""
    parts = [
        as_python(child) if isinstance(child, Q) else leaf_as_python(*child)
        for child in cast("list[Q | Leaf]", condition.children)
    ]
    combined = every(parts) if condition.connector == Q.AND else some(parts)
    return (lambda row, at: not combined(row, at)) if condition.negated else combined


def every(parts: list[Reading]) -> Reading:
    return parts[0] if len(parts) == 1 else lambda row, at: all(part(row, at) for part in parts)


def some(parts: list[Reading]) -> Reading:
    return parts[0] if len(parts) == 1 else lambda row, at: any(part(row, at) for part in parts)


def leaf_as_python(path: str, value: Any) -> Reading:
    name, lookup = named(path)
    read = operator.attrgetter(name.rpartition("__")[2])
    if lookup == "isnull":
        return lambda row, at: (read(row) is None) == value
    _, compare = LOOKUPS[lookup]

    def holds(row: Any, at: Any) -> bool:
        found = read(row)
        return found is not None and compare(found, at if value is AT else value)

    return holds


def named(path: str) -> tuple[str, str]:
    """``reserved_until__lte`` is a field and a look-up."""
    name, _, lookup = path.rpartition("__")
    return (name, lookup) if name and (lookup in LOOKUPS or lookup == "isnull") else (path, "exact")
