"""What others must hear: written in the transaction of the change, sent afterwards by ``licenzy_deliver``.

Nobody listening means nothing is written: an endpoint hears of what happens from the moment it was made. What a change
of an entitlement is follows from its history row, so it is told as often as it happened: once. What Stripe may report
again (an invoice) carries a key with a unique index.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from licenzy_django import clock
from licenzy_django.audit import Cause
from licenzy_django.models import (
    CheckoutAttempt,
    Delivery,
    Entitlement,
    OutboundEndpoint,
    OutboundEvent,
    Status,
    Subject,
)
from licenzy_django.outbound import events
from licenzy_django.outbound.events import News
from licenzy_django.signals import outbound_recorded
from licenzy_django.stripe.translate import Fact

Row = TypeVar("Row", bound=models.Model)


def with_listeners(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Ask along, in a query that is made anyway, whether anybody listens in each row's mode."""
    listeners = OutboundEndpoint.objects.filter(mode=OuterRef("mode"), is_active=True)
    asked: models.QuerySet[Row] = rows.annotate(has_listeners=Exists(listeners))  # type: ignore[assignment]
    return asked


@cache
def is_listened_to() -> str:
    """The same in SQL, of the mode of a row ``t``."""
    return f"EXISTS (SELECT 1 FROM {OutboundEndpoint._meta.db_table} l WHERE l.mode = t.mode AND l.is_active)"  # noqa: S608


def is_heard(row: models.Model) -> bool:
    """Whether telling is worth a query. A row that was read without ``with_listeners`` says yes."""
    return bool(getattr(row, "has_listeners", True))


@transaction.atomic(savepoint=False)
def record(mode: str, told: Sequence[News]) -> list[OutboundEvent]:
    """Keep what each listening endpoint has to be told. At most three statements, one if nobody wants to hear.

    Belongs into the transaction of the change. Returns the events that were written.
    Raises IntegrityError if another transaction told the same ``once_key`` at this very moment.
    """
    endpoints = listening(mode, told) if told else []
    now = clock.now()
    heard: list[tuple[OutboundEvent, list[OutboundEndpoint]]] = []
    for number, item in enumerate(told):
        listeners = [endpoint for endpoint in endpoints if is_for(item, number, endpoint)]
        if listeners:
            event = OutboundEvent(
                mode=mode,
                type=item.type,
                subject_ref=item.subject_ref,
                payload=dict(item.payload),
                once_key=item.once_key,
                created_at=now,
            )
            heard.append((event, listeners))
    if not heard:
        return []
    events = OutboundEvent.objects.bulk_create(event for event, _ in heard)
    Delivery.objects.bulk_create(
        Delivery(mode=mode, event=event, endpoint=endpoint, next_try_at=now, created_at=now)
        for event, listeners in heard
        for endpoint in listeners
    )
    transaction.on_commit(lambda: outbound_recorded.send_robust(sender=OutboundEvent, mode=mode))
    return events


def listening(mode: str, told: Sequence[News]) -> list[OutboundEndpoint]:
    """The mode's active endpoints; ``told_<n>`` says that the n-th news is none any more."""
    known = {
        f"told_{number}": Exists(OutboundEvent.objects.filter(mode=mode, once_key=item.once_key))
        for number, item in enumerate(told)
        if item.once_key
    }
    endpoints = OutboundEndpoint.objects.filter(mode=mode, is_active=True).order_by("pk")
    return list(endpoints.only("mode", "events", "created_at").annotate(**known))


def is_for(item: News, number: int, endpoint: OutboundEndpoint) -> bool:
    if getattr(endpoint, f"told_{number}", False) or not endpoint.wants(item.type):
        return False
    # Stripe's times are whole seconds.
    return item.occurred_at is None or endpoint.created_at.replace(microsecond=0) <= item.occurred_at


# --- what happened ----------------------------------------------------------------------------------------------------


def record_entitlements(changed: Sequence[Entitlement], *, cause: Cause, also: Sequence[News] = ()) -> None:
    """Tell of changed entitlements, and of what else happened with them."""
    if changed or also:
        read_along(changed)
        mode = changed[0].mode if changed else also[0].payload["mode"]
        record(mode, [*(events.entitlement_updated(row, cause) for row in changed), *also])


def of_subscription(
    subject: Subject,
    rows: Sequence[Entitlement],
    changed: Sequence[Entitlement],
    *,
    cause: Cause,
    is_end: bool,
    invoice: Fact | None,
) -> list[News]:
    """What there is to tell of a subscription as a whole, and of its invoice.

    Args:
        rows: all entitlements of the subscription, as they are now.
        changed: those of them that just changed.
        is_end: whether the subscription has just ended for good.
        invoice: how its payment went is told too, once.
    """
    if not changed and invoice is None:
        return []
    read_along(rows)
    living = [row for row in rows if row.status != Status.CANCELED and row.revoked_at is None] or rows
    told = [events.subscription_changed(living, cause, is_end=is_end)] if changed else []
    return told + (events.invoice_collected(invoice, subject, living) if invoice is not None else [])


def record_purchase(attempt: CheckoutAttempt, session: Fact, *, cause: Cause) -> None:
    """Tell that the money of a checkout was confirmed."""
    sources = [session.stripe_id, session.links.get("subscription_id") or session.stripe_id]
    rows = Entitlement.objects.filter(mode=attempt.mode, source_id__in=sources).select_related("product", "attempt")
    record(attempt.mode, [events.purchase_finalized(attempt, session, list(rows), cause)])


def read_along(rows: Sequence[Entitlement]) -> None:
    """What the news of all rows needs, in two statements at most."""
    models.prefetch_related_objects(rows, "product", "attempt")
