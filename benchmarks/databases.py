"""Databases of our own, made for a run and gone after it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

POSTGRES_URL = os.environ.get("POSTGRES_URL", "postgres://root@127.0.0.1:5432/postgres")
PREFIX = f"licenzy_bench_{os.getpid()}"

MakeDatabase = Callable[[str], dict[str, Any]]


def has_postgres() -> bool:
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def sqlite() -> Iterator[MakeDatabase]:
    """A file for each name."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        yield lambda name: {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / f"{name}.sqlite3")}


@contextmanager
def postgresql() -> Iterator[MakeDatabase]:
    """A database for each name, on the server of POSTGRES_URL."""
    made: list[str] = []

    def make(name: str) -> dict[str, Any]:
        full_name = f"{PREFIX}_{name}"
        execute(f'CREATE DATABASE "{full_name}"')
        made.append(full_name)
        return {"ENGINE": "django.db.backends.postgresql", "NAME": full_name, **server()}

    try:
        yield make
    finally:
        for name in made:
            with suppress(psycopg.Error):
                execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def execute(statement: str) -> None:
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(statement.encode())


def server() -> dict[str, Any]:
    url = urlsplit(POSTGRES_URL)
    return {
        "HOST": unquote(url.hostname or ""),
        "PORT": url.port or 5432,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
    }


VENDORS = {"sqlite": sqlite, "postgresql": postgresql}
