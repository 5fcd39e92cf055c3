"""The events that are published, in the words of the contract: a function for each kind, and the body that is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from licenzy_django import clock
from licenzy_django.models import CheckoutAttempt, Entitlement, EventType, OutboundEvent, Source, Status, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.live_units import Allowance

PAYLOAD_KEYS = (
    "subject_ref",
    "mode",
    "product_code",
    "kind",
    "status",
    "reason",
    "source",
    "entitlement_id",
    "attempt_id",
    "units",
    "usage_remaining",
    "amount_total",
    "currency",
    "stripe_checkout_session_id",
    "stripe_payment_intent_id",
    "stripe_subscription_id",
    "current_period_end",
    "expires_at",
    "canceled_at",
    "actor_user_id",
    "metadata",
    "created_at",
    "updated_at",
    "unit",
    "limits",
    "threshold",
    "usage_granted",
    "usage_resets_at",
    "previous_subject_ref",
)
Allowances = Mapping[int, Allowance]
"""What subscriptions have of their units now, by the keys of their entitlements."""
# Older outcomes are not published: a sync may find an invoice of last year. Prune keeps the keys longer.
PUBLISHED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to publish.

    Attributes:
        dedup_key: of what is published only once per mode; empty where the caller knows that it is new.
        occurred_at: endpoints that were made later do not get it.
    """

    type: EventType
    subject_ref: str
    payload: Mapping[str, Any]
    dedup_key: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOutcome:
    """How the collection of one of Stripe's invoices went."""

    invoice_id: str
    subscription_id: str
    payment_intent_id: str
    paid_at: int | None
    failed_at: int | None
    amount_paid: int | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidSession:
    """One of Stripe's Checkout sessions whose money is confirmed."""

    session_id: str
    subscription_id: str
    payment_intent_id: str
    amount_total: int | None
    currency: str | None


def entitlement_updated(row: Entitlement, audit: AuditContext, allowances: Allowances) -> NewEvent:
    known = payload_of(row, audit, allowances)
    return NewEvent(type=EventType.ENTITLEMENT_UPDATED, subject_ref=row.subject_ref, payload=known)


def subscription_changed(
    rows: Sequence[Entitlement], audit: AuditContext, allowances: Allowances, *, is_end: bool
) -> NewEvent:
    """One for the whole subscription; what its products do not have in common is null."""
    event_type = EventType.SUBSCRIPTION_DELETED if is_end else EventType.SUBSCRIPTION_UPDATED
    together = in_common([payload_of(row, audit, allowances) for row in rows])
    return NewEvent(type=event_type, subject_ref=rows[0].subject_ref, payload=together)


def invoice_collected(
    invoice: InvoiceOutcome, subject: Subject, rows: Sequence[Entitlement], allowances: Allowances
) -> list[NewEvent]:
    """That an invoice was paid, and that a try to collect it failed: each once, for ``PUBLISHED_WITHIN``."""
    outcomes = [
        (EventType.INVOICE_PAYMENT_SUCCEEDED, "invoice_paid", invoice.paid_at),
        (EventType.INVOICE_PAYMENT_FAILED, "invoice_payment_failed", invoice.failed_at),
    ]
    oldest = clock.now() - PUBLISHED_WITHIN
    known = payload(subject.subject_ref, mode=subject.mode)
    if rows:
        known = in_common([payload_of(row, None, allowances) for row in rows])
    known |= {
        "source": Source.STRIPE,
        "amount_total": invoice.amount_paid,
        "currency": invoice.currency,
        "stripe_payment_intent_id": invoice.payment_intent_id or None,
        "stripe_subscription_id": invoice.subscription_id or None,
    }
    return [
        NewEvent(
            type=event_type,
            subject_ref=subject.subject_ref,
            payload=known | {"reason": reason},
            dedup_key=f"{event_type}:{invoice.invoice_id}",
            occurred_at=at,
        )
        for event_type, reason, seconds in outcomes
        if (at := clock.from_timestamp(seconds)) is not None and at > oldest
    ]


def trial_will_end(
    subject: Subject,
    rows: Sequence[Entitlement],
    allowances: Allowances,
    *,
    subscription_id: str,
    trial_end: datetime,
    audit: AuditContext,
) -> NewEvent:
    """Once for each moment at which a trial was to end."""
    known = in_common([payload_of(row, audit, allowances) for row in rows]) if rows else payload(subject.subject_ref)
    known |= {"mode": subject.mode, "reason": audit.reason, "source": audit.source}
    known |= {"stripe_subscription_id": subscription_id, "current_period_end": in_utc(trial_end)}
    event_type = EventType.SUBSCRIPTION_TRIAL_WILL_END
    dedup_key = f"{event_type}:{subscription_id}:{int(trial_end.timestamp())}"
    return NewEvent(type=event_type, subject_ref=subject.subject_ref, payload=known, dedup_key=dedup_key)


