"""A figure is the median of several rounds with its spread; a ratio is taken inside each round."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
QUICK = bool(os.environ.get("QUICK"))
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
RESULTS = HERE / "results" / "quick" if QUICK else HERE / "results"


def figure(rounds: Sequence[float], digits: int = 2) -> dict[str, float]:
    return {
        "median": rounded(statistics.median(rounds), digits),
        "low": rounded(min(rounds), digits),
        "high": rounded(max(rounds), digits),
    }


def rounded(value: float, digits: int) -> float:
    """Large figures do not need their decimals."""
    return round(value, digits if abs(value) < 100 else 0)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """How many times ``ours`` is ``theirs``, round by round."""
    return figure([our / their for our, their in zip(ours, theirs, strict=True)], 3)


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def keep(name: str, found: dict[str, Any]) -> None:
    """Write one part of the results, with the date and what kind of machine it was."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"run": run(), **found}, indent=2) + "\n")


def known(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def run() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "quick": QUICK,
    }


def cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
