"""Tables made as each side makes them, or, where that takes minutes, straight from its models."""

from __future__ import annotations

import time
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection


def make(*, from_models: bool) -> float:
    """Make every table; returns the seconds that it took."""
    if from_models:
        settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    began = time.perf_counter()
    call_command("migrate", verbosity=0, run_syncdb=True, interactive=False)
    return time.perf_counter() - began


def footprint(labels: list[str]) -> dict[str, Any]:
    """A fresh migrate: Django's own apps first, then these, timed alone. Counts the tables that were added."""
    for label in ("contenttypes", "auth"):
        call_command("migrate", label, verbosity=0, interactive=False)
    before = set(connection.introspection.table_names())
    began = time.perf_counter()
    for label in labels:
        call_command("migrate", label, verbosity=0, interactive=False)
    seconds = time.perf_counter() - began
    return {"tables": len(set(connection.introspection.table_names()) - before), "seconds": seconds}
