"""``make bench``: everything, or the parts that are named: ``python -m benchmarks gate webhook``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import report, summary
from benchmarks.databases import POSTGRES_URL, VENDORS, has_postgres
from benchmarks.figures import HERE, QUICK, RESULTS, keep
from benchmarks.measures import burst, footprint, gate, growth, http_check, profiles, webhook
from benchmarks.sides.process import PEERS_PYTHON, ROOT
from benchmarks.sides.together import all_sides

SUBSCRIBERS = 2_000 if QUICK else 10_000
ROUNDS = 3 if QUICK else 7
WITH_POSTGRES = has_postgres()
left_out: list[str] = []

Found = dict[str, Any]


def vendors() -> list[str]:
    return list(VENDORS) if WITH_POSTGRES else ["sqlite"]


def measure_sides() -> None:
    """The gate and the webhook need the same subscribers, so they share them."""
    gates: Found = {}
    webhooks: Found = {}
    for vendor in vendors():
        with all_sides(vendor, SUBSCRIBERS) as sides:
            calls = 100 if QUICK else 300
            gates[vendor] = gate.measure(sides, subscribers=SUBSCRIBERS, rounds=ROUNDS, calls=calls)
            webhooks[vendor] = webhook.measure(
                sides,
                rounds=2 if QUICK else 5,
                events=10 if QUICK else 30,
                slow_events=2 if QUICK else 5,
                delays_ms=[0, 150],
            )
    keep("gate", {"subscribers": SUBSCRIBERS, "rounds": ROUNDS, "databases": gates})
    keep("webhook", {"subscribers": SUBSCRIBERS, "databases": webhooks})


def measure_growth() -> None:
    if needs_postgres("growth"):
        sizes = [10_000, 1_000_000] if QUICK else [10_000, 1_000_000, 10_000_000]
        if QUICK:
            left_out.append("the gate at 10 million entitlements (QUICK)")
        keep("growth", {"entitlements": growth.measure(sizes, rounds=ROUNDS, calls=300)})


def measure_http() -> None:
    if not http_check.can_measure():
        left_out.append("the gate over HTTP: wrk is not installed (apt-get install wrk)")
        return
    seconds, rounds = (2, 3) if QUICK else (3, 7)
    found = {
        vendor: http_check.measure(vendor, subscribers=SUBSCRIBERS, rounds=rounds, seconds=seconds)
        for vendor in vendors()[-1:]
    }
    keep("http", {"databases": found})


def measure_burst() -> None:
    if needs_postgres("the burst of webhooks"):
        keep("burst", burst.measure(events=1_000 if QUICK else 10_000))


def measure_footprint() -> None:
    if QUICK:
        left_out.append("the time of dj-stripe's migrations, a minute or two (QUICK)")
    keep("footprint", footprint.measure(rounds=3 if QUICK else 7, slow_migrations=not QUICK))


def measure_profiles() -> None:
    profiles.measure(RESULTS, calls=300 if QUICK else 1000)


def measure_consume() -> None:
    options = ["--rounds", "3", "--seconds", "0.3"] if QUICK else []
    if needs_postgres("consume"):
        script("consume", *options)


def measure_outbound() -> None:
    if needs_postgres("outbound deliveries"):
        script("outbound", *(["400", "3"] if QUICK else ["1000", "5"]))


def script(name: str, *options: str) -> None:
    """A benchmark that also runs alone, and writes its own results."""
    written = HERE / "results" / f"{name}.json"
    before = written.read_text() if written.exists() else None
    written.unlink(missing_ok=True)  # what it fails to measure must not be told from last time
    subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *options],
        env=os.environ | {"DATABASE_URL": POSTGRES_URL},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    found = json.loads(written.read_text())
    if QUICK and before is not None:
        written.write_text(before)
    keep(name, {key: value for key, value in found.items() if key != "run"})


def draw_pictures() -> None:
    if PEERS_PYTHON.exists():
        subprocess.run([PEERS_PYTHON, "-m", "benchmarks.pictures"], cwd=ROOT, check=True)
    else:
        left_out.append("the pictures: make benchmarks/.venv-peers/made")


def needs_postgres(what: str) -> bool:
    if not WITH_POSTGRES:
        left_out.append(f"{what}: no PostgreSQL answers at POSTGRES_URL")
    return WITH_POSTGRES


PARTS: dict[str, Callable[[], None]] = {
    "sides": measure_sides,
    "http": measure_http,
    "burst": measure_burst,
    "footprint": measure_footprint,
    "consume": measure_consume,
    "profiles": measure_profiles,
    "growth": measure_growth,
    "outbound": measure_outbound,
}


def main(names: list[str]) -> None:
    if not WITH_POSTGRES:
        left_out.append("everything on PostgreSQL: none answers at POSTGRES_URL")
    for name in names or PARTS:
        began = time.monotonic()
        print(f"{name} …", flush=True)
        PARTS[name]()
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    draw_pictures()
    print(report.write(left_out))
    if not QUICK:
        summary.write()
    print(f"\nWritten to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
