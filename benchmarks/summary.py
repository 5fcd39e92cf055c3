"""The few figures that the README shows, written into it by the run that measured them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import DATABASES, known
from benchmarks.measures import http_check
from benchmarks.measures.gate import FLOOR, OURS
from benchmarks.report import table

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
ASKED = (OURS, "dj-stripe, customer at hand", "vinta, scope at hand")
# vinta acts on the invoice; what is behind its figures compares with our handling of the same event.
TOLD = {
    "licenzy": "customer.subscription.updated",
    "djstripe": "customer.subscription.updated",
    "vinta": "invoice.paid",
}
NAMES = ("", "licenzy-django", "dj-stripe 2.11.0", "vinta-django-billing 0.11.0", "for comparison")
NEEDED = ("gate", "webhook", "http", "consume", "growth", "footprint")

Found = dict[str, Any]


def write() -> None:
    """Put the table of a whole run into the README, between its two marks."""
    if all(known(name) for name in NEEDED):
        before, rest = README.read_text().split(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{text()}{END}{rest.split(END)[1]}")


def text() -> str:
    run = known("gate")["run"]
    measured = (
        f"Measured {run['at']} on {run['cpu']}, {run['cores']} cores, Python {run['python']}: medians, and behind them "
        "how many times as long as ours.\n"
    )
    return "\n".join([measured, table("", NAMES, list(rows())).removeprefix("## \n\n")])


def rows() -> Iterator[tuple[str, ...]]:
    for vendor, ways in known("gate")["databases"].items():
        floor = f"one ORM `.exists()`: {gate(ways[FLOOR])}"
        yield f"is this user entitled? {DATABASES[vendor]}", *(gate(ways[name]) for name in ASKED), floor
    memo = {name: gate(ways[f"{name}, second check of a request"]) for name in ("licenzy", "vinta")}
    yield "the same again in a request", memo["licenzy"], "", memo["vinta"], ""
    for vendor, events in known("webhook")["databases"].items():
        sides = [events[event_type][name] for name, event_type in TOLD.items()]
        yield f"a renewal's webhook, {DATABASES[vendor]}", *(webhook(side, "first") for side in sides), ""
        yield "the same event again", *(webhook(side, "again") for side in sides), ""
    views = known("http")["databases"]["postgresql"]["views"]
    asked = {name: f"{view['requests_per_second']['median']:,.0f}" for name, view in views.items()}
    ours = f"{asked.pop(http_check.OURS)} requests/s"
    others = "; ".join(f"{name}: {per_second}" for name, per_second in asked.items())
    yield "`POST /v1/access/check`, PostgreSQL", ours, "", "", others
    hot, many = (scenario["usage.consume"]["ratio"] for scenario in known("consume")["results"][:2])
    consumed = f"{hot} on one hot subject, {many} on 1,000"
    yield "`usage.consume`, PostgreSQL", consumed, "", "", "a bare conditional `UPDATE`: 1"
    yield "tables; packages; fresh migrate", *(footprint(known("footprint")[name]) for name in TOLD), ""


def gate(way: Found) -> str:
    count, microseconds = way["queries"], way["microseconds"]["median"]
    took = f"{microseconds / 1000:.1f} ms" if microseconds >= 1000 else f"{microseconds:.3g} µs"
    return f"{count} {'query' if count == 1 else 'queries'}, {took}{times(way)}"


def webhook(side: Found, which: str) -> str:
    took = side["stripe_at_0_ms"][which]
    statements = side["statements"][which]["reads_and_writes"]
    return f"{statements} statements, {took['milliseconds']['median']:.1f} ms{times(took)}"


def times(took: Found) -> str:
    """How many times as long as ours; nothing for ours, and for what is no time of the same thing."""
    many = took["times_as_long_as_ours"]["median"]
    return f" ({many:.1f} ×)" if many > 1 else ""


def footprint(side: Found) -> str:
    return f"{side['tables']}; {side['packages']}; {side['migrate_seconds']['median']:.2g} s"
