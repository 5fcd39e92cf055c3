"""A store on top of another one: what is changed or made in it is never seen below."""

from __future__ import annotations

from typing import Any

from ..json_tree import Json, snapshot
from . import Store
from .memory import MemoryStore


class ScratchStore(MemoryStore):
    """Reads copies from ``below`` and keeps all changes to itself; it has a clock of its own.

    What comes into being here has ids with ``tmp`` in them; an invoice's begins with ``upcoming_in``, as Stripe's do.
    """

    def __init__(self, below: Store, *, now: int) -> None:
        super().__init__(now=now, salt="tmp", livemode=below.livemode)
        self._below = below
        self._removed: set[tuple[str, str]] = set()

    def new_id(self, prefix: str) -> str:
        return super().new_id("upcoming_in" if prefix == "in" else prefix)

    def get(self, kind: str, identifier: str) -> Json | None:
        own = super().get(kind, identifier)
        if own is None and kind != "event" and (kind, identifier) not in self._removed:
            below = self._below.get(kind, identifier)
            own = snapshot(below) if below else None
            if own is not None:
                self.add(own)
        return own

    def remove(self, thing: Json) -> None:
        super().remove(thing)
        self._removed.add((thing["object"], thing["id"]))

    def all(self, kind: str, **where: Any) -> list[Json]:
        """Of events only those that were written here."""
        below = self._below.all(kind, **where) if kind != "event" else []
        known = {thing["id"]: own for thing in below if (own := self.get(kind, thing["id"]))}
        known |= {thing["id"]: thing for thing in super().all(kind, **where)}
        return [thing for thing in known.values() if all(thing.get(key) == value for key, value in where.items())]
