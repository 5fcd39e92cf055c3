"""Bar charts with Matplotlib, which is installed with the peers: ``.venv-peers/bin/python`` runs this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import DATABASES, RESULTS, known

OURS, OTHERS, INK = "#2f6f4f", "#9aa5b1", "#334155"
# Text stays text, and the same results give the same file.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "licenzy", "font.family": "sans-serif", "text.color": INK})


class Bar(NamedTuple):
    """A median with the lowest and the highest round, and what stands at its end."""

    name: str
    measured: dict[str, float]
    end: str


class Picture(NamedTuple):
    name: str
    title: str
    part: str
    """The part of the results whose date and machine it names."""
    unit: str
    bars: Sequence[Bar]


def pictures() -> Iterator[Picture]:
    """What there are results for."""
    for vendor, ways in known("gate").get("databases", {}).items():
        bars = [
            Bar(name, way["microseconds"], f"{way['microseconds']['median']:,g} µs, {queries(way['queries'])}")
            for name, way in ways.items()
        ]
        yield Picture(f"gate-{vendor}", f"Is this user entitled? In process, {DATABASES[vendor]}", "gate", "µs", bars)
    for vendor, found in known("http").get("databases", {}).items():
        bars = [bar(name, view["requests_per_second"], "a second") for name, view in found["views"].items()]
        title = f"POST /v1/access/check over HTTP, {DATABASES[vendor]}"
        yield Picture("http", title, "http", "requests a second", bars)
    sizes = known("growth").get("entitlements", {})
    if sizes:
        bars = [bar(f"licenzy, {int(size):,} entitlements", at["microseconds"], "µs") for size, at in sizes.items()]
        yield Picture("growth", "The gate as the table grows, PostgreSQL", "growth", "µs", bars)
    for vendor, events in known("webhook").get("databases", {}).items():
        bars = [
            bar(f"{name}: {event_type}", side["stripe_at_0_ms"]["first"]["milliseconds"], "ms")
            for event_type, sides in events.items()
            for name, side in sides.items()
        ]
        title = f"A renewal through the webhook, Stripe at 0 ms, {DATABASES[vendor]}"
        yield Picture(f"webhook-{vendor}", title, "webhook", "ms", bars)


def bar(name: str, measured: dict[str, float], unit: str) -> Bar:
    return Bar(name, measured, f"{measured['median']:,g} {unit}")


def queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count} queries"


def draw(picture: Picture) -> Figure:
    """Horizontal bars with their spread; those of licenzy in a colour of their own."""
    run = known(picture.part)["run"]
    measured = [each.measured for each in picture.bars]
    medians = [each["median"] for each in measured]
    spread = [
        [each["median"] - each["low"] for each in measured],
        [each["high"] - each["median"] for each in measured],
    ]
    figure = Figure(figsize=(9, 1.3 + 0.34 * len(picture.bars)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(
        [each.name for each in picture.bars],
        medians,
        xerr=spread,
        color=[OURS if each.name.startswith("licenzy") else OTHERS for each in picture.bars],
        error_kw={"ecolor": INK, "elinewidth": 0.8, "capsize": 2},
    )
    axes.bar_label(drawn, [each.end for each in picture.bars], padding=6)
    axes.margins(x=0.3)
    axes.set_xlim(left=0)
    axes.invert_yaxis()
    axes.tick_params(left=False, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_title(picture.title, loc="left", fontweight="bold")
    axes.set_xlabel(
        f"{picture.unit}: median, lowest and highest round. {run['at']}, {run['cpu']}, {run['cores']} cores.",
        loc="left", color=INK, fontsize="small",
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    for each in pictures():
        draw(each).savefig(RESULTS / f"{each.name}.svg", metadata={"Date": None})
