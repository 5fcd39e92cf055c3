"""What each brings along: tables, packages, time to start and to migrate."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.databases import sqlite
from benchmarks.figures import figure
from benchmarks.sides.process import ROOT, Side, python_of
from benchmarks.sides.together import NAMES

INSTALLED_AS = {
    "licenzy": ["licenzy-django"],
    "djstripe": ["dj-stripe"],
    "vinta": ["vinta-django-billing", "stripe", "openapi"],
}


def measure(*, rounds: int, slow_migrations: bool) -> dict[str, Any]:
    """``slow_migrations`` also times dj-stripe's, which take a minute or two."""
    found: dict[str, Any] = {name: {"packages": len(packages_of(name))} for name in NAMES}
    starting: dict[str, list[float]] = {name: [] for name in (*NAMES, "")}
    for number in range(rounds + 1):
        for name, times in starting.items():
            answer = started(name)
            if number:
                times.append(answer["milliseconds"])
            if name:
                found[name]["loaded_at_start"] = answer["loaded"]
    for name in NAMES:
        added = [with_it - bare for with_it, bare in zip(starting[name], starting[""], strict=True)]
        found[name]["start_adds_milliseconds"] = figure(added, 0)
        if slow_migrations or name != "djstripe":
            migrated = [migrate(name) for _ in range(1 if name == "djstripe" else 3)]
            found[name]["tables"] = migrated[0]["tables"]
            found[name]["migrate_seconds"] = figure([each["seconds"] for each in migrated])
    return found


def packages_of(name: str) -> list[str]:
    installed: list[str] = asked(name, "benchmarks.sides.packages", *INSTALLED_AS[name])
    return installed


def started(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = asked(name, "benchmarks.sides.startup", *([name] if name else []))
    return answer


def asked(name: str, module: str, *arguments: str) -> Any:
    command = [python_of(name), "-m", module, *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def migrate(name: str) -> dict[str, Any]:
    with sqlite() as make_database, Side(name, make_database(name)) as side:
        answer: dict[str, Any] = side.ask("footprint")
        return answer
