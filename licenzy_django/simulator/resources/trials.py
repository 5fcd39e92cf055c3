"""The end of a trial, and of a pause: a new period from now."""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_end
from ..refusals import RefusalError
from ..world import World
from . import billing, customers, invoices, subscriptions
from .invoice_lines import item_line
from .subscriptions import UPDATED


def end_trial(world: World, subscription: Json, *, early: bool = False) -> Json:
    """With a way to pay: the first real period. Without: what ``trial_settings`` says.

    ``early``: now (``trial_end=now``), the first real period is paid at once. Otherwise the clock is moved to its end.
    """
    if early:
        subscriptions.warn_of_trial_end(world, subscription)
        with world.changing(subscription, UPDATED):
            subscription |= {"status": "active", "trial_end": world.now}
            invoice = _bill_new_period(world, subscription)
        billing.charge(world, invoice, paid=customers.card_works(world, subscription["customer"]))
        return subscription
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    can_pay = subscription["_has_payment_method"] or _has_default_method(world, subscription)
    if not can_pay and behavior == "cancel":
        return subscriptions.cancel(world, subscription)
    if not can_pay and behavior == "pause":
        return subscriptions.pause(world, subscription, why="trial_end_without_payment_method")
    billing.roll_period(world, subscription)
    return subscription


def _has_default_method(world: World, subscription: Json) -> bool:
    """Whether a card was added since the trial began."""
    customer = world.store.get("customer", subscription["customer"]) or {}
    settings = customer.get("invoice_settings") or {}
    return bool(subscription["default_payment_method"] or settings.get("default_payment_method"))


def resume(world: World, subscription: Json, *, paid: bool = True) -> Json:
    """Back from ``paused``: a new period from now, its invoice due at once."""
    if subscription["status"] != "paused":
        raise RefusalError(f"Subscription {subscription['id']} is not paused")
    with world.changing(subscription, UPDATED):
        subscription |= {"status": "active", "status_details": None}
        invoice = _bill_new_period(world, subscription)
    world.emit("customer.subscription.resumed", subscription)
    billing.charge(world, invoice, paid=paid)
    return subscription


def restart_periods(world: World, subscription: Json) -> None:
    """``billing_cycle_anchor=now``."""
    subscription["billing_cycle_anchor"] = world.now
    for item in subscription["items"]["data"]:
        item["current_period_start"] = world.now
        item["current_period_end"] = period_end(world.now, item["price"]["recurring"], world.now)


def _bill_new_period(world: World, subscription: Json) -> Json:
    restart_periods(world, subscription)
    items = subscription["items"]["data"]
    lines = [item_line(world, item, billing.period_of_item(item)) for item in items]
    invoice = invoices.draft(world, subscription, "subscription_update", lines, subscriptions.period_of(subscription))
    subscription["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice)