def purchase_finalized(
    attempt: CheckoutAttempt,
    session: PaidSession,
    rows: Sequence[Entitlement],
    allowances: Allowances,
    audit: AuditContext,
) -> NewEvent:
    """The money of a checkout is confirmed. ``rows`` are the entitlements that rest on it."""
    subject_ref = attempt.subject.subject_ref
    known = payload(subject_ref, mode=attempt.mode)
    if rows:
        known = in_common([payload_of(row, None, allowances) for row in rows])
    known |= {
        "product_code": attempt.product.code,
        "kind": attempt.product.kind,
        "reason": audit.reason,
        "source": Source.STRIPE,
        "attempt_id": attempt.public_id,
        "metadata": attempt.metadata or None,
        "amount_total": session.amount_total,
        "currency": session.currency,
        "stripe_checkout_session_id": session.session_id,
        "stripe_payment_intent_id": session.payment_intent_id or None,
        "stripe_subscription_id": session.subscription_id or None,
        "created_at": in_utc(attempt.created_at),
        "updated_at": in_utc(clock.now()),
    }
    dedup_key = f"{EventType.PURCHASE_FINALIZED}:{attempt.public_id}"
    return NewEvent(type=EventType.PURCHASE_FINALIZED, subject_ref=subject_ref, payload=known, dedup_key=dedup_key)


# --- the body ---------------------------------------------------------------------------------------------------------


def payload(subject_ref: str, **known: Any) -> dict[str, Any]:
    """Every key of the contract, null where nothing is known. Raises TypeError for a key that it does not have."""
    if unknown := known.keys() - set(PAYLOAD_KEYS):
        raise TypeError(f"Not in an outbound event: {', '.join(sorted(unknown))}")
    return dict.fromkeys(PAYLOAD_KEYS) | {"subject_ref": subject_ref} | known


def payload_of(row: Entitlement, audit: AuditContext | None, allowances: Allowances) -> dict[str, Any]:
    """What an entitlement says of itself, and why it changed. One that was revoked is canceled, as the API says."""
    product = row.product
    rules = product.rules
    stripe_id = row.source_id if row.source == Source.STRIPE else None
    return payload(
        row.subject_ref,
        mode=row.mode,
        product_code=product.code,
        kind=product.kind,
        status=row.status if row.revoked_at is None else Status.CANCELED.value,
        reason=audit.reason if audit else None,
        source=audit.source if audit else row.source,
        entitlement_id=row.public_id,
        attempt_id=row.attempt.public_id if row.attempt else None,
        metadata=(row.attempt.metadata or None) if row.attempt else None,
        units=row.units_granted if rules.has_units else None,
        limits=row.limits_now or None,
        stripe_checkout_session_id=None if rules.is_recurring else stripe_id,
        stripe_subscription_id=stripe_id if rules.is_recurring else None,
        current_period_end=in_utc(row.current_period_end),
        expires_at=in_utc(row.expires_at),
        canceled_at=in_utc(row.canceled_at or row.revoked_at),
        actor_user_id=str(audit.actor.pk) if audit and audit.actor is not None else None,
        created_at=in_utc(row.created_at),
        updated_at=in_utc(row.updated_at),
        **usage_of(row, allowances),
    )


def usage_of(row: Entitlement, allowances: Allowances) -> dict[str, Any]:
    """What is left of a pack, or of a subscription's allowance."""
    if row.product.rules.has_units:
        unit = row.pack.unit if row.pack else None
        return {"unit": unit, "usage_granted": row.units_granted, "usage_remaining": row.units_remaining}
    allowance = allowances.get(row.pk)
    if allowance is None:
        return {}
    return {
        "unit": allowance.unit,
        "usage_granted": allowance.granted,
        "usage_remaining": allowance.remaining,
        "usage_resets_at": in_utc(allowance.resets_at),
    }


def in_common(payloads: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What all say alike; null where they differ."""
    first, *others = payloads
    return {key: value if all(other[key] == value for other in others) else None for key, value in first.items()}


def in_utc(at: datetime | None) -> str | None:
    """Whole seconds, as the API writes times."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body_of(event: OutboundEvent) -> dict[str, Any]:
    """What is sent. The same bytes for every try."""
    return {
        "id": event.public_id,
        "type": event.type,
        "created_at": in_utc(event.created_at),
        "data": {key: event.payload.get(key) for key in PAYLOAD_KEYS},
    }
