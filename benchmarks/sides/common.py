"""The settings that all sides share. Imports nothing of theirs."""

from __future__ import annotations

from typing import Any

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def settings_of(side: Any, database: dict[str, Any]) -> dict[str, Any]:
    """What all sides have in common, and what each adds."""
    database = {**database, "CONN_MAX_AGE": None}
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = SQLITE_OPTIONS
    own = side.settings()
    return {
        "SECRET_KEY": "only-for-the-benchmark",
        "ALLOWED_HOSTS": ["*"],
        "USE_TZ": True,
        "DATABASES": {"default": database},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "OPTIONS": {"MAX_ENTRIES": 100_000},
            }
        },
        "LOGGING": {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}},
        "LOGGING_CONFIG": "logging.config.dictConfig",
        "MIDDLEWARE": [],
        **own,
        "INSTALLED_APPS": ["django.contrib.contenttypes", "django.contrib.auth", *own.get("INSTALLED_APPS", [])],
    }
