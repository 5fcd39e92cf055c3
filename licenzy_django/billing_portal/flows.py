"""One page of Stripe's portal, with what is to happen on it: https://docs.stripe.com/customer-management/portal-deep-links"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from licenzy_django import clock
from licenzy_django.checkout.order import NOT_A_QUANTITY, is_quantity
from licenzy_django.entitlements.scheduled import schedule_in_force
from licenzy_django.exceptions import ChangePending, InvalidRequest, NotChangeable
from licenzy_django.models import Product, StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.subscriptions.asked import nothing_changes
from licenzy_django.subscriptions.owned import Owned, found, target

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
            problems["quantity"] = [NOT_A_QUANTITY]
        if problems:
            raise InvalidRequest(fields=problems)

    def data(self, subject: Subject) -> dict[str, Any]:
        """Stripe's ``flow_data``. Raises what ``session_url`` raises of a subscription."""
        return FLOWS[self.name].data(self, subject)


def payment_method(flow: Flow, subject: Subject) -> dict[str, Any]:
    return {"type": "payment_method_update"}


def cancel(flow: Flow, subject: Subject) -> dict[str, Any]:
    owned = found(subject.subject_ref, subject.mode, flow.product_code)
    refuse_while_pending(owned, clock.now())
    if owned.product.is_add_on and len(owned.known.items) > 1:
        raise NotChangeable("The page would cancel the plan with its add-on.")
    return {"type": "subscription_cancel", "subscription_cancel": {"subscription": owned.subscription_id}}


def change(flow: Flow, subject: Subject) -> dict[str, Any]:
    owned = found(subject.subject_ref, subject.mode, flow.product_code)
    product = target(owned, flow.to_product_code)
    refuse_while_pending(owned, clock.now())
    if len(owned.known.items) != 1:
        raise NotChangeable("A subscription of several items cannot be changed there.")
    if owned.known.status not in RUNNING:
        raise NotChangeable("This subscription is paused, or its payment has not arrived.")
    named = {"subscription": owned.subscription_id}
    if not flow.to_product_code and flow.quantity is None:
        return {"type": "subscription_update", "subscription_update": named}
    item = item_after(owned, product, flow.quantity)
    return {"type": "subscription_update_confirm", "subscription_update_confirm": {**named, "items": [item]}}


def item_after(owned: Owned, product: Product, quantity: int | None) -> dict[str, Any]:
    """The one item as it will be. What stays the same keeps its price, sold or not. Raises InvalidRequest."""
    [item] = owned.known.items
    price = item.price if product.pk == owned.product.pk else product.stripe_price_id
    after = (price, item.quantity if quantity is None else quantity)
    if after == (item.price, item.quantity):
        raise nothing_changes()
    return {"id": item.id, "price": after[0], "quantity": after[1]}


def refuse_while_pending(owned: Owned, at: datetime) -> None:
    """Stripe's page changes and cancels nothing while a phase lies ahead, nor what is canceled already.

    Raises ChangePending, NotChangeable.
    """
    rows = StripeFact.objects.filter(mode=owned.mode, subscription_id=owned.subscription_id)
    schedules = rows.exclude(subscription_id="").filter(object="subscription_schedule")
    schedule = schedule_in_force([facts.fact_from(row) for row in schedules])
    if schedule is not None and any(moment > at.timestamp() for moment in schedule.moments_ahead):
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
