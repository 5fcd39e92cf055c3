"""Events for other systems: written in the transaction of the change, sent afterwards by ``licenzy_deliver``.

Without an endpoint nothing is written: an endpoint gets what happens from the moment it was made. What a change of an
entitlement is follows from its history row, so it is published as often as it happened: once. What Stripe may report
again (an invoice) carries a key with a unique index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from licenzy_django import clock
from licenzy_django.db.rows import written
from licenzy_django.models import (
    CheckoutAttempt,
    Delivery,
    Entitlement,
    OutboundEndpoint,
    OutboundEvent,
    Status,
    Subject,
)
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.live_units import allowances_of, live_windows
from licenzy_django.outbound import events
from licenzy_django.outbound.events import Allowances, InvoiceOutcome, NewEvent, PaidSession
from licenzy_django.signals import outbound_recorded


def listeners_of(mode: str | OuterRef) -> models.QuerySet[OutboundEndpoint]:
    """Without any it is not worth putting an event together."""
    return written(OutboundEndpoint).filter(mode=mode, is_active=True)


@transaction.atomic(savepoint=False)
def publish(mode: str, new_events: Sequence[NewEvent]) -> list[OutboundEvent]:
    """Keep what each listening endpoint gets. At most three statements, one if there is none.

    Belongs into the transaction of the change. Returns the events that were written.
    Raises IntegrityError if another transaction published the same ``dedup_key`` at this very moment.
    """
    endpoints = listening(mode, new_events) if new_events else []
    now = clock.now()
    addressed: list[tuple[OutboundEvent, list[OutboundEndpoint]]] = []
    for number, item in enumerate(new_events):
        listeners = [endpoint for endpoint in endpoints if is_for(item, number, endpoint)]
        if listeners:
            event = OutboundEvent(
                mode=mode,
                type=item.type,
                subject_ref=item.subject_ref,
                payload=dict(item.payload),
                dedup_key=item.dedup_key,
                created_at=now,
            )
            addressed.append((event, listeners))
    if not addressed:
        return []
    events = OutboundEvent.objects.bulk_create(event for event, _ in addressed)
    Delivery.objects.bulk_create(
        Delivery(mode=mode, event=event, endpoint=endpoint, next_try_at=now, created_at=now)
        for event, listeners in addressed
        for endpoint in listeners
    )
    transaction.on_commit(lambda: outbound_recorded.send_robust(sender=OutboundEvent, mode=mode))
    return events


def listening(mode: str, new_events: Sequence[NewEvent]) -> list[OutboundEndpoint]:
    """The mode's active endpoints; ``known_<n>`` says that the n-th event was published before."""
    known = {
        f"known_{number}": Exists(OutboundEvent.objects.filter(mode=mode, dedup_key=item.dedup_key))
        for number, item in enumerate(new_events)
        if item.dedup_key
    }
    endpoints = OutboundEndpoint.objects.filter(mode=mode, is_active=True).order_by("pk")
    return list(endpoints.only("mode", "events", "created_at").annotate(**known))


def is_for(item: NewEvent, number: int, endpoint: OutboundEndpoint) -> bool:
    if getattr(endpoint, f"known_{number}", False) or not endpoint.wants(item.type):
        return False
    # Stripe's times are whole seconds.
    return item.occurred_at is None or endpoint.created_at.replace(microsecond=0) <= item.occurred_at


# --- what happened ----------------------------------------------------------------------------------------------------


def publish_entitlements(
    changed: Sequence[Entitlement], *, audit: AuditContext, whole: WholeSubscription | None = None
) -> None:
    """Publish changed entitlements, and what happened to the subscription that they belong to."""
    if not changed and (whole is None or whole.invoice is None):
        return
    rows = list({row.product_id: row for row in (*whole.rows, *changed)}.values()) if whole else changed
    allowances = read_along(rows)
    updates = [events.entitlement_updated(row, audit, allowances) for row in changed]
    also = whole.events(rows, allowances, audit, is_changed=bool(changed)) if whole else []
    publish(whole.subject.mode if whole else changed[0].mode, [*updates, *also])


@dataclass(frozen=True, slots=True)
class WholeSubscription:
    """A subscription as its events describe it.

    Attributes:
        rows: its entitlements as they were found.
        is_end: whether it has just ended for good.
        invoice: how its payment went is published too, once.
    """

    subject: Subject
    rows: Sequence[Entitlement]
    is_end: bool
    invoice: InvoiceOutcome | None

    def events(
        self, rows: Sequence[Entitlement], allowances: Allowances, audit: AuditContext, *, is_changed: bool
    ) -> list[NewEvent]:
        """What is published of the subscription and of its invoice.

        Args:
            rows: its entitlements as they are now.
            is_changed: whether any of them has changed.
        """
        living = [row for row in rows if row.status != Status.CANCELED and row.revoked_at is None] or rows
        changes = [events.subscription_changed(living, audit, allowances, is_end=self.is_end)] if is_changed else []
        if self.invoice is None:
            return changes
        return changes + events.invoice_collected(self.invoice, self.subject, living, allowances)


def publish_trial_end(
    subject: Subject, rows: Sequence[Entitlement], subscription_id: str, trial_end: datetime, *, audit: AuditContext
) -> None:
    """Publish that a trial will end."""
    event = events.trial_will_end(
        subject, rows, read_along(rows), subscription_id=subscription_id, trial_end=trial_end, audit=audit
    )
    publish(subject.mode, [event])


def publish_purchase(attempt: CheckoutAttempt, session: PaidSession, *, audit: AuditContext) -> None:
    """Publish that the money of a checkout was confirmed."""
    sources = [session.session_id, session.subscription_id or session.session_id]
    found = Entitlement.objects.filter(mode=attempt.mode, source_id__in=sources)
    rows = list(found.select_related("product", "attempt", "pack"))
    publish(attempt.mode, [events.purchase_finalized(attempt, session, rows, read_along(rows), audit)])


def read_along(rows: Sequence[Entitlement]) -> Allowances:
    """Read what the events of a subject's rows need, in three statements at most, and return their allowances."""
    models.prefetch_related_objects(rows, "product", "attempt")
    subscription = next((row for row in rows if row.may_have_allowance), None)
    if subscription is None:
        return {}
    return allowances_of(live_windows(subscription.subject_ref, subscription.mode, clock.now()), rows)
