"""Of a subscription product, or of its plan group, a subject has one subscription and one open page at a time.

A page with a trial closes the subject's other pages with one too.

What counts is what is billed at Stripe, not what gives access: two subscriptions would both renew for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from licenzy_django import clock
from licenzy_django.checkout.pages import close_page
from licenzy_django.checkout.trials import drop_trial, is_used_up
from licenzy_django.exceptions import AlreadySubscribed
from licenzy_django.models import CheckoutAttempt, Entitlement, Product, Source, Status, Subject
from licenzy_django.models.kinds import kinds_that


def slot_of(product: Product) -> str:
    """What two open pages of one subject may not share; empty if it may have many."""
    if not product.is_recurring:
        return ""
    return f"group:{product.group}" if product.group else f"product:{product.pk}"


def make_way(attempt: CheckoutAttempt) -> None:
    """Before a page is opened: refuse if the subject is subscribed, else close its earlier pages.

    The attempt loses its trial if the subject has had one, also on an earlier page that was completed meanwhile.

    Raises:
        AlreadySubscribed: also where the earlier page was completed meanwhile.
        IdempotencyKeyInUse: another request is opening a page at this moment.
        StripeUnavailable, StripeRefused, ModeNotConfigured: Stripe could not be asked about the earlier page.
    """
    subject, product = attempt.subject, attempt.product
    if not product.is_recurring:
        return
    # Read before the subscriptions and trials: a page that is completed in between is among one or the other.
    earlier = list(open_pages(attempt))
    running = live_subscriptions(subject, product, clock.now()).first()
    if running is not None:
        raise AlreadySubscribed(product_code=running.product.code)
    if attempt.trial_days and is_used_up(subject, product):
        drop_trial(attempt)
    for page in earlier:
        is_rival = slot_of(page.product) == slot_of(product)
        if (is_rival or attempt.trial_slot) and not close_page(page):
            if is_rival:
                raise AlreadySubscribed(product_code=page.product.code)
            drop_trial(attempt)


def open_pages(attempt: CheckoutAttempt) -> QuerySet[CheckoutAttempt]:
    """Earlier pages that may not stay open beside this attempt's."""
    attempts = CheckoutAttempt.objects.filter(subject=attempt.subject, status=CheckoutAttempt.Status.CREATED)
    conflicting = Q(product__in=rivals(attempt.product))
    if attempt.trial_slot:
        conflicting |= Q(trial_slot=attempt.trial_slot)
    return attempts.filter(conflicting).select_related("subject", "product").order_by("pk")


def live_subscriptions(subject: Subject, product: Product, at: datetime) -> QuerySet[Entitlement]:
    """Those that have not ended. A grant is not billed, so it is none of them."""
    rows = live(at).filter(subject=subject, product__in=rivals(product))
    return rows.select_related("product").order_by("pk")


def live(at: datetime) -> QuerySet[Entitlement]:
    """Of every subject: what a subscription at Stripe is billed for."""
    has_not_ended = ~Q(status=Status.CANCELED) & (Q(cancel_at=None) | Q(cancel_at__gt=at))
    return Entitlement.objects.filter(has_not_ended, source=Source.STRIPE, product__kind__in=kinds_that("is_recurring"))


def rivals(product: Product) -> QuerySet[Product]:
    """The product itself, and the others of its plan group."""
    same = Product.objects.filter(mode=product.mode)
    return same.filter(group=product.group) if product.group else same.filter(pk=product.pk)


@dataclass(frozen=True, slots=True)
class PaidTwice:
    """Subscriptions of one subject that are one too many: paid at the same second, or made by hand."""

    subject: Subject
    entitlements: list[Entitlement]
    """One for each subscription, the oldest first."""

    def __str__(self) -> str:
        running = " and ".join(
            f"{row.source_id} ({row.product.code}, since {row.starts_at or row.created_at:%Y-%m-%d})"
            for row in self.entitlements
        )
        return f"{self.subject} pays for {running}"

    @property
    def too_many(self) -> str:
        return ", ".join(row.source_id for row in self.entitlements[1:])


def paid_twice(mode: str, *, subject: Subject | None = None, limit: int = 20) -> list[PaidTwice]:
    """Subjects with more than one subscription of a product or plan group that has not ended."""
    rows = live(clock.now()).filter(mode=mode)
    if subject is not None:
        rows = rows.filter(subject=subject)
    product = Concat(Value("product:"), Cast("product_id", CharField()), output_field=CharField())
    group = Concat(Value("group:"), F("product__group"), output_field=CharField())
    rows = rows.annotate(slot=Case(When(product__group="", then=product), default=group))
    doubles = rows.order_by().values("subject_id", "slot").annotate(count=Count("source_id", distinct=True))
    return [
        of_slot(rows.filter(subject_id=each["subject_id"], slot=each["slot"]))
        for each in doubles.filter(count__gt=1).order_by("subject_id", "slot")[:limit]
    ]


def of_slot(rows: QuerySet[Entitlement]) -> PaidTwice:
    found: dict[str, Entitlement] = {}
    for row in rows.select_related("product", "subject").order_by("starts_at", "pk")[:100]:
        found.setdefault(row.source_id, row)
    first = next(iter(found.values()))
    return PaidTwice(first.subject, list(found.values()))
