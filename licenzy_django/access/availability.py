"""Whether an entitlement is available at a moment, and why not: the one definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from licenzy_django.models import Kind, Status


class Entitled(Protocol):
    """What of an entitlement decides its standing; a model row and a gate row both have it."""

    @property
    def status(self) -> Any: ...
    @property
    def status_reason(self) -> Any: ...
    @property
    def grants_access(self) -> Any: ...
    @property
    def not_before(self) -> Any: ...
    @property
    def available_until(self) -> Any: ...
    @property
    def cancel_at(self) -> Any: ...
    @property
    def revoked_at(self) -> Any: ...
    @property
    def units_remaining(self) -> Any: ...
    @property
    def reserved_until(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Availability:
    """What an entitlement is worth at one moment. ``reason`` says why it is not available, or is None."""

    status: str
    available: bool
    reason: str | None = None


def availability_of(row: Entitled, kind: str, at: datetime) -> Availability:
    """The standing of one entitlement at one moment."""
    if row.revoked_at is not None:
        return Availability(Status.CANCELED.value, False, "revoked")
    if not row.grants_access:
        return Availability(row.status, False, row.status_reason or row.status)
    if row.not_before is not None and at < row.not_before:
        return Availability(row.status, False, "not_started")
    if row.available_until is not None and at >= row.available_until:
        if row.cancel_at is not None and row.cancel_at <= at:
            return Availability(Status.CANCELED.value, False, "canceled")
        if row.status == Status.PAST_DUE:
            return Availability(row.status, False, "past_due")
        return Availability(Status.EXPIRED.value, False, "expired")
    # Past the earliest end of what is reserved of it, some of it is free again, whether or not that was written down.
    has_expired = row.reserved_until is not None and row.reserved_until <= at
    if kind == Kind.USAGE_PACK and row.units_remaining <= 0 and not has_expired:
        return Availability(row.status, False, "usage_exhausted")
    return Availability(row.status, True)


# Of several refusals the one is told that is closest to access.
REASONS = (
    "payment_pending",
    "past_due",
    "not_started",
    "usage_exhausted",
    "paused",
    "disputed",
    "expired",
    "canceled",
    "refunded",
    "revoked",
)


def rank_of_reason(reason: str | None) -> int:
    return REASONS.index(reason) if reason in REASONS else len(REASONS)
