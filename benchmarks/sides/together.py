"""All sides at once, each in a process of its own, with the same subscribers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.databases import VENDORS
from benchmarks.sides.process import Side

NAMES = ("licenzy", "djstripe", "vinta")


@contextmanager
def all_sides(vendor: str, subscribers: int) -> Iterator[dict[str, Side]]:
    """The libraries by name; ``floor`` is a second process on our tables."""
    with ExitStack() as stack:
        make_database = stack.enter_context(VENDORS[vendor]())
        databases = {name: make_database(name) for name in NAMES}
        sides = {name: stack.enter_context(Side(name, databases[name])) for name in NAMES}
        for side in sides.values():
            side.ask("make_tables")
            side.ask("fill", subscribers=subscribers)
        sides["floor"] = stack.enter_context(Side("licenzy", databases["licenzy"]))
        yield sides
