"""The store for tests: dicts, a lock, a clock that stands still until it is moved."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ..due import TIMED, due_at
from ..json_tree import Json
from . import Answer, Claim


class _Shared:
    """What the test and the live world have in common: the clock, the counter, the lock."""

    def __init__(self, now: int, salt: str) -> None:
        self.now, self.salt, self.counter = now, salt, 0
        self.lock = threading.RLock()


class MemoryStore:
    """Cheap to make and fast; ids count upwards, so their order is the same in every run."""

    def __init__(
        self, *, now: int | datetime | None = None, salt: str | None = None, livemode: bool = False,
        shared: _Shared | None = None,
    ) -> None:  # fmt: skip
        start = int(now.timestamp()) if isinstance(now, datetime) else now if now is not None else int(time.time())
        self.livemode = livemode
        self._shared = shared or _Shared(start, secrets.token_hex(4) if salt is None else salt)
        self._things: dict[str, dict[str, Json]] = {}
        self._answers: dict[str, tuple[str, Answer | None]] = {}
        self._answers_lock = threading.Lock()
        self._delivered: dict[str, bool] = {}
        self._siblings: dict[bool, MemoryStore] = {livemode: self}

    def sibling(self, livemode: bool) -> MemoryStore:
        if livemode not in self._siblings:
            other = MemoryStore(now=0, livemode=livemode, shared=self._shared)
            other._siblings = self._siblings
            self._siblings[livemode] = other
        return self._siblings[livemode]

    @contextmanager
    def unit(self) -> Iterator[None]:
        with self._shared.lock:
            yield

    reading = unit

    def now(self) -> int:
        return self._shared.now

    def shift_clock(self, seconds: int) -> None:
        self._shared.now += seconds

    def new_id(self, prefix: str) -> str:
        self._shared.counter += 1
        return f"{prefix}_{self._shared.salt}{self._shared.counter:07d}"

    def get(self, kind: str, identifier: str) -> Json | None:
        return self._things.get(kind, {}).get(identifier)

    def add(self, thing: Json) -> None:
        self._things.setdefault(thing["object"], {})[thing["id"]] = thing

    def save(self, thing: Json) -> None:
        self.add(thing)

    def remove(self, thing: Json) -> None:
        self._things[thing["object"]].pop(thing["id"])

    def all(self, kind: str, **where: Any) -> list[Json]:
        things = self._things.get(kind, {}).values()
        if not where:
            return list(things)
        return [thing for thing in things if all(thing.get(key) == value for key, value in where.items())]

    def newest(self, kind: str, limit: int) -> list[Json]:
        return self.all(kind)[: -limit - 1 : -1]

    def next_due(self, until: int) -> Json | None:
        timed = [(at, thing) for kind in TIMED for thing in self.all(kind) if (at := due_at(thing)) is not None]
        at, thing = min(timed, key=lambda pair: pair[0], default=(until + 1, {}))
        return thing if at <= until else None

    def has_due(self, until: int) -> bool:
        return self.next_due(until) is not None

    def claim(self, key: str, fingerprint: str) -> Claim:
        with self._answers_lock:
            if key not in self._answers:
                self._answers[key] = (fingerprint, None)
                return Claim("ours")
            known, answer = self._answers[key]
        if known != fingerprint:
            return Claim("mismatch")
        return Claim("answered", answer) if answer else Claim("in_flight")

    def keep_answer(self, key: str, answer: Answer) -> None:
        self._answers[key] = (self._answers[key][0], answer)

    def release(self, key: str) -> None:
        self._answers.pop(key, None)

    def delivered(self, event_id: str) -> bool:
        return self._delivered.get(event_id, False)

    def note_delivery(self, event_id: str, status: int, error: str = "") -> None:
        self._delivered[event_id] = 200 <= status < 300

    def deliver_again(self, event_id: str, endpoint: str = "") -> None:
        self._delivered.pop(event_id, None)
