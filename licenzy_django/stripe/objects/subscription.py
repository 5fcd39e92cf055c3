"""Subscriptions and their items: https://docs.stripe.com/api/subscriptions/object"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, State
from licenzy_django.stripe.objects.fields import Json, flag, id_of, inside, listed, text, whole
from licenzy_django.stripe.objects.session import ATTEMPT_METADATA_KEY

MERGE_TRIAL: dict[str, Merge] = {"start": min, "prices": lambda one, other: sorted({*one, *other})}
MERGE_FREE_START: dict[str, Merge] = {
    "until": max,
    "shown": lambda one, other: max(one, other, key=lambda shown: (shown["seen_at"], json.dumps(shown["items"]))),
}
FINAL_STATUSES = frozenset({"canceled", "incomplete_expired"})
RUNNING = frozenset({"active", "trialing"})
KEPT = (
    "status customer items has_more price plan product quantity current_period_start current_period_end cancel_at "
    "cancel_at_period_end canceled_at ended_at trial_start trial_end latest_invoice pause_collection behavior "
    "resumes_at pending_update expires_at start_date billing_mode schedule status_details paused transitioned_at "
    "metadata billing_cycle_anchor recurring interval interval_count"
)


def parse(subscription: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "subscription",
        subscription["id"],
        {
            "status": text(subscription, "status"),
            "created": whole(subscription, "created"),
            "items": [item_state(subscription, item) for item in listed(subscription.get("items"))],
            "cancel_at": whole(subscription, "cancel_at"),
            "cancel_at_period_end": flag(subscription, "cancel_at_period_end"),
            "canceled_at": whole(subscription, "canceled_at"),
            "ended_at": whole(subscription, "ended_at"),
            "latest_invoice": id_of(subscription.get("latest_invoice")),
            # Null says that there is none; a field that is not there says nothing.
            "has_no_invoice": subscription.get("latest_invoice", "") is None,
            "has_pending_update": bool(inside(subscription, "pending_update")),
            "collection_method": text(subscription, "collection_method"),
            "pause_collection": text(inside(subscription, "pause_collection"), "behavior"),
            "trial_start": whole(subscription, "trial_start"),
            "trial_end": whole(subscription, "trial_end"),
            "anchor": whole(subscription, "billing_cycle_anchor"),
            "attempt": text(inside(subscription, "metadata"), ATTEMPT_METADATA_KEY),
            "seen_at": seen_at,
        },
        {"customer_id": id_of(subscription.get("customer")), "subscription_id": subscription["id"]},
    )


def trial_of(subscription: Fact) -> Fact | None:
    """The trial that a subscription shows, with the prices that it is shown with while the trial runs."""
    state = subscription.state
    start, end = state["trial_start"], state["trial_end"]
    if start is None or end is None:
        return None
    is_during = state["status"] == "trialing" or (state["ended_at"] is not None and state["ended_at"] <= end)
    prices = sorted({item["price"] for item in state["items"]}) if is_during else []
    links = {"subscription_id": subscription.stripe_id}
    return Fact("trial", f"{subscription.stripe_id}/trial", {"start": start, "prices": prices}, links)


def free_start_of(subscription: Fact, *, seen_at: int) -> Fact | None:
    """A start for which Stripe makes no invoice, until the anchor and without proration, with the items that it is for.

    An event's snapshot may be a moment older than the first invoice; once that is known, the start was not free.
    https://docs.stripe.com/billing/subscriptions/billing-cycle#new-subscriptions

    Args:
        seen_at: when the subscription was shown so. The last items without an invoice are those that nothing billed.
    """
    state = subscription.state
    ends = [item["period_end"] for item in state["items"] if item["period_end"] is not None]
    if not state["has_no_invoice"] or state["status"] not in RUNNING or not ends:
        return None
    items = sorted([item["id"], item["price"], item["quantity"]] for item in state["items"])
    links = {"subscription_id": subscription.stripe_id}
    shown = {"seen_at": seen_at, "items": items}
    return Fact("free_start", f"{subscription.stripe_id}/free_start", {"until": min(ends), "shown": shown}, links)


def item_state(subscription: Json, item: Json) -> State:
    # Since basil the period stands on the item; before it stood on the subscription. Old items may lack `price`.
    quantity = whole(item, "quantity")
    interval = inside(item, "price", "recurring") or inside(item, "plan")
    return {
        "id": id_of(item),
        "price": id_of(item.get("price")) or id_of(item.get("plan")),
        "quantity": 1 if quantity is None else quantity,
        "created": whole(item, "created"),
        "period_start": whole(item, "current_period_start") or whole(subscription, "current_period_start"),
        "period_end": whole(item, "current_period_end") or whole(subscription, "current_period_end"),
        "interval": text(interval, "interval") or "",
        "interval_count": max(1, whole(interval, "interval_count") or 1),
    }


@dataclass(frozen=True, slots=True)
class Item:
    """What an item says of itself.

    Attributes:
        interval: ``day``, ``week``, ``month`` or ``year``, so many of which are a period; empty where only an earlier
            version of ours kept the item.
    """

    id: str
    price: str
    quantity: int
    created: int | None
    period_start: int | None
    period_end: int | None
    interval: str = ""
    interval_count: int = 1


@dataclass(frozen=True, slots=True)
class FreeStart:
    """A start without an invoice.

    Attributes:
        items: id, price and quantity of each item as Stripe showed it last without an invoice.
    """

    until: int
    items: tuple[tuple[str, str, int], ...]

    @classmethod
    def of(cls, fact: Fact) -> Self:
        items = ((item_id, price, quantity) for item_id, price, quantity in fact.state["shown"]["items"])
        return cls(fact.state["until"], tuple(items))


@dataclass(frozen=True, slots=True)
class Subscription:
    """What decides about access. Times are Unix seconds.

    Attributes:
        seen_at: when an event showed it so; None for Stripe's answer to a request.
        anchor: where a billing period begins or ended; None where only an earlier version of ours kept it.
    """

    id: str
    status: str
    created: int
    items: tuple[Item, ...]
    cancel_at: int | None
    cancel_at_period_end: bool
    canceled_at: int | None
    ended_at: int | None
    latest_invoice: str
    trial_start: int | None
    trial_end: int | None
    seen_at: int | None
    anchor: int | None = None

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            status=state["status"] or "",
            created=state["created"] or 0,
            items=tuple(Item(**item) for item in state["items"]),
            cancel_at=state["cancel_at"],
            cancel_at_period_end=state["cancel_at_period_end"],
            canceled_at=state["canceled_at"],
            ended_at=state["ended_at"],
            latest_invoice=state["latest_invoice"],
            trial_start=state.get("trial_start"),
            trial_end=state.get("trial_end"),
            seen_at=state["seen_at"],
            anchor=state.get("anchor"),
        )

    @property
    def is_over(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def scheduled_end(self) -> int | None:
        """In both of Stripe's ways: flexible billing sets only ``cancel_at``."""
        ends = [item.period_end for item in self.items if item.period_end is not None]
        return self.cancel_at or (max(ends, default=None) if self.cancel_at_period_end else None)
