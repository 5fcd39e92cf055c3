"""Where a simulated Stripe keeps its objects: in memory or in the database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ..json_tree import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What an idempotency key has been answered with."""

    status: int
    body: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The state of an idempotency key: ours to execute, already answered, running elsewhere or used differently."""

    state: str  # "ours", "answered", "in_flight" or "mismatch"
    answer: Answer | None = None


class Store(Protocol):
    """One world of Stripe (test or live). Things are live dicts; ``save`` is called after a change."""

    livemode: bool

    def unit(self) -> AbstractContextManager[None]:
        """One change: alone, and where the store can, all or nothing. Units nest."""

    def reading(self) -> AbstractContextManager[None]: ...
    def sibling(self, livemode: bool) -> Store: ...
    def now(self) -> int: ...
    def shift_clock(self, seconds: int) -> None: ...
    def new_id(self, prefix: str) -> str: ...
    def get(self, kind: str, identifier: str) -> Json | None: ...
    def add(self, thing: Json) -> None: ...
    def save(self, thing: Json) -> None: ...
    def remove(self, thing: Json) -> None: ...

    def all(self, kind: str, **where: Any) -> list[Json]:
        """Oldest first; ``where`` compares top-level fields."""

    def newest(self, kind: str, limit: int) -> list[Json]: ...

    def next_due(self, until: int) -> Json | None:
        """The thing whose time comes first, not later than ``until``."""

    def has_due(self, until: int) -> bool: ...
    def claim(self, key: str, fingerprint: str) -> Claim: ...
    def keep_answer(self, key: str, answer: Answer) -> None: ...
    def release(self, key: str) -> None: ...
    def delivered(self, event_id: str) -> bool: ...
    def note_delivery(self, event_id: str, status: int, error: str = "") -> None: ...

    def deliver_again(self, event_id: str, endpoint: str = "") -> None:
        """Everywhere, or where ``endpoint`` alone had got it."""


__all__ = ["Answer", "Claim", "Store"]
