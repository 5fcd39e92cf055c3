"""May this subject …? The one place where facts, clock and units become yes or no. Never calls Stripe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.db.models import Q

from licenzy_django import access_cache, clock, gate, lots
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import EntitlementRequired, InvalidRequest
from licenzy_django.models import Entitlement, Kind, Status
from licenzy_django.subjects import is_request, subject_ref_of

PAGE_SIZE = 100


class Standable(Protocol):
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
class Standing:
    """What an entitlement is worth at one moment. ``reason`` says why it is not available, or is None."""

    status: str
    available: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a check: true or false, why, and the entitlement that it rests on."""

    allowed: bool
    reason: str | None = None
    subject_ref: str | None = None
    entitlement_id: str | None = None
    product_code: str | None = None

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def entitlement(self) -> Entitlement | None:
        """The row behind the decision; costs a query."""
        return Entitlement.objects.filter(public_id=self.entitlement_id).first() if self.entitlement_id else None


def standing_of(row: Standable, kind: str, at: datetime) -> Standing:
    """The standing of one entitlement at one moment."""
    if row.revoked_at is not None:
        return Standing(Status.CANCELED.value, False, "revoked")
    if not row.grants_access:
        return Standing(row.status, False, row.status_reason or row.status)
    if row.not_before is not None and at < row.not_before:
        return Standing(row.status, False, "not_started")
    if row.available_until is not None and at >= row.available_until:
        if row.cancel_at is not None and row.cancel_at <= at:
            return Standing(Status.CANCELED.value, False, "canceled")
        if row.status == Status.PAST_DUE:
            return Standing(row.status, False, "past_due")
        return Standing(Status.EXPIRED.value, False, "expired")
    # Past the earliest end of what is reserved of it, some of it is free again, whether or not that was written down.
    is_lapsed = row.reserved_until is not None and row.reserved_until <= at
    if kind == Kind.USAGE_PACK and row.units_remaining <= 0 and not is_lapsed:
        return Standing(row.status, False, "usage_exhausted")
    return Standing(row.status, True)


def check(
    subject: Any, *product_codes: str, feature: str = "", mode: str | None = None, at: datetime | None = None
) -> Decision:
    """Whether a subject has access now.

    Args:
        subject: a ``subject_ref``, a request, a user, or None; an anonymous one is never entitled and costs no query.
            A request remembers: ten checks cost one query.
        product_codes: any of these products; none means any product.
        feature: whatever product gives this feature.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        at: another moment than now.
    """
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        return Decision(False, "anonymous")
    mode = mode or licenzy_settings().MODE
    if at is None:
        at = clock.now()
        rows = access_cache.rows_of(subject_ref, mode, at=at, request=subject if is_request(subject) else None)
    else:
        rows = gate.rows_of(subject_ref, mode, at=at)
    return decide(subject_ref, rows, product_codes, feature, at=at)


def decide(
    subject_ref: str, rows: Iterable[gate.GateRow], product_codes: Sequence[str], feature: str, *, at: datetime
) -> Decision:
    """The decision over a subject's rows: the first available one that answers, or the best reason why none does."""
    refusal: Decision | None = None
    for row in rows:
        if (product_codes and row.product_code not in product_codes) or (feature and feature not in row.features):
            continue
        standing = standing_of(row, row.kind, at)
        decision = Decision(standing.available, standing.reason, subject_ref, row.public_id, row.product_code)
        if decision.allowed:
            return decision
        if refusal is None or rank_of_reason(decision.reason) < rank_of_reason(refusal.reason):
            refusal = decision
    return Decision(False, "no_entitlement", subject_ref) if refusal is None else refusal


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


def require(
    subject: Any, *product_codes: str, feature: str = "", mode: str | None = None, at: datetime | None = None
) -> Decision:
    """Like ``check``, but raises EntitlementRequired (a PermissionDenied) instead of answering no."""
    decision = check(subject, *product_codes, feature=feature, mode=mode, at=at)
    if not decision:
        raise EntitlementRequired(decision=decision)
    return decision


acheck = sync_to_async(check)
arequire = sync_to_async(require)


# --- what a subject has, for people and for other systems -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementView:
    """An entitlement as the API shows it."""

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
    lapsed = lots.lapsed_units_by_lot(rows, at)
    return [view_of(row, at, lapsed.get(row.pk, 0)) for row in rows]


def view_of(row: Entitlement, at: datetime, units_lapsed: int) -> EntitlementView:
    standing = standing_of(row, row.product.kind, at)
    is_pack = row.product.kind == Kind.USAGE_PACK
    return EntitlementView(
        id=row.public_id,
        product_code=row.product.code,
        kind=row.product.kind,
        status=standing.status,
        available=standing.available,
        reason=standing.reason,
        quantity=row.quantity,
        features=row.product.features,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        current_period_end=row.current_period_end,
        cancel_at=row.cancel_at,
        canceled_at=row.canceled_at or row.revoked_at,
        usage_granted=row.units_granted if is_pack else None,
        usage_remaining=row.units_remaining + units_lapsed if is_pack else None,
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
    at = at or clock.now()
    mode = mode or licenzy_settings().MODE
    rows = Entitlement.objects.filter(subject_ref=subject_ref_of(subject) or "", mode=mode).select_related("product")
    if starting_after:
        last = rows.filter(public_id=starting_after).values_list("pk", flat=True).first()
        if last is None:
            raise InvalidRequest(fields={"starting_after": ["This subject has no such entitlement."]})
        rows = rows.filter(pk__lt=last)
    return views_of(rows.order_by("-pk")[:limit], at)


STATUS_ORDER = (Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED, Status.EXPIRED, Status.CANCELED)


def summary(subject: Any, *, mode: str | None = None, at: datetime | None = None) -> AccessSummary:
    """What a subject has, in one answer: the best status, units left over all packs, features, entitlements."""
    at = at or clock.now()
    mode = mode or licenzy_settings().MODE
    subject_ref = subject_ref_of(subject) or ""
    views = entitlements_of(subject_ref, mode=mode, at=at, limit=PAGE_SIZE + 1)
    # The entitlements shown are bounded; what follows from them must know of every available one.
    is_all = len(views) <= PAGE_SIZE
    available = [view for view in (views if is_all else maybe_available(subject_ref, mode, at)) if view.available]
    shown = available or (views if is_all else standings(subject_ref, mode, at))
    statuses = {Status.ACTIVE if each.status == Status.TRIALING else each.status for each in shown}
    return AccessSummary(
        subject_ref=subject_ref,
        has_access=bool(available),
        status=next((str(status.value) for status in STATUS_ORDER if status in statuses), "none"),
        usage_remaining=sum(view.usage_remaining or 0 for view in available),
        features=sorted({feature for view in available for feature in view.features}),
        entitlements=views[:PAGE_SIZE],
    )


def standings(subject_ref: str, mode: str, at: datetime) -> list[Standing]:
    return [standing_of(row, row.kind, at) for row in gate.rows_of(subject_ref, mode, at=at)]


def maybe_available(subject_ref: str, mode: str, at: datetime) -> list[EntitlementView]:
    """A subject's entitlements without those that are certainly over."""
    rows = Entitlement.objects.filter(subject_ref=subject_ref, mode=mode, grants_access=True, revoked_at=None)
    rows = rows.filter(Q(available_until=None) | Q(available_until__gt=at))
    rows = rows.exclude(product__kind=Kind.USAGE_PACK, units_remaining=0, units_reserved=0)
    return views_of(rows.select_related("product"), at)
