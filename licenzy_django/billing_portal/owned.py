"""Which subscription of a subject a product belongs to, as far as we know without asking Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from licenzy_django import clock
from licenzy_django.checkout.plan_groups import live
from licenzy_django.db.text import storable
from licenzy_django.entitlements.scheduled import schedule_in_force
from licenzy_django.exceptions import NoSubscription, NotChangeable, ProductNotFound
from licenzy_django.models import Product, StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects.subscription import Item, Subscription


@dataclass(frozen=True)
class Owned:
    """A subject's subscription to a product: it has not ended."""

    subject: Subject
    product: Product
    subscription_id: str

    @classmethod
    def find(cls, subject: Subject, product_code: str) -> Self:
        """Raises ProductNotFound, NoSubscription, NotChangeable (the subject has the product twice)."""
        product = product_named(product_code, subject.mode)
        rows = live(clock.now()).filter(subject=subject, product=product)
        found = sorted(set(rows.order_by().values_list("source_id", flat=True)[:100]))
        if not found:
            raise NoSubscription()
        if len(found) > 1:
            raise NotChangeable("This subject has this product twice; an operator has to end one of the two first.")
        return cls(subject, product, found[0])

    @cached_property
    def known(self) -> Subscription:
        """As the facts have it."""
        row = StripeFact.objects.get(mode=self.subject.mode, stripe_id=self.subscription_id)
        return Subscription.of(facts.fact_from(row))

    @property
    def items(self) -> tuple[Item, ...]:
        return self.known.items

    def is_change_pending(self, at: datetime) -> bool:
        """Whether a phase of its schedule, or the end that the schedule brings, lies ahead."""
        rows = StripeFact.objects.filter(mode=self.subject.mode, subscription_id=self.subscription_id)
        schedules = rows.exclude(subscription_id="").filter(object="subscription_schedule")
        schedule = schedule_in_force([facts.fact_from(row) for row in schedules])
        return schedule is not None and any(moment > at.timestamp() for moment in schedule.moments_ahead)


def product_named(code: Any, mode: str, *, is_for_sale: bool = False) -> Product:
    """Raises ProductNotFound; also for one that is not for sale, where that matters."""
    # A host may take the code from a form: what no database can hold is no product either.
    found = Product.objects.filter(mode=mode, code=storable(code)).first() if isinstance(code, str) else None
    if found is None or found.code != code or (is_for_sale and not found.is_active):
        raise ProductNotFound()
    return found
