"""What operators decide. Each verb happens once, under the subject's lock, with who and why in the history."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import transaction

from licenzy_django import clock
from licenzy_django.checkout import pages
from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.history import save_change, snapshot, write
from licenzy_django.entitlements.outdated import FactsOutdated
from licenzy_django.entitlements.rebuild import (
    lock_subject,
    rebuild_purchase,
    rebuild_subscription,
    rows_of_subscription,
)
from licenzy_django.entitlements.window_rows import switch_off
from licenzy_django.exceptions import IdempotencyKeyReused, InvalidRequest
from licenzy_django.identity import required_subject_ref
from licenzy_django.ledger import packs
from licenzy_django.models import CheckoutAttempt, Entitlement, Kind, Product, Source, Status, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.product_units import MAX_UNITS as MAX_UNITS
from licenzy_django.stripe import client
from licenzy_django.sync import comparison

DECISIONS = ("manual_grant", "manual_revoke", "manual_restore")
"""The reasons under which the history keeps what an operator decided about access."""

LATEST_END = datetime(9000, 1, 1, tzinfo=UTC)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Done(Generic[Row]):
    """What a verb left behind, and whether this call has changed it: a double click changes nothing more."""

    row: Row
    changed: bool


def grant(
    subject_ref: Any,
    product: Product,
    *,
    until: datetime | None = None,
    units: int | None = None,
    actor: Any,
    reason: str,
    request_id: str,
) -> Done[Entitlement]:
    """Give a subject a product without a payment, in the product's mode.

    Args:
        subject_ref: who gets it: a ref, a request or a user.
        until: when it ends; by default as the product says (a subscription: never).
        units: of a usage pack; by default one pack.
        actor: the operator, a user.
        reason: why, for the history.
        request_id: the same one grants once.

    Raises:
        InvalidRequest: nothing was granted.
        IdempotencyKeyReused: the ``request_id`` has granted something else.
    """
    now = clock.now()
    until = until and clock.moment(until, "until")
    subject_ref = required_subject_ref(subject_ref)
    validate_grant(product, until, units, reason, now)
    derived = granted_state(product, until, units, f"grant_{request_id}", now)
    with transaction.atomic():
        subject, _ = Subject.objects.get_or_create(mode=product.mode, subject_ref=subject_ref)
        locked = lock_subject(subject.pk)
        before = Entitlement.objects.filter(mode=product.mode, source_id=derived.source_id).first()
        if before is not None:
            if not is_same_grant(before, subject, product, until, units):
                raise IdempotencyKeyReused("This form has granted something else already; open a new one.")
            return Done(before, changed=False)
        audit = AuditContext(reason="manual_grant", source=Source.PORTAL, actor=actor, note=reason)
        [granted] = write(locked, [derived], [], audit=audit, source=Source.PORTAL)
    return Done(granted, changed=True)


def validate_grant(product: Product, until: datetime | None, units: int | None, reason: str, now: datetime) -> None:
    problems: dict[str, list[str]] = {}
    if not reason.strip():
        problems["reason"] = ["Say why."]
    if until is not None and until <= now:
        problems["until"] = ["This is over already."]
    elif until is not None and until >= LATEST_END:
        problems["until"] = ["This must be before the year 9000."]
    if units is not None and not product.rules.has_units:
        problems["units"] = ["Only a usage pack has units."]
    elif units is not None and not 1 <= units <= MAX_UNITS:
        problems["units"] = ["This must be a whole number from 1 to 1,000,000,000,000."]
    if problems:
        raise InvalidRequest(fields=problems)


def granted_state(
    product: Product, until: datetime | None, units: int | None, source_id: str, now: datetime
) -> EntitlementState:
    if until is None and product.days is not None:
        until = now + timedelta(days=product.days)
    ends_at = None if until is None else int(until.timestamp())
    return EntitlementState(
        source_id=source_id,
        product_id=product.pk,
        price="",
        status=Status.ACTIVE.value,
        grants_access=True,
        starts_at=int(now.timestamp()),
        expires_at=ends_at,
        available_until=ends_at,
        features=tuple(product.features),
        limits=product.limits,
        units_granted=(units or product.units or 0) if product.rules.has_units else 0,
        unit=product.unit,
    )


def is_same_grant(
    row: Entitlement, subject: Subject, product: Product, until: datetime | None, units: int | None
) -> bool:
    """Whether a grant that exists is the one that is asked for. Compared with its beginning: it may have changed."""
    granted = row.changes.order_by("pk").values_list("after", flat=True).first() or {}
    ends_at = None if until is None else until.replace(microsecond=0)
    is_same_end = ends_at is None or granted.get("expires_at") == ends_at.astimezone(UTC).isoformat()
    is_same_units = units is None or granted.get("units_granted") == units
    return (row.subject_id, row.product_id) == (subject.pk, product.pk) and is_same_end and is_same_units


def revoke(entitlement: Entitlement, *, actor: Any, reason: str) -> Done[Entitlement]:
    """Take an entitlement away, whatever Stripe says of it; a pack's units are void. Raises InvalidRequest."""
    return set_revoked(entitlement, clock.now(), AuditContext(reason="manual_revoke", **by(actor, reason)))


