"""What a change will be, after a look at the catalog and at Stripe. Preview and change come through here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from licenzy_django import clock
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.exceptions import NotChangeable
from licenzy_django.idempotency import fingerprint
from licenzy_django.subscriptions import at_stripe, rules
from licenzy_django.subscriptions.asked import AskedChange, nothing_changes
from licenzy_django.subscriptions.at_stripe import Fetched
from licenzy_django.subscriptions.owned import Owned, add_on, target
from licenzy_django.subscriptions.rules import Item, Items


@dataclass(frozen=True)
class Plan:
    """Attributes:
    before, after: all items of the subscription.
    """

    owned: Owned
    fetched: Fetched
    after: Items
    is_now: bool

    @property
    def before(self) -> Items:
        return self.fetched.items

    @property
    def is_trial(self) -> bool:
        return self.fetched.is_trial

    @property
    def is_ending(self) -> bool:
        """Whether it is to be canceled."""
        subscription = self.fetched.subscription
        return bool(subscription.get("cancel_at") or subscription.get("cancel_at_period_end"))

    @cached_property
    def proration_date(self) -> int:
        """Now, within the current period: Stripe's clock may be another one."""
        start, end = self.fetched.period
        return min(max(int(clock.now().timestamp()), start), end - 1)

    @property
    def effective_at(self) -> int:
        return self.proration_date if self.is_now else self.fetched.period[1]

    @property
    def meaning(self) -> str:
        """A digest of what the subscription is, and of what it shall be."""
        return fingerprint(
            subscription=self.owned.subscription_id,
            before=[(item.id, item.price.id, item.quantity) for item in self.before],
            period=self.fetched.period,
            after=[(item.id, item.price.id, item.quantity) for item in self.after],
            is_now=self.is_now,
        )


def plan(owned: Owned, asked: AskedChange) -> Plan:
    """Raises ProductNotFound, AlreadySubscribed, InvalidRequest, NotChangeable, ChangePending, NoSubscription."""
    product = target(owned, asked.to_product_code)
    added = [(add_on(owned, code), count) for code, count in asked.add.items()]
    fetched = at_stripe.fetch(owned)
    item = fetched.item
    is_same = product == owned.product
    price = at_stripe.price_for(product, fetched.subscription["currency"], current=item.price if is_same else None)
    new = [Item("", at_stripe.price_for(each, fetched.subscription["currency"]), count) for each, count in added]
    after = rules.changed(fetched.items, item.id, price=price, quantity=asked.quantity or item.quantity, added=new)
    if after == fetched.items:
        raise nothing_changes()
    found = Plan(
        owned, fetched, after, rules.is_now(fetched.items, after, wanted=asked.when, is_trial=fetched.is_trial)
    )
    refuse(found)
    return found


def refuse(found: Plan) -> None:
    """Raises NotChangeable, ChangePending."""
    fetched = found.fetched
    at_stripe.refuse_unless_changeable(found.owned, fetched)
    if why_not := rules.refusal_of_items(found.after, currency=fetched.subscription["currency"]):
        raise NotChangeable(why_not)
    if any(item.quantity > MAX_QUANTITY for item in found.after):
        raise NotChangeable("A subscription has at most 999,999 of a product.")
    if found.is_ending and (not found.is_now or rules.restarts(found.before, found.after)):
        raise NotChangeable("It is to end; resume it first.")
    if found.is_now and not found.is_trial:
        at_stripe.refuse_what_cannot_wait(found.owned, fetched)
