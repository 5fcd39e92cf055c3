"""What every part of the simulated Stripe stands on: its things, its clock, its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from .conf import API_VERSION
from .json_tree import Json, difference, snapshot
from .refusals import no_such
from .stores import Store


class Identified(Protocol):
    """A Stripe object in any form: a dict of ours, an object of the stripe library."""

    def __getitem__(self, key: str, /) -> Any: ...


Ref = str | Identified
DAY = 86_400
PAGES = "http://127.0.0.1:8000/simulator"
"""Where the pages are by default."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The API request that an event is the consequence of; both None for what Stripe does by itself."""

    request_id: str | None = None
    idempotency_key: str | None = None


class World:
    """One mode (test or live) of one simulated Stripe account."""

    def __init__(
        self, store: Store, *, after_retries: str = "cancel", page_base: Callable[[], str] | None = None
    ) -> None:
        """``after_retries``: what becomes of a subscription whose retries are used up: cancel, unpaid or past_due.

        ``page_base`` answers where the simulator's pages are, without a slash at the end.
        """
        self.store = store
        self.page_base = page_base or (lambda: PAGES)
        self.cause = Cause()
        self.after_retries = after_retries
        self._frozen: int | None = None

    @property
    def livemode(self) -> bool:
        return self.store.livemode

    @property
    def now(self) -> int:
        """The time of this world, in Unix seconds; inside ``on_clock_of`` that of a test clock."""
        return self.store.now() if self._frozen is None else self._frozen

    def shift_clock(self, seconds: int) -> None:
        if self._frozen is None:
            self.store.shift_clock(seconds)
        else:
            self._frozen += seconds

    @contextmanager
    def on_clock_of(self, thing: Json | None) -> Iterator[None]:
        """The block lives in the time of the thing's test clock, where it or its customer has one. Inside a unit."""
        clock = self._clock_of(thing) if thing and self._frozen is None else None
        if clock is None:
            yield
            return
        self._frozen = clock["frozen_time"]
        try:
            yield
            if self._frozen > clock["frozen_time"]:
                with self.changing(clock):
                    clock["frozen_time"] = self._frozen
        finally:
            self._frozen = None

    def _clock_of(self, thing: Json) -> Json | None:
        if thing["object"] == "test_helpers.test_clock":
            return thing
        owner = self.store.get("customer", thing["customer"]) if isinstance(thing.get("customer"), str) else None
        identifier = thing.get("test_clock") or (owner or {}).get("test_clock")
        return self.store.get("test_helpers.test_clock", identifier) if identifier else None

    def unit(self) -> AbstractContextManager[None]:
        return self.store.unit()

    def reading(self) -> AbstractContextManager[None]:
        """For looking only: takes no lock where the store needs none."""
        return self.store.reading()

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        """The events of the block name this request. To be used inside a unit, which is alone."""
        self.cause = cause
        try:
            yield
        finally:
            self.cause = Cause()

    def new_id(self, prefix: str) -> str:
        return self.store.new_id(prefix)

    def find(self, kind: str, ref: Ref, *, param: str = "") -> Json:
        """The live object. Raises RefusalError (404, or 400 when a parameter named it)."""
        identifier = ref if isinstance(ref, str) else str(ref["id"])
        thing = self.store.get(kind, identifier)
        if thing is None:
            raise no_such(kind, identifier, param=param)
        return thing

    def add(self, thing: Json, event: str = "") -> Json:
        self.store.add(thing)
        if event:
            self.emit(event, thing)
        return thing

    @contextmanager
    def changing(self, thing: Json, event: str = "") -> Iterator[Json]:
        """Saves what the block changes; with ``event``, tells it with the previous attributes."""
        before = snapshot(thing) if event else {}
        yield thing
        self.store.save(thing)
        if event and (previous := difference(before, thing)):
            self.emit(event, thing, previous)

    def emit(self, event_type: str, thing: Json, previous: Json | None = None) -> Json:
        """Writes an event with a snapshot of the thing as it is at this moment."""
        told: Json = {"object": snapshot(thing)}
        if previous is not None:
            told["previous_attributes"] = previous
        event: Json = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": told,
            "livemode": self.livemode,
            "pending_webhooks": 1,
            "request": {"id": self.cause.request_id, "idempotency_key": self.cause.idempotency_key},
            "type": event_type,
        }
        self.store.add(event)
        return event
