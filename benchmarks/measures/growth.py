"""How the gate's cost grows with the table: databases of different sizes at once, taking turns. PostgreSQL."""

from __future__ import annotations

import random
import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.databases import postgresql
from benchmarks.figures import figure, ratio
from benchmarks.sides.process import Side


def measure(sizes: list[int], *, rounds: int, calls: int) -> dict[str, Any]:
    chance = random.Random(7)
    with ExitStack() as stack:
        make_database = stack.enter_context(postgresql())
        sides = {size: stack.enter_context(Side("licenzy", make_database(f"of_{size}"))) for size in sizes}
        found: dict[int, dict[str, Any]] = {}
        for size, side in sides.items():
            print(f"  filling {size:,} entitlements", flush=True)
            side.ask("make_tables")
            found[size] = side.ask("fill_many", entitlements=size)
        took: dict[str, dict[int, list[float]]] = {
            "gate": {size: [] for size in sizes},
            "floor_exists": {size: [] for size in sizes},
        }
        for number in range(rounds + 1):
            for do, by_size in took.items():
                for size, side in sides.items():
                    answer = side.ask(do, numbers=chance.choices(range(1, size + 1), k=calls))
                    if number:
                        by_size[size].append(statistics.median(answer["microseconds"]))
    smallest = sizes[0]
    return {
        str(size): {
            "megabytes": round(found[size]["bytes"] / 1e6),
            "microseconds": figure(took["gate"][size]),
            "floor_microseconds": figure(took["floor_exists"][size]),
            "times_the_smallest": ratio(took["gate"][size], took["gate"][smallest]),
        }
        for size in sizes
    }
