"""Which subscription of a subject a product belongs to, as far as we know without asking Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from licenzy_django import clock
from licenzy_django.checkout.plan_groups import live, live_subscriptions
from licenzy_django.checkout.products import product_named
from licenzy_django.clock import from_timestamp
from licenzy_django.exceptions import AlreadySubscribed, NoSubscription, NotChangeable
from licenzy_django.models import Entitlement, Product, StripeFact, Subject, SubscriptionChange
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects.subscription import Subscription
from licenzy_django.subscriptions.rules import PAUSED

TWICE = "This subject has this product twice; an operator has to end one of the subscriptions first."


@dataclass(frozen=True)
class Owned:
    """A subject's subscription to a product: it has not ended."""

    subject: Subject
    product: Product
    entitlement: Entitlement

    @property
    def mode(self) -> str:
        return self.subject.mode

    @property
    def subscription_id(self) -> str:
        return self.entitlement.source_id

    @cached_property
    def known(self) -> Subscription:
        """As the facts have it."""
        row = StripeFact.objects.get(mode=self.mode, stripe_id=self.subscription_id)
        return Subscription.of(facts.fact_from(row))

    @property
    def changes(self) -> Any:
        """Every change of the subscription that was asked of us."""
        return SubscriptionChange.objects.filter(mode=self.mode, stripe_subscription_id=self.subscription_id)

    def scheduled_change(self, at: datetime) -> SubscriptionChange | None:
        """The change of ours that is still to come."""
        scheduled = self.changes.filter(status=SubscriptionChange.Status.DONE, outcome="scheduled", taken_back_at=None)
        found: SubscriptionChange | None = scheduled.exclude(stripe_schedule_id="").filter(effective_at__gt=at).first()
        return found

    @property
    def ends_at(self) -> datetime | None:
        """When the whole subscription is to end, at the end of its period at the latest; None if it is to go on."""
        end, period_ends = self.known.scheduled_end, [item.period_end or 0 for item in self.known.items]
        return from_timestamp(end) if end is not None and end <= max(period_ends, default=0) else None


def owned(subject_ref: str, mode: str, product_code: str) -> Owned:
    """Raises ProductNotFound, NoSubscription, NotChangeable (the subject has it twice, or it is paused)."""
    subscription = found(subject_ref, mode, product_code)
    if subscription.known.status == "paused":
        raise NotChangeable(PAUSED)
    return subscription


def found(subject_ref: str, mode: str, product_code: str) -> Owned:
    """The subscription, whether or not it is paused.

    Raises ProductNotFound, NoSubscription, NotChangeable (the subject has it twice).
    """
    product = product_named(product_code, mode, is_for_sale=False)
    rows = live(clock.now()).filter(mode=mode, subject__subject_ref=subject_ref, product=product)
    by_subscription = {row.source_id: row for row in rows.select_related("subject").order_by("pk")[:100]}
    if not by_subscription:
        raise NoSubscription()
    if len(by_subscription) > 1:
        raise NotChangeable(TWICE)
    row = next(iter(by_subscription.values()))
    return Owned(row.subject, product, row)


def target(subscription: Owned, code: str) -> Product:
    """The product that a subscription shall become.

    Raises ProductNotFound, NotChangeable, AlreadySubscribed.
    """
    if not code or code == subscription.product.code:
        return subscription.product
    product = product_named(code, subscription.mode)
    if not product.is_recurring:
        raise NotChangeable("A subscription can only become another subscription.")
    if product.is_add_on != subscription.product.is_add_on:
        raise NotChangeable("A plan cannot become an add-on, nor an add-on a plan.")
    others = live_subscriptions(subscription.subject, product, clock.now()).exclude(product=subscription.product)
    if (other := others.first()) is not None:
        raise AlreadySubscribed(product_code=other.product.code)
    return product


def add_on(subscription: Owned, code: str) -> Product:
    """A product that may be added. Raises ProductNotFound, NotChangeable, AlreadySubscribed."""
    product = product_named(code, subscription.mode)
    if not product.is_add_on:
        raise NotChangeable("Only an add-on can be added to a subscription.")
    elsewhere = live_subscriptions(subscription.subject, product, clock.now())
    if elsewhere.exclude(source_id=subscription.subscription_id).exists():
        raise AlreadySubscribed(product_code=product.code)
    return product
