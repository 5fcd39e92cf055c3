"""Facts become entitlements: load what is known, derive what it means, write the difference with its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from licenzy_django import announcements, clock
from licenzy_django.access import cache
from licenzy_django.audit import Cause as Cause
from licenzy_django.clock import from_timestamp
from licenzy_django.conf import licenzy_settings
from licenzy_django.db import statements
from licenzy_django.entitlements.derive import Purchase, Right, Terms, derive_purchases, derive_subscription, is_over
from licenzy_django.ledger import entries, packs
from licenzy_django.models import (
    CheckoutAttempt,
    Entitlement,
    EntitlementChange,
    Kind,
    Product,
    Source,
    Status,
    Subject,
)
from licenzy_django.outbound import outbox
from licenzy_django.outbound.events import News
from licenzy_django.stripe import facts
from licenzy_django.stripe.translate import Fact

DERIVED_FIELDS = (
    "stripe_price_id",
    "quantity",
    "status",
    "status_reason",
    "grants_access",
    "starts_at",
    "expires_at",
    "current_period_end",
    "cancel_at",
    "canceled_at",
    "not_before",
    "available_until",
)
UNIT_FIELDS = (
    "units_granted",
    "units_consumed",
    "units_reserved",
    "units_voided",
    "units_remaining",
    "units_adjusted",
)


def lock_subject(subject_id: int) -> Subject:
    """Everything about a subject is settled under this lock. On SQLite the transaction itself is the lock."""
    also = {"has_listeners": outbox.is_listened_to()}
    [subject] = statements.select(Subject, "t.id = %s", subject_id, lock=True, also=also)
    return subject


@transaction.atomic(savepoint=False)
def settle_subscription(
    subject_id: int,
    subscription_id: str,
    *,
    cause: Cause,
    sold: Product | None = None,
    invoice: Fact | None = None,
) -> list[Entitlement]:
    """Bring the entitlements of one subscription in line with everything known of it. Returns those that changed.

    Args:
        sold: a product that the caller has just read; only saves a statement.
        invoice: one of the subscription's that was just kept; others hear how its payment went.
    """
    subject = lock_subject(subject_id)
    known = facts.facts_of_subscription(subject.mode, subscription_id)
    subscription = next((fact for fact in known if fact.stripe_id == subscription_id), None)
    if subscription is None:
        return []
    found = rows_of_subscription(subject.mode, subscription_id)
    rows = {row.product_id: row for row in found}
    prices = {item["price"] for item in subscription.state["items"]}
    prices |= {fact.state["price"] for fact in known if fact.object == "subscription_price"}
    terms = terms_of_prices(subject, prices, found, sold)
    leeway = int(licenzy_settings().renewal_leeway.total_seconds())
    rights = derive_subscription(subscription, known, terms, leeway=leeway)
    rights += [ended(row) for product_id, row in rows.items() if product_id not in {r.product_id for r in rights}]
    was_over = bool(rows) and all(row.status == Status.CANCELED for row in rows.values())
    is_end = is_over(subscription, known) and not was_over

    def also(changed: Sequence[Entitlement]) -> list[News]:
        together = list((rows | {row.product_id: row for row in changed}).values())
        return outbox.of_subscription(subject, together, changed, cause=cause, is_end=is_end, invoice=invoice)

    return write(subject, rights, found, cause=cause, also=also)


@transaction.atomic(savepoint=False)
def settle_purchase(attempt: CheckoutAttempt, *, cause: Cause) -> list[Entitlement]:
    """Bring what one attempt in payment mode bought in line with the facts; the passes around it move with it."""
    subject = lock_subject(attempt.subject_id)
    attempts = list(attempts_settled_together(attempt))
    sessions = facts.facts_by_id(subject.mode, (other.stripe_session_id for other in attempts))
    known = [facts.fact_from(row) for row in payments_of(subject.mode, sessions.values())]
    rows = rows_of_sources(subject.mode, sessions)
    revoked = {row.source_id: int(row.revoked_at.timestamp()) for row in rows if row.revoked_at is not None}
    purchases = [
        Purchase(
            facts.fact_from(sessions[other.stripe_session_id]),
            other.stripe_price_id,
            terms_of_attempt(other),
            revoked.get(other.stripe_session_id),
        )
        for other in attempts
        if other.stripe_session_id in sessions
    ]
    rights = derive_purchases(purchases, known)
    attempt_of = {other.stripe_session_id: other for other in attempts}
    return write(subject, rights, rows, cause=cause, attempt_of=attempt_of)


def attempts_settled_together(attempt: CheckoutAttempt) -> Iterable[CheckoutAttempt]:
    """A pack stands alone. Passes of one product are stacked, so each needs to know the others."""
    if attempt.terms["kind"] != Kind.TIME_PASS:
        return [attempt]
    same = CheckoutAttempt.objects.filter(subject_id=attempt.subject_id, product_id=attempt.product_id)
    return same.exclude(stripe_session_id="")


def payments_of(mode: str, sessions: Iterable[Any]) -> Sequence[Any]:
    return facts.facts_of_payments(mode, (session.payment_intent_id for session in sessions))


def rows_of_sources(mode: str, source_ids: Iterable[str]) -> list[Entitlement]:
    """The rows that rest on these sources, locked in the order in which units are drained."""
    rows = Entitlement.objects.select_for_update().filter(mode=mode, source_id__in=list(source_ids))
    return list(rows.order_by(*packs.DRAIN_ORDER))


def rows_of_subscription(mode: str, subscription_id: str) -> list[Entitlement]:
    """With their products, under the subject's lock alone: what is taken without it is units, and they have none."""
    where = "t.source_id = %s AND t.mode = %s ORDER BY t.id"
    return statements.select(Entitlement, where, subscription_id, mode, related="product")


