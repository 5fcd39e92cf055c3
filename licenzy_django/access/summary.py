"""What a subject has, for people and for other systems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from licenzy_django import clock
from licenzy_django.access import entitlement_rows
from licenzy_django.access.availability import Availability, availability_of
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import subject_ref_of
from licenzy_django.models import Entitlement, Status
from licenzy_django.models.availability import is_available
from licenzy_django.models.limits import combined
from licenzy_django.models.live_units import (
    Allowance,
    LivePack,
    UnitBalance,
    allowances_of,
    balances_of,
    live_packs,
    live_windows,
)
from licenzy_django.models.querysets import expired_units_by_pack, units_sold
from licenzy_django.models.usage import total

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
        unit: what its pack or its allowance counts.
        usage_granted, usage_remaining: of its pack, or of the windows of its allowance that run now.
        usage_resets_at: when the newest window of its allowance ends.
        usage_rolled_over: how many of ``usage_remaining`` have come over from earlier windows.
    """

    id: str
    product_code: str
    kind: str
    status: str
    available: bool
    reason: str | None
    quantity: int
    features: list[str]
    limits: dict[str, int | None]
    is_add_on: bool
    starts_at: datetime | None
    expires_at: datetime | None
    current_period_end: datetime | None
    cancel_at: datetime | None
    trial_ends_at: datetime | None
    changes_at: datetime | None
    changes_to: str | None
    changes_quantity: int | None
    canceled_at: datetime | None
    unit: str | None
    usage_granted: int | None
    usage_remaining: int | None
    usage_resets_at: datetime | None
    usage_rolled_over: int | None
    source: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AccessSummary:
    """All that a product usually wants to know of a subject at once.

    Attributes:
        usage_remaining: units left in all; None where several units are or were sold, since they cannot be added up.
        units: by unit, what the subject has in packs and allowances.
    """

    subject_ref: str
    has_access: bool
    status: str
    usage_remaining: int | None
    features: list[str]
    units: dict[str, UnitBalance] = field(default_factory=dict)
    limits: dict[str, int | None] = field(default_factory=dict)
    entitlements: list[EntitlementView] = field(default_factory=list)


def views_of(
    rows: Iterable[Entitlement], at: datetime, live: Sequence[LivePack] | None = None
) -> list[EntitlementView]:
    """Entitlements of one subject, with their units.

    Args:
        live: what the subject has at this moment; by default it is asked for, if one of them can have an allowance.
    """
    rows = list(rows)
    if live is None:
        subscription = next((row for row in rows if row.may_have_allowance), None)
        live = live_windows(subscription.subject_ref, subscription.mode, at) if subscription else []
    expired = expired_units_by_pack((row.pack for row in rows if row.pack is not None), at)
    allowances = allowances_of(live, rows)
    return [view_of(row, at, usage_of(row, expired.get(row.pack_id or 0, 0), allowances.get(row.pk))) for row in rows]


@dataclass(frozen=True, slots=True)
class UsageView:
    """The part of an ``EntitlementView`` that is about units."""

    unit: str | None = None
    granted: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None
    rolled_over: int | None = None


def usage_of(row: Entitlement, units_expired: int, allowance: Allowance | None) -> UsageView:
    if row.product.rules.has_units:
        return UsageView(row.pack.unit if row.pack else None, row.units_granted, row.units_remaining + units_expired)
    if allowance is None:
        return UsageView()
    return UsageView(allowance.unit, allowance.granted, allowance.remaining, allowance.resets_at, allowance.rolled_over)


def view_of(row: Entitlement, at: datetime, usage: UsageView) -> EntitlementView:
    availability = availability_of(row, at)
    # What should have begun by now is scheduled no longer.
    will_change = row.changes_at is not None and row.changes_at > at
    return EntitlementView(
        id=row.public_id,
        product_code=row.product.code,
        kind=row.product.kind,
        status=availability.status,
        available=availability.available,
        reason=availability.reason,
        quantity=row.quantity,
        features=row.features_now,
        limits=row.limits_now,
        is_add_on=row.product.is_add_on,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        current_period_end=row.current_period_end,
        cancel_at=row.cancel_at,
        trial_ends_at=row.trial_ends_at,
        changes_at=row.changes_at if will_change else None,
        changes_to=(row.changes_to or None) if will_change else None,
        changes_quantity=row.changes_quantity if will_change else None,
        canceled_at=row.canceled_at or row.revoked_at,
        unit=usage.unit,
        usage_granted=usage.granted,
        usage_remaining=usage.remaining,
        usage_resets_at=usage.resets_at,
        usage_rolled_over=usage.rolled_over,
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
    rows = rows_of(subject_ref_of(subject) or "", mode or licenzy_settings().MODE)
    if starting_after:
        last = rows.filter(public_id=starting_after).values_list("pk", flat=True).first()
        if last is None:
            raise InvalidRequest(fields={"starting_after": ["This subject has no such entitlement."]})
        rows = rows.filter(pk__lt=last)
    return views_of(rows[:limit], at)


def rows_of(subject_ref: str, mode: str) -> QuerySet[Entitlement]:
    """Newest first, with what a view needs."""
    rows = Entitlement.objects.filter(subject_ref=subject_ref, mode=mode)
    return rows.select_related("product", "pack").order_by("-pk")


STATUS_ORDER = (Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED, Status.EXPIRED, Status.CANCELED)


def summary(subject: Any, *, mode: str | None = None, at: datetime | None = None) -> AccessSummary:
    """What a subject has, in one answer: the best status, features, what is left of each unit, entitlements."""
    at = clock.moment(at)
    mode = mode or licenzy_settings().MODE
    subject_ref = subject_ref_of(subject) or ""
    rows, live = rows_of(subject_ref, mode), live_packs(subject_ref, mode, at)
    views = views_of(rows[: PAGE_SIZE + 1], at, live)
    # The entitlements shown are bounded; what follows from them must know of every available one.
    is_all = len(views) <= PAGE_SIZE
    available = (
        [view for view in views if view.available] if is_all else views_of(rows.filter(is_available(at)), at, live)
    )
    shown = available or (views if is_all else availabilities(subject_ref, mode, at))
    statuses = {Status.ACTIVE if each.status == Status.TRIALING else each.status for each in shown}
    return AccessSummary(
        subject_ref=subject_ref,
        has_access=bool(available),
        status=next((str(status.value) for status in STATUS_ORDER if status in statuses), "none"),
        usage_remaining=total(pack.remaining for pack in live) if len(units_sold(mode)) < 2 else None,
        features=sorted({feature for view in available for feature in view.features}),
        limits=combined(
            [view.limits for view in available if not view.is_add_on],
            [view.limits for view in available if view.is_add_on],
        ),
        units=balances_of(live),
        entitlements=views[:PAGE_SIZE],
    )


def availabilities(subject_ref: str, mode: str, at: datetime) -> list[Availability]:
    return [availability_of(row, at) for row in entitlement_rows.rows_of(subject_ref, mode, at=at)]
