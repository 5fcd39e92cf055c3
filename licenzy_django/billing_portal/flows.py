"""One page of Stripe's portal, with what is to happen on it: https://docs.stripe.com/customer-management/portal-deep-links"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from licenzy_django import clock
from licenzy_django.billing_portal.owned import Owned, product_named
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.checkout.plan_groups import live_subscriptions
from licenzy_django.exceptions import AlreadySubscribed, ChangePending, InvalidRequest, NotChangeable
from licenzy_django.models import Product, Subject
from licenzy_django.stripe.objects.subscription import Item

NOT_HERE = "This is not used in this flow."
RUNNING = frozenset({"active", "trialing", "past_due"})


@dataclass(frozen=True, slots=True)
class Flow:
    """What a session of the portal is for. Empty ``name``: for everything."""

    name: str = ""
    product_code: str = ""
    to_product_code: str = ""
    quantity: int | None = None

    def validate(self) -> None:
        """Raises InvalidRequest."""
        problems: dict[str, list[str]] = {}
        if self.name and self.name not in FLOWS:
            problems["flow"] = [f"This must be one of {', '.join(FLOWS)}."]
        takes = FLOWS[self.name].takes if self.name in FLOWS else ()
        given = {"product_code": self.product_code, "to_product_code": self.to_product_code, "quantity": self.quantity}
        problems |= {name: [NOT_HERE] for name, value in given.items() if value not in ("", None) and name not in takes}
        if "product_code" in takes and not self.product_code:
            problems["product_code"] = ["This flow needs it: which subscription?"]
        if self.quantity is not None and not is_quantity(self.quantity):
            problems["quantity"] = ["This must be a whole number from 1 to 999,999."]
        if problems:
            raise InvalidRequest(fields=problems)

    def data(self, subject: Subject) -> dict[str, Any]:
        """Stripe's ``flow_data``. Raises what ``session_url`` raises of a subscription."""
        return FLOWS[self.name].data(self, subject)


def is_quantity(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MAX_QUANTITY


def payment_method(flow: Flow, subject: Subject) -> dict[str, Any]:
    return {"type": "payment_method_update"}


def cancel(flow: Flow, subject: Subject) -> dict[str, Any]:
    owned = Owned.find(subject, flow.product_code)
    refuse_while_pending(owned, clock.now())
    if owned.product.is_add_on and len(owned.items) > 1:
        raise NotChangeable("The page would cancel the plan with its add-on.")
    return {"type": "subscription_cancel", "subscription_cancel": {"subscription": owned.subscription_id}}


def change(flow: Flow, subject: Subject) -> dict[str, Any]:
    owned, at = Owned.find(subject, flow.product_code), clock.now()
    target = product_named(flow.to_product_code, subject.mode, is_for_sale=True) if flow.to_product_code else None
    refuse_while_pending(owned, at)
    if len(owned.items) != 1:
        raise NotChangeable("A subscription of several items cannot be changed there.")
    if owned.known.status not in RUNNING:
        raise NotChangeable("This subscription is paused, or its payment has not arrived.")
    named = {"subscription": owned.subscription_id}
    if target is None and flow.quantity is None:
        return {"type": "subscription_update", "subscription_update": named}
    item = {**items_after(owned, target or owned.product, flow.quantity, at), "id": owned.items[0].id}
    return {"type": "subscription_update_confirm", "subscription_update_confirm": {**named, "items": [item]}}


def items_after(owned: Owned, target: Product, quantity: int | None, at: datetime) -> dict[str, Any]:
    """Price and quantity of the one item that there will be. What stays the same keeps its price, sold or not."""
    item: Item = owned.items[0]
    if target.pk != owned.product.pk:
        refuse_unless_possible(owned, target, at)
    price = item.price if target.pk == owned.product.pk else target.stripe_price_id
    after = {"price": price, "quantity": item.quantity if quantity is None else quantity}
    if after == {"price": item.price, "quantity": item.quantity}:
        raise InvalidRequest("This would change nothing.")
    return after


def refuse_unless_possible(owned: Owned, target: Product, at: datetime) -> None:
    """Raises NotChangeable, AlreadySubscribed."""
    if not target.is_recurring:
        raise NotChangeable("A subscription can only become another subscription.")
    if target.is_add_on != owned.product.is_add_on:
        raise NotChangeable("A plan cannot become an add-on, nor an add-on a plan.")
    others = live_subscriptions(owned.subject, target, at).exclude(source_id=owned.subscription_id)
    if (other := others.first()) is not None:
        raise AlreadySubscribed(product_code=other.product.code)


def refuse_while_pending(owned: Owned, at: datetime) -> None:
    """Stripe's page changes and cancels nothing while a phase lies ahead, nor what is canceled already.

    Raises ChangePending, NotChangeable.
    """
    if owned.is_change_pending(at):
        raise ChangePending()
    if owned.known.scheduled_end is not None:
        raise NotChangeable("This subscription is canceled already, and ends with its period.")


@dataclass(frozen=True, slots=True)
class KindOfFlow:
    """Which arguments it takes, and Stripe's parameters."""

    takes: tuple[str, ...]
    data: Callable[[Flow, Subject], dict[str, Any]]


FLOWS: Mapping[str, KindOfFlow] = {
    "payment_method": KindOfFlow((), payment_method),
    "cancel": KindOfFlow(("product_code",), cancel),
    "change": KindOfFlow(("product_code", "to_product_code", "quantity"), change),
}
