"""The host counts what is in use, in the database where the lock is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import isawaitable
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

Count = Callable[[], int | Awaitable[int]]


def counted(in_use: Count, *, using: str) -> int:
    """What the host's function says, sync or async.

    Raises ImproperlyConfigured if it asks another database than ``using``: what others add there does not wait for the
    lock, and a copy that is only read from may be behind.
    """
    with only(using):
        found = in_use()
        return async_to_sync(awaited)(found) if isawaitable(found) else found


async def awaited(found: Awaitable[int]) -> int:
    return await found


@contextmanager
def only(using: str) -> Iterator[None]:
    """Of all databases only this one may be asked."""
    with ExitStack() as stack:
        for alias in connections:
            if alias != using:
                stack.enter_context(connections[alias].execute_wrapper(refusal(alias, using)))
        yield


def refusal(alias: str, using: str) -> Callable[..., Any]:
    def refuse(*args: Any) -> Any:
        raise ImproperlyConfigured(
            f"limits.slot locks the subject in the database {using!r}, but in_use counted in {alias!r}, where nothing "
            f"waits for that lock. Count and create in {using!r}: Project.objects.using({using!r})."
        )

    return refuse
