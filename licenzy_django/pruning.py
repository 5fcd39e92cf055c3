"""What is no longer needed, dropped in small batches so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from licenzy_django import clock
from licenzy_django.models import CheckoutAttempt, Delivery, OutboundEvent, StripeEvent
from licenzy_django.outbound.events import PUBLISHED_WITHIN

BATCH = 500
# A page lives for a day, and Stripe keeps our key as long.
ANSWERS_ARE_NEEDED_FOR = timedelta(days=2)


def sent_deliveries(days: int, *, at: datetime | None = None) -> int:
    """Deliveries that were sent, or given up, longer ago than ``days``."""
    before = clock.moment(at) - timedelta(days=days)
    sent = Delivery.objects.filter(status=Delivery.Status.SENT, sent_at__lt=before)
    dead = Delivery.objects.filter(status=Delivery.Status.DEAD, next_try_at__lt=before)
    return in_batches(sent) + in_batches(dead)


def outbound_events(days: int, *, at: datetime | None = None) -> int:
    """Outbound events without a delivery left. One that is published only once stays while it could come again."""
    before = clock.moment(at) - max(timedelta(days=days), PUBLISHED_WITHIN)
    deliveries = Delivery.objects.filter(event=OuterRef("pk"))
    return in_batches(OutboundEvent.objects.filter(~Exists(deliveries), created_at__lt=before))


def raw_payloads(days: int, *, at: datetime | None = None) -> int:
    """The payloads of Stripe events that are done with; the rows stay, since they keep an event from counting twice."""
    before = clock.moment(at) - timedelta(days=days)
    done = [StripeEvent.Status.PROCESSED, StripeEvent.Status.IGNORED]
    rows = StripeEvent.objects.filter(status__in=done, received_at__lt=before, payload__isnull=False)
    return in_batches(rows, lambda batch: batch.update(payload=None))


def checkout_answers(days: int, *, at: datetime | None = None) -> int:
    """What Stripe was asked and answered for old checkouts. The attempt stays, and its key still makes nothing new."""
    before = clock.moment(at) - max(timedelta(days=days), ANSWERS_ARE_NEEDED_FOR)
    answered = Q(checkout_url__gt="") | ~Q(stripe_params={})
    rows = CheckoutAttempt.objects.filter(answered, created_at__lt=before)
    return in_batches(rows, lambda batch: batch.update(stripe_params={}, checkout_url=""))


def delete(batch: QuerySet[Any]) -> int:
    return batch.delete()[0]


def in_batches(rows: QuerySet[Any], drop: Callable[[QuerySet[Any]], int] = delete) -> int:
    """Each batch is a transaction of its own, so that stopping half way loses nothing and locks little."""
    dropped = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        drop(rows.model._default_manager.filter(pk__in=pks))
        dropped += len(pks)
    return dropped
