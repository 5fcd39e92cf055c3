"""Of a subscription product, or of its plan group, a subject has one subscription and one open page at a time.

What counts is what is billed at Stripe, not what gives access: two subscriptions would both renew for ever.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from licenzy_django import clock
from licenzy_django.checkout.pages import close_page
from licenzy_django.exceptions import AlreadySubscribed
from licenzy_django.models import CheckoutAttempt, Entitlement, Product, Source, Status, Subject


def slot_of(product: Product) -> str:
    """What two open pages of one subject may not share; empty if it may have many."""
    if not product.is_recurring:
        return ""
    return f"group:{product.group}" if product.group else f"product:{product.pk}"


def make_way(subject: Subject, product: Product) -> None:
    """Before a page is opened: refuse if the subject is subscribed, else close its earlier page.

    Raises:
        AlreadySubscribed: also where the earlier page was completed meanwhile.
        IdempotencyKeyInUse: another request is opening a page at this moment.
        StripeUnavailable, StripeRefused, ModeNotConfigured: Stripe could not be asked about the earlier page.
    """
    if not product.is_recurring:
        return
    # Read before the subscriptions: a page that is completed in between is among one or the other.
    earlier = list(open_pages(subject, product))
    running = live_subscriptions(subject, product, clock.now()).first()
    if running is not None:
        raise AlreadySubscribed(product_code=running.product.code)
    for attempt in earlier:
        if not close_page(attempt):
            raise AlreadySubscribed(product_code=attempt.product.code)


def open_pages(subject: Subject, product: Product) -> QuerySet[CheckoutAttempt]:
    attempts = CheckoutAttempt.objects.filter(subject=subject, status=CheckoutAttempt.Status.CREATED)
    return attempts.filter(product__in=rivals(product)).select_related("subject", "product").order_by("pk")


def live_subscriptions(subject: Subject, product: Product, at: datetime) -> QuerySet[Entitlement]:
    """Those that have not ended. A grant is not billed, so it is none of them."""
    rows = Entitlement.objects.filter(subject=subject, source=Source.STRIPE, product__in=rivals(product))
    has_not_ended = ~Q(status=Status.CANCELED) & (Q(cancel_at=None) | Q(cancel_at__gt=at))
    return rows.filter(has_not_ended).select_related("product").order_by("pk")


def rivals(product: Product) -> QuerySet[Product]:
    """The product itself, and the others of its plan group."""
    same = Product.objects.filter(mode=product.mode)
    return same.filter(group=product.group) if product.group else same.filter(pk=product.pk)
