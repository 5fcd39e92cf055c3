"""Changes that wait for their payment (``payment_behavior=pending_if_incomplete``).

docs.stripe.com/billing/subscriptions/pending-updates: until the invoice is paid "the subscription will continue to
cycle as if no update request was made"; it ends after 23 hours, at the trial's end, or at the earliest item's period
end, whichever comes first.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import World
from . import invoices, managed, subscription_items
from .subscriptions import UPDATED

PENDING_SECONDS = 23 * 3_600


def shape(world: World, subscription: Json, items: list[Json], *, anchor: int | None) -> Json:
    """What ``subscription.pending_update`` shows: the items that will be set, and until when it waits."""
    times = [world.now + PENDING_SECONDS, *(item["current_period_end"] for item in subscription["items"]["data"])]
    if subscription["status"] == "trialing":
        times.append(subscription["trial_end"])
    return {
        "billing_cycle_anchor": anchor,
        "expires_at": min(times),
        "subscription_items": items,
        "trial_end": None,
        "trial_from_plan": None,
    }


def apply(world: World, subscription: Json) -> Json:
    """It was paid for: "the changes are applied and the pending_update hash is cleared"."""
    pending = require(subscription)
    with world.changing(subscription, UPDATED):
        subscription_items.put(subscription, pending["subscription_items"])
        subscription["billing_cycle_anchor"] = pending["billing_cycle_anchor"] or subscription["billing_cycle_anchor"]
        subscription["pending_update"] = None
    world.emit("customer.subscription.pending_update_applied", subscription)
    managed.follow(world, subscription)
    return subscription


def expire(world: World, subscription: Json) -> Json:
    """Nobody paid in time: "the invoice is voided and the pending update is discarded"."""
    require(subscription)
    invoice = world.store.get("invoice", subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open":
        invoices.void(world, invoice)
    take_back(world, subscription)
    world.emit("customer.subscription.pending_update_expired", subscription)
    return subscription


def take_back(world: World, subscription: Json) -> Json:
    """Its invoice was voided: the changes are discarded."""
    require(subscription)
    with world.changing(subscription, UPDATED):
        subscription["pending_update"] = None
    return subscription


def require(subscription: Json) -> Json:
    """The pending update. Raises RefusalError where there is none."""
    if not subscription["pending_update"]:
        raise RefusalError(f"Subscription {subscription['id']} has no pending update")
    return subscription["pending_update"]  # type: ignore[no-any-return]
