"""Where the time goes on the three hot paths: cProfile's view, kept as text."""

from __future__ import annotations

from pathlib import Path

from benchmarks.databases import VENDORS, has_postgres
from benchmarks.sides.process import Side

HOT_PATHS = ("gate", "check", "webhook")


def measure(folder: Path, *, calls: int) -> None:
    vendor = "postgresql" if has_postgres() else "sqlite"
    folder.mkdir(parents=True, exist_ok=True)
    with VENDORS[vendor]() as make_database, Side("licenzy", make_database("profiles")) as side:
        side.ask("make_tables")
        side.ask("fill", subscribers=calls)
        for name in HOT_PATHS:
            (folder / f"profile-{name}.txt").write_text(side.ask("profile", hot_path=name, calls=calls))
