"""Is this user entitled? In process; ours, theirs and the floor, taking turns."""

from __future__ import annotations

import random
import statistics
from typing import Any

from benchmarks.figures import figure, ratio
from benchmarks.sides.process import Side

# name in the report: which process, what it does
WAYS = {
    "licenzy": ("licenzy", "gate"),
    "licenzy, second check of a request": ("licenzy", "gate_memo"),
    "licenzy, local-memory cache": ("licenzy", "gate_cache"),
    "dj-stripe, customer at hand": ("djstripe", "gate"),
    "dj-stripe, from the user": ("djstripe", "gate_from_user"),
    "vinta, scope at hand": ("vinta", "gate"),
    "vinta, from the user": ("vinta", "gate_from_user"),
    "vinta, second check of a request": ("vinta", "gate_memo"),
    "floor: one ORM exists()": ("floor", "floor_exists"),
    "floor: one cache get": ("floor", "floor_locmem"),
}
OURS, FLOOR = "licenzy", "floor: one ORM exists()"


def measure(sides: dict[str, Side], *, subscribers: int, rounds: int, calls: int) -> dict[str, Any]:
    chance = random.Random(7)
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    queries: dict[str, int] = {}
    for number in range(rounds + 1):
        numbers = chance.sample(range(1, subscribers + 1), calls)
        for name, (side, do) in WAYS.items():
            answer = sides[side].ask(do, numbers=numbers)
            queries[name] = answer["queries"]
            if number:  # the first round warms up
                took[name].append(statistics.median(answer["microseconds"]))
    return {
        name: {
            "queries": queries[name],
            "microseconds": figure(took[name]),
            "times_as_long_as_ours": ratio(took[name], took[OURS]),
            "times_as_long_as_the_floor": ratio(took[name], took[FLOOR]),
        }
        for name in WAYS
    }
