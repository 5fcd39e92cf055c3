"""When an entitlement is available, and why not: the one definition.

``OBSTACLES`` is read by querysets (``is_available``), by the SQL of the access check and of usage (``db.conditions``)
and by Python (``access.availability``). A new reason is a member of ``Reason`` and an obstacle here, or a reason that
``entitlements`` stores with the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from licenzy_django.db.conditions import AT, at_moment
from licenzy_django.models.entitlement import Status
from licenzy_django.models.kinds import Kind


class Reason(StrEnum):
    """Why an entitlement is not available; the first one is the closest to access. Of several, that one is given."""

    PAYMENT_PENDING = "payment_pending"
    PAST_DUE = "past_due"
    NOT_STARTED = "not_started"
    USAGE_EXHAUSTED = "usage_exhausted"
    PAUSED = "paused"
    DISPUTED = "disputed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    REVOKED = "revoked"

    @property
    def rank(self) -> int:
        """From 0, the closest to access."""
        return RANKS[self]


RANKS = {reason: rank for rank, reason in enumerate(Reason)}

REASON_OF_STATUS = {
    Status.ACTIVE: Reason.PAYMENT_PENDING,
    Status.TRIALING: Reason.PAYMENT_PENDING,
    Status.PAST_DUE: Reason.PAST_DUE,
    Status.SUSPENDED: Reason.PAUSED,
    Status.CANCELED: Reason.CANCELED,
    Status.EXPIRED: Reason.EXPIRED,
}
"""For a row that gives no access and does not say why."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps an entitlement from being available.

    Attributes:
        condition: when it is in the way.
        reason: what is said then; None means the reason that the row itself has.
        status: what the commercial state is then; None means the status that the row has.
    """

    condition: Q
    reason: Reason | None
    status: Status | None = None


IS_REVOKED = Q(revoked_at__isnull=False)
IS_OFF = Q(grants_access=False)
IS_EARLY = Q(not_before__gt=AT)
IS_OVER = Q(available_until__lte=AT)
# Past the earliest end of what is reserved of it, some of it is free again, whether or not that was written down.
HAS_UNITS = Q(units_remaining__gt=0) | Q(reserved_until__lte=AT)
"""Of a pack."""
PACK_HAS_UNITS = Q(pack__units_remaining__gt=0) | Q(pack__reserved_until__lte=AT)
IS_USED_UP = Q(product__kind=Kind.USAGE_PACK.value) & ~PACK_HAS_UNITS

OBSTACLES = (
    Obstacle(IS_REVOKED, Reason.REVOKED, Status.CANCELED),
    Obstacle(IS_OFF, None),
    Obstacle(IS_EARLY, Reason.NOT_STARTED),
    Obstacle(IS_OVER & Q(cancel_at__lte=AT), Reason.CANCELED, Status.CANCELED),
    Obstacle(IS_OVER & Q(status=Status.PAST_DUE.value), Reason.PAST_DUE),
    Obstacle(IS_OVER, Reason.EXPIRED, Status.EXPIRED),
    Obstacle(IS_USED_UP, Reason.USAGE_EXHAUSTED),
)
"""In the order in which they are looked at: the first one that is in the way is the answer."""

IS_AVAILABLE = ~IS_REVOKED & ~IS_OFF & ~IS_EARLY & ~IS_OVER & ~IS_USED_UP

PACK_IS_ON = ~Q(is_void=True) & ~IS_EARLY & ~IS_OVER
"""Units can be taken of a pack, if it has any: those who take them lock and count."""

MAY_BECOME_AVAILABLE = ~IS_REVOKED & ~IS_OFF & ~IS_OVER & ~(IS_USED_UP & Q(pack__reserved_until__isnull=True))
"""Available now or later by the clock alone, without any further event."""


def is_available(at: datetime) -> Q:
    """For a queryset of entitlements: those that are available at this moment."""
    return at_moment(IS_AVAILABLE, at)


def is_on(at: datetime) -> Q:
    """For a queryset of packs: those from which units can be taken at this moment, whether or not any are left."""
    return at_moment(PACK_IS_ON, at)


def has_units(at: datetime) -> Q:
    """For a queryset of packs: those that have units, or will have once an expired reservation is written down."""
    return at_moment(HAS_UNITS, at)
