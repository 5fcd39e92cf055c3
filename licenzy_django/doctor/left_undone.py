"""What was begun and not finished: by Stripe's events, by checkouts, on the way to other systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from licenzy_django import clock
from licenzy_django.doctor.finding import Finding
from licenzy_django.models import CheckoutAttempt, Delivery, Mode, OutboundEndpoint, StripeEvent
from licenzy_django.models.stripe import WRONG_MODE

SOON, LATE = timedelta(minutes=1), timedelta(minutes=5)


def events_are_processed() -> Iterator[Finding]:
    waiting = Q(status=StripeEvent.Status.RECEIVED, received_at__lt=clock.now() - SOON)
    events = StripeEvent.objects.filter(waiting | Q(status=StripeEvent.Status.FAILED)).defer("payload")
    if count := events.count():
        oldest = events.order_by("pk")[0]
        yield Finding(
            f"{count} of Stripe's events are not processed, the oldest is {oldest}: {oldest.error[:200] or 'cut off'}",
            "What they say does not count yet. Look at them in the admin, then: manage.py licenzy_replay --failed",
        )


def secrets_are_of_their_mode() -> Iterator[Finding]:
    for mode in Mode.values:
        if count := StripeEvent.objects.filter(mode=mode, outcome=WRONG_MODE).count():
            yield Finding(
                f"{count} of Stripe's events were ignored: their signature was that of {mode} mode, and they were not.",
                f"{mode.upper()}_WEBHOOK_SECRETS has one of the other mode. Move it, then: manage.py licenzy_sync",
            )


def attempts_have_answers() -> Iterator[Finding]:
    attempts = CheckoutAttempt.objects.filter(
        status=CheckoutAttempt.Status.CREATED, stripe_session_id="", created_at__lt=clock.now() - SOON
    )
    if count := attempts.count():
        yield Finding(
            f"{count} checkout attempts got no answer of Stripe's: those customers saw no payment page.",
            "A retry with the same Idempotency-Key goes on where it stopped. The log has the reason.",
            is_wrong=False,
        )


def deliveries_arrive() -> Iterator[Finding]:
    endpoints = OutboundEndpoint.objects.filter(Q(first_failed_at__isnull=False) | ~Q(disabled_reason=""))
    for endpoint in endpoints.order_by("pk")[:20]:
        state = f"was switched off: {endpoint.disabled_reason}" if endpoint.disabled_reason else "is failing"
        yield Finding(f"The outbound endpoint {endpoint} ({endpoint.mode}) {state}.", "Put the receiver right.")
    if dead := Delivery.objects.filter(status=Delivery.Status.DEAD).count():
        yield Finding(f"{dead} outbound deliveries were given up.", "Requeue them in the admin, or let them go.", False)
    late = Delivery.objects.filter(
        status__in=[Delivery.Status.PENDING, Delivery.Status.FAILED],
        next_try_at__lt=clock.now() - LATE,
        endpoint__is_active=True,
    )
    if count := late.count():
        yield Finding(
            f"{count} outbound deliveries are late: nobody sends them.", "manage.py licenzy_deliver --forever"
        )
