"""Plain pictures: numbers in, coordinates out. The templates draw them as SVG, in the colours of the admin's theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from licenzy_django.models import Pack

WIDTH, HEIGHT = 720, 120


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a series: ``series`` names its colour."""

    x: float
    y: float
    width: float
    height: float
    series: str
    words: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Bars:
    """Days side by side, the values of each on top of each other. Coordinates are of a box ``width`` × ``height``."""

    bars: Sequence[Bar]
    ticks: Sequence[str]
    series: Sequence[str]
    highest: int
    total: int
    width: int = WIDTH
    height: int = HEIGHT


def bars(days: Sequence[tuple[date, dict[str, int]]]) -> Bars:
    """One column for each day. Series are drawn in the order of the first day that has them."""
    series = list(dict.fromkeys(name for _day, values in days for name in values))
    highest = max((sum(values.values()) for _day, values in days), default=0)
    step = WIDTH / max(len(days), 1)
    scale = HEIGHT / (highest or 1)
    drawn = []
    for number, (day, values) in enumerate(days):
        top = float(HEIGHT)
        for index, name in enumerate(series):
            height = values.get(name, 0) * scale
            top -= height
            if height:
                words = f"{day.isoformat()} · {name}: {values[name]}"
                drawn.append(box(number * step + 1, top, step - 2, height, name, words, index))
    ticks = [f"{day:%d.%m.}" for day, _values in days[::5]]
    return Bars(drawn, ticks, series, highest, sum(sum(values.values()) for _day, values in days))


def box(x: float, y: float, width: float, height: float, series: str, words: str, number: int = 0) -> Bar:
    return Bar(round(x, 1), round(y, 1), round(width, 1), round(height, 1), series, words, number)


def pack_bars(row: Pack, *, reserved: int, left: int) -> list[Bar]:
    """A pack as one bar: what became of its units."""
    parts = {"consumed": row.units_consumed, "reserved": reserved, "voided": row.units_voided, "remaining": left}
    drawn, x = [], 0.0
    for name, units in parts.items():
        width = units * WIDTH / row.units_granted
        if units:
            drawn.append(box(x, 0, max(width, 1), 16, name, f"{name}: {units}"))
        x += width
    return drawn
