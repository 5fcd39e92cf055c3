"""What needs somebody: findings that name what is wrong and lead there, and pictures of the last 30 days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Model, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from licenzy_django import clock
from licenzy_django.admin import charts
from licenzy_django.admin.activity import active_by_product
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.checkout.plan_groups import paid_twice
from licenzy_django.checkout.trials import second_trials
from licenzy_django.entitlements.unknown_prices import unknown_price_counts
from licenzy_django.models import ApiKey, CheckoutAttempt, Delivery, EntitlementChange, OutboundEndpoint, StripeEvent
from licenzy_django.models.stripe import WRONG_MODE

DAYS = 30
MOST_SHOWN = 10
SOON = timedelta(minutes=1)
LATE = timedelta(minutes=5)
EXPIRED_WITHOUT_EVENT = timedelta(hours=1)
LONG_PENDING = timedelta(days=14)
NEVER_USED, LONG_UNUSED = timedelta(days=7), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class HealthItem:
    """Something to look after. ``count`` 0 means that all is well."""

    title: Promise
    advice: Promise
    count: int
    shown: list[tuple[str, str]]

    @property
    def has_more(self) -> bool:
        return self.count > len(self.shown)


def health_of(mode: str) -> dict[str, Any]:
    """The context of the health page of a mode. A fixed number of queries."""
    at = clock.now()
    found = [*of_billing(mode), *of_stripe(mode, at), *of_outbound(mode, at), *of_keys(mode, at)]
    return {
        "mode": mode,
        "wrong": [finding for finding in found if finding.count],
        "well": [finding for finding in found if not finding.count],
        "pictures": [
            (_("Stripe events by outcome"), charts.bars(events_by_outcome(mode, at))),
            (_("Purchases by product"), charts.bars(purchases(mode, at))),
            (_("Active entitlements by product"), charts.bars(active_by_product(mode, days_until(at)))),
        ],
    }


def of_stripe(mode: str, at: datetime) -> Iterable[HealthItem]:
    events = StripeEvent.objects.filter(mode=mode).defer("payload")
    attempts = CheckoutAttempt.objects.filter(mode=mode).select_related("subject")
    yield health_item(
        _("Stripe events that failed"),
        _("What they say does not count yet. Replay them, or all of them with: licenzy_replay --failed"),
        events.filter(status=StripeEvent.Status.FAILED),
        lambda event: f"{moment(event.received_at)} · {event.type} · {event.error[:80]}",
    )
    yield health_item(
        _("Stripe events that nobody finished"),
        _("They were kept, and the process stopped before they were handled. Replay them."),
        events.filter(status=StripeEvent.Status.RECEIVED, received_at__lt=at - SOON),
        lambda event: f"{moment(event.received_at)} · {event.type}",
    )
    yield health_item(
        _("Stripe events that were signed for the other mode"),
        _("A webhook secret stands in the settings under the wrong mode. Move it, then run: licenzy_sync"),
        events.filter(outcome=WRONG_MODE),
        lambda event: f"{moment(event.received_at)} · {event.type}",
    )
    created = attempts.filter(status=CheckoutAttempt.Status.CREATED)
    yield health_item(
        _("Checkouts without an answer of Stripe's"),
        _("The customer saw no payment page. A retry with the same key goes on; otherwise close them."),
        created.filter(stripe_session_id="", created_at__lt=at - SOON),
        attempt_words,
    )
    yield health_item(
        _("Payment pages that are over, without an event from Stripe"),
        _("Stripe tells us when a page expires or is paid. Look whether webhooks arrive, then run: licenzy_sync"),
        created.filter(expires_at__lt=at - EXPIRED_WITHOUT_EVENT),
        attempt_words,
    )
    yield health_item(
        _("Payments that are pending for more than two weeks"),
        _("Bank debits take days, not weeks. Compare these subjects with Stripe."),
        attempts.filter(status=CheckoutAttempt.Status.PENDING_PAYMENT, updated_at__lt=at - LONG_PENDING),
        attempt_words,
    )
    synced = EntitlementChange.objects.filter(mode=mode, reason="sync", at__gte=at - timedelta(days=DAYS))
    yield health_item(
        _("Entitlements that only a comparison with Stripe put right, in the last 30 days"),
        _("No webhook brought any of these. Look at the endpoint in the Stripe dashboard."),
        synced.select_related("entitlement"),
        lambda change: f"{moment(change.at)} · {change.entitlement.subject_ref} · {change.entitlement}",
    )


def of_billing(mode: str) -> Iterable[HealthItem]:
    prices = unknown_price_counts(mode)
    products = reverse("admin:licenzy_product_changelist")
    yield HealthItem(
        _("Prices that are billed and that no product has"),
        _("They give nothing. Put each into its product's other prices: then access turns on by itself."),
        sum(count for _price, count in prices),
        [
            (
                ngettext("%(price)s · %(count)d subscription", "%(price)s · %(count)d subscriptions", count)
                % {"price": price, "count": count},
                products,
            )
            for price, count in prices[:MOST_SHOWN]
        ],
    )
    doubles = paid_twice(mode)
    yield HealthItem(
        _("Subjects that pay for two subscriptions of one plan"),
        _("Both renew. Cancel at Stripe the one that the customer does not want, and refund its invoice."),
        len(doubles),
        [(str(double), page_of(double.subject)) for double in doubles[:MOST_SHOWN]],
    )
    trials = second_trials(mode)
    yield HealthItem(
        _("Subjects with a second trial"),
        _("It runs on. To charge at once, end the trial at Stripe."),
        len(trials),
        [(str(trial), page_of(trial.subject)) for trial in trials[:MOST_SHOWN]],
    )


def of_outbound(mode: str, at: datetime) -> Iterable[HealthItem]:
    deliveries = Delivery.objects.filter(mode=mode).select_related("event", "endpoint")
    Status = Delivery.Status  # noqa: N806
    yield health_item(
        _("Notifications that were given up"),
        _("Put the receiver right, then send them again from the subject's page."),
        deliveries.filter(status=Status.DEAD),
        delivery_words,
    )
    yield health_item(
        _("Notifications that are late"),
        _("Nobody sends them: start licenzy_deliver --forever."),
        deliveries.filter(
            status__in=[Status.PENDING, Status.FAILED], next_try_at__lt=at - LATE, endpoint__is_active=True
        ),
        delivery_words,
    )
    endpoints = OutboundEndpoint.objects.filter(mode=mode)
    yield health_item(
        _("Endpoints that fail or were switched off"),
        _("An endpoint that fails for five days is switched off."),
        endpoints.filter(Q(first_failed_at__isnull=False) | Q(is_active=False)),
        lambda endpoint: f"{endpoint} · {endpoint.disabled_reason or moment(endpoint.first_failed_at)}",
    )


def of_keys(mode: str, at: datetime) -> Iterable[HealthItem]:
    never = Q(last_used_at=None, created_at__lt=at - NEVER_USED)
    long_ago = Q(last_used_at__lt=at - LONG_UNUSED)
    yield health_item(
        _("API keys that nobody uses"),
        _("A key that nobody needs is one that nobody misses when it leaks. Revoke it."),
        ApiKey.objects.filter(never | long_ago, mode=mode, revoked_at=None),
        lambda key: f"{key} · " + (moment(key.last_used_at) if key.last_used_at else str(_("never used"))),
    )


def health_item(title: Promise, advice: Promise, rows: QuerySet[Any], words: Any) -> HealthItem:
    """The newest rows, and how many there are in all. One query if there are few."""
    shown = list(rows.order_by("-pk")[: MOST_SHOWN + 1])
    count = len(shown) if len(shown) <= MOST_SHOWN else rows.count()
    return HealthItem(title, advice, count, [(words(row), page_of(row)) for row in shown[:MOST_SHOWN]])


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def attempt_words(attempt: CheckoutAttempt) -> str:
    return f"{moment(attempt.created_at)} · {attempt.subject} · {attempt}"


def delivery_words(delivery: Delivery) -> str:
    parts = [moment(delivery.created_at), str(delivery.event), str(delivery.endpoint), delivery.last_error]
    return " · ".join(filter(None, parts))


# --- pictures ---------------------------------------------------------------------------------------------------------


def days_until(at: datetime) -> list[date]:
    today = at.date()
    return [today - timedelta(days=days) for days in reversed(range(DAYS))]


def events_by_outcome(mode: str, at: datetime) -> list[tuple[date, dict[str, int]]]:
    rows = StripeEvent.objects.filter(mode=mode, received_at__gte=at - timedelta(days=DAYS))
    return counted(rows.annotate(day=TruncDate("received_at", tzinfo=at.tzinfo)), "status", at)


def purchases(mode: str, at: datetime) -> list[tuple[date, dict[str, int]]]:
    rows = CheckoutAttempt.objects.filter(mode=mode, finalized_at__gte=at - timedelta(days=DAYS))
    return counted(rows.annotate(day=TruncDate("finalized_at", tzinfo=at.tzinfo)), "product__code", at)


def counted(rows: QuerySet[Any], series: str, at: datetime) -> list[tuple[date, dict[str, int]]]:
    """How many rows of each series on each day, days without any included."""
    by_day: dict[date, dict[str, int]] = {day: {} for day in days_until(at)}
    for row in rows.order_by().values("day", series).annotate(count=Count("pk")).order_by(series):
        by_day.setdefault(row["day"], {})[row[series]] = row["count"]
    return sorted(by_day.items())[-DAYS:]
