"""The results as one page of Markdown, with what we aim at beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.figures import RESULTS, known
from benchmarks.targets import targets

Found = dict[str, Any]


def write(left_out: Sequence[str]) -> str:
    """Write results.md; returns it."""
    sections = [heading(left_out), *aims(), *gate(), *growth(), *http(), *webhook(), *burst(), *consume(), *footprint()]
    text = "\n".join(sections) + "\n"
    (RESULTS / "results.md").write_text(text)
    return text


def heading(left_out: Sequence[str]) -> str:
    run = next((known(name)["run"] for name in ("gate", "http", "footprint", "growth") if known(name)), {})
    machine = f"{run.get('at')}, {run.get('cpu')}, {run.get('cores')} cores, Python {run.get('python')}"
    kind = f", load average {run.get('load_average')} at the end{', a quick run' if run.get('quick') else ''}"
    method = (
        "Each figure is the median of several rounds, with the lowest and the highest round behind it; ratios are "
        "taken inside each round."
    )
    lines = ["# Results\n", f"{machine}{kind}. {method}\n"]
    lines += [f"- Left out: {what}." for what in left_out]
    return "\n".join(lines) + ("\n" if left_out else "")


def aims() -> Iterator[str]:
    rows = [(what, f"{aim:g}", f"{figure:g}", "yes" if is_met else "**no**") for what, aim, figure, is_met in targets()]
    if rows:
        yield table("What we aim at", ("", "aim", "measured", "reached"), rows)


def gate() -> Iterator[str]:
    for vendor, ways in known("gate").get("databases", {}).items():
        rows = [
            (
                name,
                way["queries"],
                spread(way["microseconds"]),
                spread(way["times_as_long_as_ours"]),
                spread(way["times_as_long_as_the_floor"]),
            )
            for name, way in ways.items()
        ]
        names = ("", "statements", "µs", "× ours", "× one exists()")
        yield table(f"The gate, in process, {vendor}", names, rows) + picture(f"gate-{vendor}")


def growth() -> Iterator[str]:
    rows = [
        (
            f"{int(size):,}",
            f"{at['megabytes']:,}",
            spread(at["microseconds"]),
            spread(at["floor_microseconds"]),
            spread(at["times_the_smallest"]),
        )
        for size, at in known("growth").get("entitlements", {}).items()
    ]
    if rows:
        names = ("entitlements", "MB", "gate, µs", "one exists(), µs", "gate, × the smallest")
        yield table("The gate as the table grows, PostgreSQL", names, rows) + picture("growth")


def http() -> Iterator[str]:
    for vendor, found in known("http").get("databases", {}).items():
        rows = [
            (
                name,
                spread(view["requests_per_second"]),
                spread(view["p50_milliseconds"]),
                spread(view["p99_milliseconds"]),
                spread(view["ours_as_a_part_of_it"]),
            )
            for name, view in found["views"].items()
        ]
        names = ("", "requests/s", "p50, ms", "p99, ms", "ours as a part of it")
        title = f"The gate over HTTP, {vendor}, {found['workers']} gunicorn workers, {found['connections']} connections"
        yield table(title, names, rows) + picture("http")


def webhook() -> Iterator[str]:
    names = (
        "",
        "statements (all)",
        "duplicate",
        "Stripe calls",
        "ms",
        "× ours",
        "duplicate, ms",
        "Stripe at 150 ms, ms",
    )
    for vendor, events in known("webhook").get("databases", {}).items():
        rows = []
        for event_type, sides in events.items():
            for name, side in sides.items():
                fast = side["stripe_at_0_ms"]
                rows.append(
                    (
                        f"{name}: `{event_type}`",
                        counted(side["statements"]["first"]),
                        counted(side["statements"]["again"]),
                        side["stripe_calls"],
                        spread(fast["first"]["milliseconds"]),
                        spread(fast["first"]["times_as_long_as_ours"]),
                        spread(fast["again"]["milliseconds"]),
                        spread(side["stripe_at_150_ms"]["first"]["milliseconds"]),
                    )
                )
        yield table(f"A renewal through the webhook, {vendor}", names, rows) + picture(f"webhook-{vendor}")


def burst() -> Iterator[str]:
    if found := known("burst"):
        shown = ("events", "senders", "events_per_second", "p50_milliseconds", "p99_milliseconds")
        rows = [(name.replace("_", " "), found[name]) for name in (*shown, "answered_5xx_and_sent_again")]
        yield table("A burst of mixed events, PostgreSQL", ("", ""), rows)


def consume() -> Iterator[str]:
    rows = [
        (scenario["scenario"], way, figures["per_second"], f"{figures['ratio']} ({low} to {high})")
        for scenario in known("consume").get("results", [])
        for way, figures in scenario.items()
        if isinstance(figures, dict)
        for low, high in [figures["quartiles"]]
    ]
    if rows:
        yield table("Consume, PostgreSQL, ratio to a bare conditional UPDATE", ("", "way", "a second", "ratio"), rows)


def footprint() -> Iterator[str]:
    rows = [
        (
            name,
            side.get("tables", "left out"),
            side["packages"],
            spread(side["start_adds_milliseconds"]),
            ", ".join(side["loaded_at_start"]) or "none",
            spread(side["migrate_seconds"]) if "migrate_seconds" in side else "left out",
        )
        for name, side in known("footprint").items()
        if name != "run"
    ]
    if rows:
        names = (
            "",
            "tables",
            "packages",
            "adds to the start, ms",
            "heavy libraries it loads",
            "fresh migrate, s (SQLite)",
        )
        yield table("Footprint", names, rows)


def spread(figure: Found) -> str:
    return f"{figure['median']:g} ({figure['low']:g} to {figure['high']:g})"


def counted(statements: Found) -> str:
    return f"{statements['reads_and_writes']} ({statements['all']})"


def table(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [f"## {title}\n", row(names), row(["---"] * len(names)), *map(row, rows)]
    return "\n".join(lines) + "\n"


def row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def picture(name: str) -> str:
    return f"\n![{name}]({name}.svg)\n" if (RESULTS / f"{name}.svg").exists() else ""
