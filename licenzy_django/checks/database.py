"""What the database has to be able to do, since constraints and locks carry the guarantees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections, router

VENDORS = ("postgresql", "sqlite")
ISOLATION_LEVELS = {1: "READ_UNCOMMITTED", 2: "READ_COMMITTED", 3: "REPEATABLE_READ", 4: "SERIALIZABLE"}


def our_databases() -> set[str]:
    models = apps.get_app_config("licenzy").get_models()
    return {choose(model) for model in models for choose in (router.db_for_write, router.db_for_read)}


@register("licenzy", Tags.compatibility)
def check_database_is_supported(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """MariaDB and MySQL ignore unique constraints with a condition and compare text without its case."""
    return [
        Error(
            f"licenzy_django does not support {connections[alias].display_name}.",
            hint="Use PostgreSQL, or SQLite for a small site: unique constraints with a condition must hold, and "
            "'user_A' must not be 'user_a'.",
            id="licenzy.E017",
        )
        for alias in sorted(our_databases())
        if connections[alias].vendor not in VENDORS
    ]


@register("licenzy", Tags.compatibility)
def check_database_is_the_default_one(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"A database router sends licenzy_django to {alias!r}, but its transactions are on {DEFAULT_DB_ALIAS!r}.",
            hint="Let the router return None or 'default' for the app label 'licenzy', for reading and for writing: "
            "a replica may not know yet that somebody has paid.",
            id="licenzy.E018",
        )
        for alias in sorted(our_databases() - {DEFAULT_DB_ALIAS})
    ]


@register("licenzy", Tags.compatibility)
def check_sqlite_waits_for_its_turn(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"The SQLite database {alias!r} does not begin its transactions as IMMEDIATE: "
            "of two that write at once, one fails with 'database is locked'.",
            hint=f"DATABASES[{alias!r}]['OPTIONS'] = {{'transaction_mode': 'IMMEDIATE', 'timeout': 20, "
            "'init_command': 'PRAGMA journal_mode=WAL;'}; with WAL, readers do not wait for writers.",
            id="licenzy.W016",
        )
        for alias in sorted(our_databases())
        if connections[alias].vendor == "sqlite"
        and str(connections[alias].settings_dict["OPTIONS"].get("transaction_mode")).upper()
        not in ("IMMEDIATE", "EXCLUSIVE")
    ]


@register("licenzy", Tags.compatibility)
def check_autocommit(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Without it nothing that stands outside of ``atomic`` is ever committed, and ``atomic`` undoes nothing."""
    return [
        Error(
            f"DATABASES[{alias!r}]['AUTOCOMMIT'] is False: purchases and used units would be lost.",
            hint="Remove it; Django begins and commits transactions itself.",
            id="licenzy.E061",
        )
        for alias in sorted(our_databases())
        if not connections[alias].settings_dict["AUTOCOMMIT"]
    ]


@register("licenzy", Tags.compatibility)
def check_isolation_level(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Our statements decide in the UPDATE and lock first, and see what others committed meanwhile: READ COMMITTED."""
    return [
        Error(
            f"DATABASES[{alias!r}] asks for the isolation level {level.replace('_', ' ')}: under load requests fail.",
            hint="Remove 'isolation_level' from OPTIONS; PostgreSQL's default, READ COMMITTED, is what is needed.",
            id="licenzy.E062",
        )
        for alias in sorted(our_databases())
        if (level := isolation_level(alias)) not in ("", "READ_COMMITTED", "READ_UNCOMMITTED")
    ]


def isolation_level(alias: str) -> str:
    """By the name that psycopg gives it; empty where nothing is said."""
    if connections[alias].vendor != "postgresql":
        return ""
    given = connections[alias].settings_dict["OPTIONS"].get("isolation_level")
    return "" if given is None else str(getattr(given, "name", None) or ISOLATION_LEVELS.get(given, given))
