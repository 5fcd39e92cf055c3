"""What goes wrong on purpose, and a log of what was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

DROP_BEFORE = "drop_before"  # the connection breaks, nothing happened
DROP_AFTER = "drop_after"  # it happened, the answer is lost
TIMEOUT = "timeout"  # it happened, the answer comes too late
SERVER_ERROR = "server_error"  # 500 without effect, kept under the idempotency key
RATE_LIMIT = "rate_limit"  # 429, nothing happened, nothing kept
KINDS = (DROP_BEFORE, DROP_AFTER, TIMEOUT, SERVER_ERROR, RATE_LIMIT, "call_before", "call_in_flight", "call_after")


class ConnectionDroppedError(Exception):
    """The answer never reaches the caller."""


@dataclass(slots=True)
class Fault:
    kind: str
    method: str
    path: str
    times: int
    call: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it came in, before anything else."""

    method: str
    path: str
    body: str
    """The form: of the body of a POST, of the query of a GET. Retries must repeat it byte by byte."""
    headers: dict[str, str]
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")


class Faults:
    """The faults still to come; ``add("POST", "/v1/checkout/sessions", DROP_AFTER)`` breaks the next such request."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, method: str, path: str, kind: str, *, times: int = 1, call: Callable[[], Any] | None = None) -> None:
        """``method`` and ``path`` may have wildcards. The kinds ``call_…`` run ``call`` (a sleep, a barrier, a kill):
        before anything, while the key is taken, after the effect.
        """
        if kind not in KINDS:
            raise ValueError(f"Unknown fault {kind!r}: one of {', '.join(KINDS)}")
        self._waiting.append(Fault(kind, method, path, times, call))

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if fault.times > 0 and fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                    fault.times -= 1
                    return fault
        return None

    def clear(self) -> None:
        self._waiting.clear()
