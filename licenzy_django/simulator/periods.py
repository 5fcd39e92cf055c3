"""Billing periods, counted from the anchor so that the 31st stays the 31st where it can."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from .json_tree import Json

_SECONDS = {"day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "year": 12}


def period_end(start: int, recurring: Json, anchor: int) -> int:
    """The first boundary of the rhythm (anchor + n intervals) after ``start``."""
    interval, count = str(recurring["interval"]), int(recurring.get("interval_count") or 1)
    if interval in _SECONDS:
        length = _SECONDS[interval] * count
        return anchor + length * ((start - anchor) // length + 1)
    step = _MONTHS[interval] * count
    steps = max(1, _months_between(anchor, start) // step)
    while (boundary := _add_months(anchor, steps * step)) <= start:
        steps += 1
    return boundary


def _months_between(earlier: int, later: int) -> int:
    first, last = datetime.fromtimestamp(earlier, UTC), datetime.fromtimestamp(later, UTC)
    return (last.year - first.year) * 12 + last.month - first.month


def _add_months(timestamp: int, months: int) -> int:
    moment = datetime.fromtimestamp(timestamp, UTC)
    total = moment.month - 1 + months
    year, month = moment.year + total // 12, total % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
