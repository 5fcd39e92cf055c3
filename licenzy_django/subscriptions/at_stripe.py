"""A subscription as Stripe has it now, with what decides whether it can be changed. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from licenzy_django.entitlements.price_history import known_prices
from licenzy_django.exceptions import ChangePending, NoSubscription, NotChangeable
from licenzy_django.models import Product, SubscriptionChange
from licenzy_django.stripe import client
from licenzy_django.stripe.objects.fields import id_of, listed
from licenzy_django.subscriptions.owned import TWICE, Owned
from licenzy_django.subscriptions.phases import METADATA_KEY
from licenzy_django.subscriptions.rules import (
    CANNOT_WAIT,
    UNPAID,
    Item,
    Items,
    Price,
    is_unpaid,
    refusal,
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Attributes:
    items: all of the subscription's, each with its price.
    own: the items that count as the product, by their ids.
    schedule_id: of a schedule of ours that is attached; empty if there is none.
    waiting: the invoice of a change that waits for its payment; empty if there is none.
    """

    subscription: dict[str, Any]
    items: Items
    own: tuple[Item, ...]
    schedule_id: str
    waiting: str
    is_scheduled: bool

    @property
    def item(self) -> Item:
        """The one that counts as the product. Raises NoSubscription, NotChangeable."""
        if not self.own:
            raise NoSubscription()
        if len(self.own) > 1:
            raise NotChangeable(TWICE)
        return self.own[0]

    @property
    def is_trial(self) -> bool:
        return bool(self.subscription["status"] == "trialing")

    @property
    def period(self) -> tuple[int, int]:
        """The current period, in Unix seconds."""
        rows = listed(self.subscription["items"])
        return min(row["current_period_start"] for row in rows), max(row["current_period_end"] for row in rows)


def fetch(owned: Owned) -> Fetched:
    """Ask Stripe. Raises NotChangeable for a schedule that was made by hand; StripeUnavailable, StripeRefused."""
    subscription = client.fetch_subscription(owned.mode, owned.subscription_id)
    rows = listed(subscription["items"])
    currency = subscription["currency"]
    items = tuple(Item(row["id"], priced(owned.mode, row["price"], currency), row.get("quantity") or 0) for row in rows)
    book = known_prices(owned.mode, {item.price.id for item in items}).book
    terms = {row["id"]: book.terms_of(row["price"]["id"], row.get("created")) for row in rows}
    own = tuple(item for item in items if (found := terms[item.id]) and found.product_id == owned.product.pk)
    schedule = fetch_schedule(owned, id_of(subscription.get("schedule")))
    return Fetched(
        subscription,
        items,
        own,
        schedule_id=schedule["id"] if schedule else "",
        waiting=id_of(subscription.get("latest_invoice")) if subscription.get("pending_update") else "",
        is_scheduled=bool(schedule) and has_more_phases(schedule),
    )


def fetch_schedule(owned: Owned, schedule_id: str) -> dict[str, Any]:
    """The schedule if it is one of ours. Raises NotChangeable for another one."""
    if not schedule_id:
        return {}
    schedule = client.fetch_schedule(owned.mode, schedule_id)
    if not is_ours(owned, schedule):
        raise NotChangeable("A schedule that was made at Stripe decides about this subscription.")
    return schedule


def is_ours(owned: Owned, schedule: Json) -> bool:
    """Whether a change of ours made this schedule; also one that died before it could keep Stripe's answer."""
    changes = owned.changes
    if changes.filter(stripe_schedule_id=schedule["id"]).exists():
        return True
    named = (schedule.get("metadata") or {}).get(METADATA_KEY)
    if named and changes.filter(public_id=named).exists():
        return True
    # ``from_subscription`` makes one phase and takes no metadata.
    unfinished = changes.filter(stripe_schedule_id="").exclude(status=SubscriptionChange.Status.DONE)
    return len(schedule["phases"]) == 1 and any(
        change.created_at.timestamp() <= schedule["created"] + 1 and has_step(change, "schedule")
        for change in unfinished.order_by("-pk")[:10]
    )


def has_step(change: SubscriptionChange, call: str) -> bool:
    return any(step["call"] == call for step in change.steps)


def has_more_phases(schedule: Json) -> bool:
    """Whether something is still to come. It stays attached to its end, also after the change has happened."""
    current, last = schedule.get("current_phase") or {}, schedule["phases"][-1]
    return schedule.get("status") in ("active", "not_started") and current.get("start_date") != last["start_date"]


def refuse_unless_changeable(owned: Owned, fetched: Fetched) -> None:
    """Raises NotChangeable, ChangePending."""
    why_not = refusal(fetched.subscription, is_own_schedule=bool(fetched.schedule_id))
    if why_not:
        raise NotChangeable(why_not)
    if fetched.is_scheduled:
        raise ChangePending()
    if owned.entitlement.status not in ("active", "trialing") or is_unpaid(
        invoices_of_period(owned, fetched), waiting=fetched.waiting
    ):
        raise NotChangeable(UNPAID)


def invoices_of_period(owned: Owned, fetched: Fetched) -> list[Json]:
    start, _ = fetched.period
    params: Any = {"subscription": owned.subscription_id, "created": {"gte": start}, "limit": 100}
    return listed(client.ask(owned.mode, lambda stripe: stripe.v1.invoices.list(params)))


def priced(mode: str, price: dict[str, Any], currency: str) -> Price:
    """A price in the subscription's currency, where it has that one. A subscription shows it in the price's own."""
    if price["currency"] != currency and "currency_options" not in price:
        price = client.fetch_price(mode, price["id"], expand=["currency_options"])
    return Price.of(price, currency=currency)


def price_for(product: Product, currency: str, *, current: Price | None = None) -> Price:
    """The price that a product is sold at now, or ``current``, which the item has already.

    Raises NotChangeable for one that is archived.
    """
    price = current or Price.of(
        client.fetch_price(product.mode, product.stripe_price_id, expand=["currency_options"]), currency=currency
    )
    if not price.is_active:
        raise NotChangeable("Its price is archived at Stripe: an operator has to give it another one.")
    return price


def refuse_what_cannot_wait(owned: Owned, fetched: Fetched) -> None:
    """Raises NotChangeable where the payment of a change could take days."""
    method_id = id_of(fetched.subscription.get("default_payment_method"))
    if not method_id:
        customer_id = id_of(fetched.subscription.get("customer"))
        customer = client.ask(owned.mode, lambda stripe: stripe.v1.customers.retrieve(customer_id))
        method_id = id_of((customer.get("invoice_settings") or {}).get("default_payment_method"))
    if not method_id:
        return
    method = client.ask(owned.mode, lambda stripe: stripe.v1.payment_methods.retrieve(method_id))
    if method.get("type") in CANNOT_WAIT:
        raise NotChangeable("It is paid by bank debit, which takes days: choose the end of the period.")
