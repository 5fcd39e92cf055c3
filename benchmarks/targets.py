"""Where we want to be, and where we are."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import known
from benchmarks.measures.gate import FLOOR, OURS

Target = tuple[str, float, float, bool]
"""What, the aim, what was measured, whether that is enough."""


def targets() -> Iterator[Target]:
    yield from gate_targets()
    yield from http_targets()
    yield from webhook_targets()
    yield from consume_targets()
    yield from footprint_targets()


def at_least(what: str, aim: float, measured: float) -> Target:
    return f"{what}, at least", aim, measured, operator.ge(measured, aim)


def at_most(what: str, aim: float, measured: float) -> Target:
    return f"{what}, at most", aim, measured, operator.le(measured, aim)


def gate_targets() -> Iterator[Target]:
    for vendor, ways in known("gate").get("databases", {}).items():
        memo = ways["licenzy, second check of a request"]
        yield at_most(f"gate, {vendor}: statements", 1, ways[OURS]["queries"])
        speed = round(ways[FLOOR]["times_as_long_as_ours"]["median"], 2)
        yield at_least(f"gate, {vendor}: speed as a part of one `exists()`", 0.6, speed)
        yield at_most(f"gate, {vendor}: statements of a second check", 0, memo["queries"])
        yield at_most(f"gate, {vendor}: µs of a second check", 10, memo["microseconds"]["median"])
        for peer in ("dj-stripe, customer at hand", "vinta, scope at hand"):
            yield at_least(f"gate, {vendor}: times faster than {peer}", 4, median(ways[peer], "times_as_long_as_ours"))
    sizes = list(known("growth").get("entitlements", {}).items())
    if sizes:
        size, at = sizes[-1]
        yield at_most(f"gate: {int(size):,} entitlements against 10,000", 1.5, median(at, "times_the_smallest"))


def http_targets() -> Iterator[Target]:
    for vendor, found in known("http").get("databases", {}).items():
        views = found["views"]
        # The aim can be read of a bare view with the query and of one without; ours is held to both.
        aims = (("bare DRF view, one query", 0.9), ("bare Django view, one query", 0.45), ("bare Django view", 0.45))
        for name, aim in aims:
            yield at_least(f"HTTP, {vendor}: part of a {name}", aim, median(views[name], "ours_as_a_part_of_it"))


def webhook_targets() -> Iterator[Target]:
    for vendor, events in known("webhook").get("databases", {}).items():
        updated, paid = events["customer.subscription.updated"], events["invoice.paid"]
        ours, theirs = updated["licenzy"]["statements"], updated["djstripe"]["statements"]
        for which in ("reads_and_writes", "all"):
            times = round(theirs["first"][which] / ours["first"][which], 2)
            yield at_least(f"webhook, {vendor}: times fewer statements ({words(which)}) than dj-stripe", 3, times)
        yield at_least(f"webhook, {vendor}: times faster than dj-stripe", 3, first_of(updated["djstripe"]))
        yield at_least(f"webhook, {vendor}: times faster than vinta", 2, first_of(paid["vinta"]))
        for which in ("reads_and_writes", "all"):
            yield at_most(f"duplicate, {vendor}: statements ({words(which)})", 2, ours["again"][which])


def consume_targets() -> Iterator[Target]:
    for scenario in known("consume").get("results", []):
        ratio = scenario["usage.consume"]["ratio"]
        yield at_least(f"consume, {scenario['scenario']}: part of a bare UPDATE", scenario["goal"], ratio)


def footprint_targets() -> Iterator[Target]:
    if ours := known("footprint").get("licenzy"):
        yield at_most("tables", 14, ours["tables"])
        yield at_most("fresh migrate, seconds", 2, ours["migrate_seconds"]["median"])
        yield at_most("`stripe` imported at the start", 0, int("stripe" in ours["loaded_at_start"]))


def words(which: str) -> str:
    return which.replace("_", " ")


def first_of(side: dict[str, Any]) -> float:
    """With Stripe answering at once."""
    return median(side["stripe_at_0_ms"]["first"], "times_as_long_as_ours")


def median(figures: dict[str, Any], name: str) -> float:
    return float(figures[name]["median"])
