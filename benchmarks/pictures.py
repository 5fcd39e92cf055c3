"""Bar charts as plain SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.figures import RESULTS, known

Bar = tuple[str, float, str]
"""Its name, its length, and what stands at its end."""

WIDTH, ROW, LABEL, END = 820, 28, 280, 170
OURS, OTHERS = "#2f6f4f", "#9aa5b1"
STYLE = "font-family='system-ui, sans-serif' font-size='13' fill='#334155'"


def chart(title: str, note: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars; those of licenzy in a colour of their own."""
    longest = max(length for _, length, _ in bars)
    height = 64 + ROW * len(bars) + 10
    drawn = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{height}' rx='8' fill='#ffffff'/>",
        f"<text x='16' y='26' {STYLE} font-weight='600'>{escape(title)}</text>",
        f"<text x='16' y='46' {STYLE} font-size='11' opacity='.7'>{escape(note)}</text>",
    ]
    for number, (name, length, end) in enumerate(bars):
        top = 60 + ROW * number
        width = max(2.0, (WIDTH - LABEL - END) * length / longest)
        colour = OURS if name.startswith("licenzy") else OTHERS
        drawn += [
            f"<text x='{LABEL - 10}' y='{top + 16}' {STYLE} text-anchor='end'>{escape(name)}</text>",
            f"<rect x='{LABEL}' y='{top + 3}' width='{width:.1f}' height='{ROW - 9}' rx='3' fill='{colour}'/>",
            f"<text x='{LABEL + width + 8:.1f}' y='{top + 16}' {STYLE}>{escape(end)}</text>",
        ]
    return "\n".join([*drawn, "</svg>", ""])


def draw() -> None:
    """Draw what there are results for."""
    for vendor, ways in known("gate").get("databases", {}).items():
        bars = [
            (name, way["microseconds"]["median"], f"{way['microseconds']['median']:g} µs, {queries(way['queries'])}")
            for name, way in ways.items()
        ]
        save(f"gate-{vendor}", f"Is this user entitled? In process, {vendor}", noted("gate"), bars)
    for vendor, found in known("http").get("databases", {}).items():
        bars = [
            (name, view["requests_per_second"]["median"], f"{view['requests_per_second']['median']:g} requests/s")
            for name, view in found["views"].items()
        ]
        save("http", f"POST /v1/access/check over HTTP, {vendor}", noted("http"), bars)
    bars = [
        (f"licenzy, {int(size):,} entitlements", at["microseconds"]["median"], f"{at['microseconds']['median']:g} µs")
        for size, at in known("growth").get("entitlements", {}).items()
    ]
    save("growth", "The gate as the table grows, PostgreSQL", noted("growth"), bars)
    for vendor, events in known("webhook").get("databases", {}).items():
        bars = [
            (f"{name}: {event_type}", first["milliseconds"]["median"], f"{first['milliseconds']['median']:g} ms")
            for event_type, sides in events.items()
            for name, side in sides.items()
            for first in [side["stripe_at_0_ms"]["first"]]
        ]
        save(f"webhook-{vendor}", f"A renewal through the webhook, Stripe at 0 ms, {vendor}", noted("webhook"), bars)


def queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count} queries"


def noted(name: str) -> str:
    run = known(name).get("run", {})
    return f"Median of several rounds. {run.get('at')}, {run.get('cpu')}, {run.get('cores')} cores." if run else ""


def save(name: str, title: str, note: str, bars: Sequence[Bar]) -> None:
    if bars:
        (RESULTS / f"{name}.svg").write_text(chart(title, note, bars))
