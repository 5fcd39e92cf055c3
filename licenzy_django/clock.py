"""What time it is. Verbs take ``at=None`` and ask here, so nothing in them needs freezing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.module_loading import import_string

from licenzy_django.conf import licenzy_settings


def now() -> datetime:
    """The current time, aware, in UTC; ``LICENZY["CLOCK"]`` may name another clock."""
    clock: Any = import_string(licenzy_settings().CLOCK)
    return clock().astimezone(UTC)  # type: ignore[no-any-return]


# A day before a datetime can hold no more, so that every time zone can show it.
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def from_timestamp(seconds: int | None) -> datetime | None:
    """A Stripe timestamp (Unix seconds, UTC) as an aware datetime, from 1970 to ``LATEST``: no number fails."""
    return None if seconds is None else datetime.fromtimestamp(min(max(seconds, 0), int(LATEST.timestamp())), UTC)
