"""Billing periods, counted from the anchor so that the 31st stays the 31st where it can.

The anchor may lie ahead: "the reference point that aligns future billing cycle dates"
(docs.stripe.com/billing/subscriptions/billing-cycle).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from .json_tree import Json

_SECONDS = {"day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "year": 12}


def period_around(at: int, recurring: Json, anchor: int) -> tuple[int, int]:
    """The whole period, from one boundary (anchor ± n intervals) to the next, that ``at`` lies in."""
    interval, count = str(recurring["interval"]), int(recurring.get("interval_count") or 1)
    if interval in _SECONDS:
        length = _SECONDS[interval] * count
        start = anchor + length * ((at - anchor) // length)
        return start, start + length
    step = _MONTHS[interval] * count
    number = _months_between(anchor, at) // step
    while months_after(anchor, number * step) > at:
        number -= 1
    while months_after(anchor, (number + 1) * step) <= at:
        number += 1
    return months_after(anchor, number * step), months_after(anchor, (number + 1) * step)


def period_end(start: int, recurring: Json, anchor: int) -> int:
    """The first boundary after ``start``."""
    return period_around(start, recurring, anchor)[1]


def share_of(amount: int, part: int, whole: int) -> int:
    """``amount × part ÷ whole`` in whole cents, to the nearest; a half goes away from zero."""
    cents = (2 * abs(amount) * part + whole) // (2 * whole)
    return cents if amount >= 0 else -cents


def _months_between(earlier: int, later: int) -> int:
    first, last = datetime.fromtimestamp(earlier, UTC), datetime.fromtimestamp(later, UTC)
    return (last.year - first.year) * 12 + last.month - first.month


def months_after(timestamp: int, months: int) -> int:
    moment = datetime.fromtimestamp(timestamp, UTC)
    total = moment.month - 1 + months
    year, month = moment.year + total // 12, total % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