def terms_of_prices(
    subject: Subject, prices: set[str], rows: Sequence[Entitlement], sold: Product | None
) -> dict[str, Terms]:
    """The terms of each price. The catalog says first; a price that it no longer has keeps what it was sold as."""
    catalog = [row.product for row in rows] + ([sold] if sold is not None else [])
    if unread := prices - {product.stripe_price_id for product in catalog}:
        catalog += Product.objects.filter(stripe_price_id__in=unread, mode=subject.mode)
    by_price = {row.stripe_price_id: row.product for row in rows}
    by_price |= {product.stripe_price_id: product for product in catalog}
    if missing := prices - by_price.keys():
        attempts = CheckoutAttempt.objects.filter(subject=subject, stripe_price_id__in=missing)
        by_price |= {each.stripe_price_id: each.product for each in attempts.select_related("product").order_by("id")}
    return {
        price: Terms(product_id=product.pk, kind=product.kind, grace_days=product.grace_days)
        for price, product in by_price.items()
        if product.is_recurring
    }


def frozen_terms(product: Product) -> dict[str, Any]:
    """What an attempt keeps of the product, since the catalog may change before the money comes."""
    names = ("kind", "units", "duration_days", "valid_days")
    return {name: getattr(product, name) for name in names}


def terms_of_attempt(attempt: CheckoutAttempt) -> Terms:
    return Terms(product_id=attempt.product_id, **attempt.terms)


def ended(row: Entitlement) -> Right:
    """A row that the facts no longer speak of."""
    return Right(
        source_id=row.source_id,
        product_id=row.product_id,
        price=row.stripe_price_id,
        status=Status.CANCELED,
        status_reason="canceled",
        quantity=row.quantity,
    )


def write(
    subject: Subject,
    rights: Sequence[Right],
    rows: Sequence[Entitlement],
    *,
    cause: Cause,
    attempt_of: dict[str, CheckoutAttempt] | None = None,
    source: str = Source.STRIPE,
    also: Callable[[Sequence[Entitlement]], list[News]] | None = None,
) -> list[Entitlement]:
    """Write what differs, each change with its history row, and tell others. Runs under the subject's lock.

    Args:
        also: from what changed, what else there is to tell; only called if anybody listens.
        source: what new rows rest on: facts of Stripe's, or an operator's decision.
    """
    existing = {(row.source_id, row.product_id): row for row in rows}
    now = clock.now()
    changed = []
    for right in rights:
        row = existing.get((right.source_id, right.product_id))
        before = snapshot(row) if row else {}
        if row is None:
            row = Entitlement(
                mode=subject.mode,
                subject=subject,
                subject_ref=subject.subject_ref,
                product_id=right.product_id,
                source=source,
                source_id=right.source_id,
                attempt=(attempt_of or {}).get(right.source_id),
                created_at=now,
            )
        apply(right, row)
        if keep_change(row, before, cause=cause, at=now):
            changed.append(row)
    if outbox.is_heard(subject):
        outbox.record_entitlements(changed, cause=cause, also=also(changed) if also else [])
    return changed


def save_change(row: Entitlement, before: dict[str, Any], *, cause: Cause, at: datetime) -> bool:
    """Save the row with its history and tell others, if it is not what it was (``snapshot``)."""
    is_change = keep_change(row, before, cause=cause, at=at)
    if is_change:
        outbox.record_entitlements([row], cause=cause)
    return is_change


def keep_change(row: Entitlement, before: dict[str, Any], *, cause: Cause, at: datetime) -> bool:
    """Save the row with its history and its ledger, if it is not what it was. Every change goes through here."""
    after = snapshot(row)
    if before == after:
        return False
    row.updated_at = at
    changed = [name for name in after if before.get(name) != after[name]]
    row.save(update_fields=[*changed, "updated_at"] if before else None)
    change = EntitlementChange(
        mode=row.mode,
        entitlement=row,
        at=at,
        reason=cause.reason,
        source=cause.source,
        stripe_event_id=cause.event.event_id if cause.event else "",
        actor=cause.actor,
        note=cause.note,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed},
    )
    statements.insert(change)
    entries.record_settled(row, before, cause=cause, at=at)
    cache.changed(row.subject_ref, row.mode)
    announcements.entitlement_changed(row, change)
    return True


def apply(right: Right, row: Entitlement) -> None:
    """Make the row say what the right says. An operator's revocation and consumed units are not Stripe's to change."""
    row.stripe_price_id = right.price
    row.quantity = right.quantity
    row.status = right.status
    row.status_reason = right.status_reason
    row.grants_access = right.grants_access
    for name in ("starts_at", "expires_at", "current_period_end", "cancel_at", "canceled_at", "not_before"):
        setattr(row, name, from_timestamp(getattr(right, name)))
    row.available_until = from_timestamp(right.available_until)
    if right.units_granted:
        packs.set_granted(row, right.units_granted)
        if packs.is_void(row):
            packs.void(row)
        else:
            packs.restore(row)


def snapshot(row: Entitlement) -> dict[str, Any]:
    """What of a row is worth a line in its history, as JSON."""
    values = {name: getattr(row, name) for name in (*DERIVED_FIELDS, "revoked_at", *UNIT_FIELDS)}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