def restore(entitlement: Entitlement, *, actor: Any, reason: str) -> Done[Entitlement]:
    """Take a revocation back: what the facts and the clock say counts again. Raises InvalidRequest."""
    return set_revoked(entitlement, None, AuditContext(reason="manual_restore", **by(actor, reason)))


def by(actor: Any, reason: str) -> dict[str, Any]:
    """The part of a cause that says who and why."""
    return {"source": Source.PORTAL, "actor": actor, "note": checked_reason(reason)}


def checked_reason(reason: str) -> str:
    """The reason itself. Raises InvalidRequest if there is none."""
    if not reason.strip():
        raise InvalidRequest(fields={"reason": ["Say why."]})
    return reason


@transaction.atomic
def set_revoked(entitlement: Entitlement, revoked_at: datetime | None, audit: AuditContext) -> Done[Entitlement]:
    locked = lock_subject(entitlement.subject_id)
    row = Entitlement.objects.select_related("product", "attempt").get(pk=entitlement.pk)
    packs.lock_those_of([row])
    if (row.revoked_at is None) == (revoked_at is None):
        return Done(row, changed=False)
    before = snapshot(row)
    row.revoked_at = revoked_at
    if row.pack is not None:
        packs.follow(row.pack, row)
    changed = save_change(locked, row, before, audit=audit, at=clock.now())
    if row.attempt is not None and Kind(row.attempt.terms["kind"]).rules.is_stacked:
        # The passes that stand behind it move up, or make room again.
        rebuild_purchase(row.attempt, audit=audit)
        row.refresh_from_db()
    if row.source == Source.STRIPE and row.product.is_recurring:
        move_windows(row, audit)
    return Done(row, changed=changed)


def move_windows(row: Entitlement, audit: AuditContext) -> None:
    """The units that come with a subscription go and come back with it. Where its facts are not complete any more, they
    come back with the next event."""
    switch_off(rows_of_subscription(row.mode, row.source_id), clock.now())
    with suppress(FactsOutdated), transaction.atomic():
        rebuild_subscription(row.subject_id, row.source_id, audit=audit)


def expire_attempt(attempt: CheckoutAttempt, *, reason: str) -> Done[CheckoutAttempt]:
    """Close a Checkout page that is still open, at Stripe and here. One that was paid meanwhile counts as paid.

    An attempt has no history of its own: who asked stands in the log of whoever calls this.

    Raises:
        InvalidRequest: without a reason.
        IdempotencyKeyInUse: a request is opening this page at the moment.
        StripeUnavailable, StripeRefused, ModeNotConfigured: it is as it was.
        RuntimeError: called inside a database transaction.
    """
    checked_reason(reason)
    client.refuse_inside_a_transaction()
    attempt.refresh_from_db()
    before = attempt.status
    if before != CheckoutAttempt.Status.CREATED:
        return Done(attempt, changed=False)
    if not attempt.stripe_session_id:
        pages.find_session(attempt)
    if attempt.stripe_session_id:
        pages.expire_at_stripe(attempt)
        comparison.ask_about(attempt)
    attempt.refresh_from_db()
    return Done(attempt, changed=attempt.status != before)
