"""What was found, as a table for people and as a file that can be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import stripe

from conformance.scenario import NOT_SIMULATED, SCENARIOS, Row
from licenzy_django import __version__
from licenzy_django.conf import STRIPE_API_VERSION

Rows = Mapping[str, list[Row]]
"""Of each side that was played: ``simulator``, ``stripe``."""
HEAD = ("scenario", "what", "expected")
LONGEST_CELL = 60


def differences(sides: Rows) -> list[list[str]]:
    """The comparisons in which a side is not what the documentation says, or the sides are not alike."""
    found: list[list[str]] = []
    for key, by_side in together(sides).items():
        expected = next(row.expected for row in by_side.values())
        if any(not row.agrees for row in by_side.values()) or len(by_side) < len(sides):
            cells = [shown(by_side[side].found) if side in by_side else "–" for side in sides]
            found.append([*key, shown(expected), *cells])
    return found


def together(sides: Rows) -> dict[tuple[str, str], dict[str, Row]]:
    rows: dict[tuple[str, str], dict[str, Row]] = {}
    for side, found in sides.items():
        for row in found:
            rows.setdefault((row.scenario, row.what), {})[side] = row
    return rows


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def table(sides: Rows) -> str:
    """The differences; one sentence where there are none."""
    lines = [[*HEAD, *sides], *differences(sides)]
    if len(lines) == 1:
        return "Nothing differs."
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def summary(sides: Rows) -> str:
    """How many comparisons each side made, and how many agree."""
    return "\n".join(
        f"{side}: {len({row.scenario for row in rows})} scenarios, {len(rows)} comparisons, "
        f"{sum(row.agrees for row in rows)} agree, {sum(is_left_out(row) for row in rows)} scenarios left out"
        for side, rows in sides.items()
    )


def is_left_out(row: Row) -> bool:
    """The simulator does not do what the scenario needs, and says so."""
    return isinstance(row.found, str) and row.found.startswith(NOT_SIMULATED)


def is_well(rows: Iterable[Row]) -> bool:
    return all(row.agrees or is_left_out(row) for row in rows)


def save(sides: Rows, path: Path) -> None:
    """Every comparison, without keys and without the ids of an account."""
    names = {row.scenario for rows in sides.values() for row in rows}
    found = {
        "licenzy_django": __version__,
        "stripe_python": stripe.VERSION,
        "api_version": STRIPE_API_VERSION,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "pages": {name: SCENARIOS[name].page for name in sorted(names & SCENARIOS.keys())},
        "rows": [
            {"side": side, "scenario": row.scenario, "what": row.what, "expected": row.expected, "found": row.found}
            for side, rows in sides.items()
            for row in rows
        ],
    }
    path.write_text(json.dumps(found, indent=1) + "\n")
