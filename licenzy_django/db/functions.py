"""Functions that ``migrate`` makes in PostgreSQL, for statements that it would otherwise plan anew on every call.

Inside a function the plans are kept by the session, also behind a connection pooler. Without the functions everything
works, only slower.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import ProgrammingError, connections, router, transaction

from licenzy_django.db.location import location_of

logger = logging.getLogger("licenzy_django")

APP_LABEL = "licenzy"
REGISTERED: list[DatabaseFunction] = []
"""What ``migrate`` makes and the doctor looks for."""


class DatabaseFunction:
    """A function by its text, in which ``{name}`` stands for its name.

    The name follows from the text, so that old code and new code may run side by side.
    """

    def __init__(self, purpose: str, text: str) -> None:
        self.name = f"licenzy_{purpose}_{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        self.text = text.replace("{name}", self.name)

    def is_there(self, using: str) -> bool:
        """Whether the database has it. Asked once per process and schema, and again after one was made."""
        return is_there(using, location_of(connections[using]), self.name)

    def make(self, using: str) -> None:
        """Make it, where the database is PostgreSQL and has our tables but not yet this text of it.

        A role that may not make functions does without: ``licenzy_doctor`` says so.
        """
        is_there.cache_clear()
        is_ours = router.allow_migrate(using, APP_LABEL)
        if connections[using].vendor == "postgresql" and is_ours and not self.is_there(using):
            try:
                with transaction.atomic(using=using), connections[using].cursor() as cursor:
                    cursor.execute(self.text)
            except ProgrammingError as error:
                logger.warning("PostgreSQL did not let us make the function %s: %s", self.name, error)
            is_there.cache_clear()


@cache
def is_there(using: str, location: str, name: str) -> bool:
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    connection.ensure_connection()
    # The driver's own cursor: the first check of a process must not cost a statement more than the others.
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc(%s) IS NOT NULL", (name,))
        return bool(cursor.fetchone()[0])


class StoredQuery:
    """A SELECT whose plan PostgreSQL keeps.

    Args:
        sql: with ``%(name)s`` where a parameter belongs.
        parameters: their names, in the order in which they are given; all of them are texts.
        width: how many columns it selects.
    """

    def __init__(self, purpose: str, sql: str, parameters: Sequence[str], width: int) -> None:
        self.sql, self.parameters = sql, parameters
        given = ", ".join(f"in_{name} text" for name in parameters)
        columns = ", ".join(f"c{number}" for number in range(width))
        body = sql % {name: f"in_{name}" for name in parameters}
        # A row as one text: that costs both ends less than a row of many columns with their types.
        self.function = DatabaseFunction(
            purpose,
            f"CREATE FUNCTION {{name}}({given}) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY\n"
            f"SELECT json_build_array({columns})::text FROM (\n{body}\n) found({columns}); END $$",
        )
        self.call = f"SELECT * FROM {self.function.name}({', '.join(['%s'] * len(parameters))})"  # noqa: S608

    def fetch(self, using: str, *values: str) -> list[Sequence[Any]]:
        """The rows. Times may be ISO texts, and JSON may be a text or what it stands for, as the database likes."""
        is_stored = self.function.is_there(using)
        with connections[using].cursor() as cursor:
            if is_stored:
                cursor.execute(self.call, values)
                return [json.loads(row) for (row,) in cursor.fetchall()]
            cursor.execute(self.sql, dict(zip(self.parameters, values, strict=True)))
            return list(cursor.fetchall())


def register(*functions: DatabaseFunction) -> None:
    """Have ``migrate`` make these functions."""
    REGISTERED.extend(functions)
