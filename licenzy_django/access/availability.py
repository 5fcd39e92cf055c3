"""What an entitlement is worth at one moment, read in Python from the definition in ``models.availability``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from licenzy_django.db.conditions import as_python
from licenzy_django.models import Status
from licenzy_django.models.availability import OBSTACLES, RANKS, REASON_OF_STATUS, Reason


class Entitled(Protocol):
    """What of an entitlement decides; a model row and an EntitlementRow both have it, and what the conditions name."""

    @property
    def status(self) -> Any: ...
    @property
    def status_reason(self) -> Any: ...
    @property
    def kind(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Availability:
    """What an entitlement is worth at one moment. ``reason`` says why it is not available, or is None."""

    status: str
    available: bool
    reason: Reason | None = None


IN_THE_WAY = [(as_python(obstacle.condition), obstacle) for obstacle in OBSTACLES]


def availability_of(row: Entitled, at: datetime) -> Availability:
    """The availability of one entitlement at one moment."""
    for is_in_the_way, obstacle in IN_THE_WAY:
        if is_in_the_way(row, at):
            status = row.status if obstacle.status is None else obstacle.status.value
            return Availability(status, False, obstacle.reason or reason_of(row))
    return Availability(row.status, True)


def reason_of(row: Entitled) -> Reason:
    """The reason that the row has, or its status's: also for one that only a newer release beside ours knows."""
    return Reason(row.status_reason) if row.status_reason in RANKS else REASON_OF_STATUS[Status(row.status)]
