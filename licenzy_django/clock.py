"""What time it is. Verbs take ``at=None`` and ask here, so nothing in them needs freezing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, overload

from django.utils.module_loading import import_string

from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest


def now() -> datetime:
    """The current time, aware, in UTC; ``LICENZY["CLOCK"]`` may name another clock."""
    clock: Any = import_string(licenzy_settings().CLOCK)
    return clock().astimezone(UTC)  # type: ignore[no-any-return]


def moment(at: datetime | None, name: str = "at") -> datetime:
    """The time that a caller gave, or now. Raises InvalidRequest for one without a zone, which names no moment."""
    if at is None:
        return now()
    if at.tzinfo is None or at.utcoffset() is None:
        raise InvalidRequest(fields={name: ["This must have a time zone: use django.utils.timezone.make_aware."]})
    return at


NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""Stands for the end of what has none, where a column is compared."""

# A day before a datetime can hold no more, so that every time zone can show it.
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


@overload
def from_timestamp(seconds: int) -> datetime: ...
@overload
def from_timestamp(seconds: None) -> None: ...
@overload
def from_timestamp(seconds: int | None) -> datetime | None: ...
def from_timestamp(seconds: int | None) -> datetime | None:
    """A Stripe timestamp (Unix seconds, UTC) as an aware datetime, from 1970 to ``LATEST``: no number fails."""
    return None if seconds is None else datetime.fromtimestamp(min(max(seconds, 0), int(LATEST.timestamp())), UTC)
