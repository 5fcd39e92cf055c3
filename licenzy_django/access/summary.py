"""What a subject has, for people and for other systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from licenzy_django import clock
from licenzy_django.access import entitlement_rows
from licenzy_django.access.availability import Availability, availability_of
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import subject_ref_of
from licenzy_django.models import Entitlement, Status
from licenzy_django.models.availability import is_available
from licenzy_django.models.querysets import expired_units_by_pack
from licenzy_django.models.usage import MOST_UNITS

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementView:
    """An entitlement as the API shows it.

    Attributes:
        trial_ends_at: the end of the trial that it is in.
        changes_at: when a change begins that is scheduled at Stripe.
        changes_to: the code of the product that it then becomes, its own where only the quantity or the price changes;
            None if nothing takes its place, or a price that no product has.
        changes_quantity: the quantity from then on; 0 if it ends.
    """

    id: str
    product_code: str
    kind: str
    status: str
    available: bool
    reason: str | None
    quantity: int
    features: list[str]
    starts_at: datetime | None
    expires_at: datetime | None
    current_period_end: datetime | None
    cancel_at: datetime | None
    trial_ends_at: datetime | None
    changes_at: datetime | None
    changes_to: str | None
    changes_quantity: int | None
    canceled_at: datetime | None
    usage_granted: int | None
    usage_remaining: int | None
    source: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AccessSummary:
    """All that a product usually wants to know of a subject at once."""

    subject_ref: str
    has_access: bool
    status: str
    usage_remaining: int
    features: list[str]
    entitlements: list[EntitlementView] = field(default_factory=list)


def views_of(rows: Iterable[Entitlement], at: datetime) -> list[EntitlementView]:
    rows = list(rows)
    expired = expired_units_by_pack((row.pack for row in rows if row.pack is not None), at)
    return [view_of(row, at, expired.get(row.pack_id or 0, 0)) for row in rows]


def view_of(row: Entitlement, at: datetime, units_expired: int) -> EntitlementView:
    availability = availability_of(row, at)
    # What should have begun by now is scheduled no longer.
    will_change = row.changes_at is not None and row.changes_at > at
    is_pack = row.product.rules.has_units
    return EntitlementView(
        id=row.public_id,
        product_code=row.product.code,
        kind=row.product.kind,
        status=availability.status,
        available=availability.available,
        reason=availability.reason,
        quantity=row.quantity,
        features=row.features_now,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        current_period_end=row.current_period_end,
        cancel_at=row.cancel_at,
        trial_ends_at=row.trial_ends_at,
        changes_at=row.changes_at if will_change else None,
        changes_to=(row.changes_to or None) if will_change else None,
        changes_quantity=row.changes_quantity if will_change else None,
        canceled_at=row.canceled_at or row.revoked_at,
        usage_granted=row.units_granted if is_pack else None,
        usage_remaining=row.units_remaining + units_expired if is_pack else None,
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def entitlements_of(
    subject: Any,
    *,
    mode: str | None = None,
    at: datetime | None = None,
    limit: int = PAGE_SIZE,
    starting_after: str = "",
) -> list[EntitlementView]:
    """A subject's entitlements, newest first, at most ``limit`` after the one named.

    Raises InvalidRequest if the subject has no entitlement of that name.
    """
    at = clock.moment(at)
    mode = mode or licenzy_settings().MODE
    rows = Entitlement.objects.filter(subject_ref=subject_ref_of(subject) or "", mode=mode).select_related(
        "product", "pack"
    )
    if starting_after:
        last = rows.filter(public_id=starting_after).values_list("pk", flat=True).first()
        if last is None:
            raise InvalidRequest(fields={"starting_after": ["This subject has no such entitlement."]})
        rows = rows.filter(pk__lt=last)
    return views_of(rows.order_by("-pk")[:limit], at)


STATUS_ORDER = (Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED, Status.EXPIRED, Status.CANCELED)


def summary(subject: Any, *, mode: str | None = None, at: datetime | None = None) -> AccessSummary:
    """What a subject has, in one answer: the best status, units left over all packs, features, entitlements."""
    at = clock.moment(at)
    mode = mode or licenzy_settings().MODE
    subject_ref = subject_ref_of(subject) or ""
    views = entitlements_of(subject_ref, mode=mode, at=at, limit=PAGE_SIZE + 1)
    # The entitlements shown are bounded; what follows from them must know of every available one.
    is_all = len(views) <= PAGE_SIZE
    available = [view for view in views if view.available] if is_all else views_of_available(subject_ref, mode, at)
    shown = available or (views if is_all else availabilities(subject_ref, mode, at))
    statuses = {Status.ACTIVE if each.status == Status.TRIALING else each.status for each in shown}
    return AccessSummary(
        subject_ref=subject_ref,
        has_access=bool(available),
        status=next((str(status.value) for status in STATUS_ORDER if status in statuses), "none"),
        usage_remaining=min(sum(view.usage_remaining or 0 for view in available), MOST_UNITS),
        features=sorted({feature for view in available for feature in view.features}),
        entitlements=views[:PAGE_SIZE],
    )


def availabilities(subject_ref: str, mode: str, at: datetime) -> list[Availability]:
    return [availability_of(row, at) for row in entitlement_rows.rows_of(subject_ref, mode, at=at)]


def views_of_available(subject_ref: str, mode: str, at: datetime) -> list[EntitlementView]:
    rows = Entitlement.objects.filter(is_available(at), subject_ref=subject_ref, mode=mode)
    return views_of(rows.select_related("product", "pack"), at)
