"""What money does to a subscription: the first invoice, renewals, failures, recovery."""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_end
from ..refusals import RefusalError
from ..world import DAY, Ref, World
from . import catalog, customers, invoices, payments, subscriptions
from .invoice_shapes import line, one_time_line
from .subscriptions import UPDATED


def first_invoice(world: World, subscription: Json, extras: list[tuple[Json, int]]) -> Json:
    """Finalised at once; free during a trial. ``extras`` are one-time prices."""
    free = subscription["status"] == "trialing"
    items = subscription["items"]["data"]
    lines = [line(world, item, _period(item), free=free) for item in items]
    lines += [one_time_line(world, price, quantity, subscription["id"]) for price, quantity in extras]
    invoice = invoices.draft(world, subscription, "subscription_create", lines, (world.now, world.now))
    with world.changing(subscription):
        subscription["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice)


def roll_period(world: World, subscription: Json) -> Json:
    """The next period begins: items move on, the status stays, the invoice is a draft for an hour.

    Where the period's end is still ahead, the clock is moved there first. Returns the draft.
    """
    subscriptions.require_running(subscription)
    items = subscription["items"]["data"]
    end = min(item["current_period_end"] for item in items)
    if end > world.now:
        world.store.shift_clock(end - world.now)
    previous = subscriptions.period_of(subscription)
    with world.changing(subscription, UPDATED):
        rolled = [_roll_item(item, subscription) for item in items if item["current_period_end"] <= world.now]
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        lines = subscription.pop("_prorations", []) + [line(world, item, _period(item)) for item in rolled]
        invoice = invoices.draft(world, subscription, "subscription_cycle", lines, previous)
        subscription["latest_invoice"] = invoice["id"]
    _hold_back(world, subscription, invoice)
    return invoice


def subscribe(
    world: World, customer: str, prices: list[tuple[Ref, int]], *, metadata: Json | None = None,
    status: str = "active", billing_mode: str = "flexible", trial_days: int = 0, by_invoice: bool = False,
) -> Json:  # fmt: skip
    """A subscription made without Checkout, in the Dashboard say. ``incomplete``: its first payment failed.

    ``by_invoice``: active at once, its first invoice is sent and open (``collection_method=send_invoice``).
    """
    lines = [(catalog.price_named(world, price, param="items[0][price]"), quantity) for price, quantity in prices]
    trial_end = world.now + trial_days * DAY if trial_days else None
    subscription = subscriptions.build(
        world, customer, lines, metadata=metadata or {}, billing_mode=billing_mode, trial_end=trial_end,
        status="trialing" if trial_end else status,
    )  # fmt: skip
    if by_invoice:
        subscription |= {"collection_method": "send_invoice", "days_until_due": 30}
    invoice = first_invoice(world, subscription, [])
    world.emit("customer.subscription.created", subscription)
    if by_invoice:
        return subscription
    fail_invoice(world, invoice, retries=False) if status == "incomplete" else pay_invoice(world, invoice)
    return subscription


def _period(item: Json) -> tuple[int, int]:
    return item["current_period_start"], item["current_period_end"]


def _roll_item(item: Json, subscription: Json) -> Json:
    start = item["current_period_end"]
    item["current_period_start"] = start
    item["current_period_end"] = period_end(start, item["price"]["recurring"], subscription["billing_cycle_anchor"])
    return item


def _hold_back(world: World, subscription: Json, invoice: Json) -> None:
    """Unpaid subscriptions and paused collection leave drafts behind, or write them off."""
    pause = subscription["pause_collection"]
    if not pause and subscription["status"] != "unpaid":
        return
    with world.changing(invoice):
        invoice |= {"auto_advance": False, "next_payment_attempt": None, "automatically_finalizes_at": None}
    if pause and pause["behavior"] != "keep_as_draft":
        invoices.finalize(world, invoice)
        write_off = invoices.void if pause["behavior"] == "void" else invoices.mark_uncollectible
        write_off(world, invoice)


def renew(world: World, subscription: Json, *, paid: bool = True) -> Json:
    """A period's roll, an hour of draft, and the payment or its failure. Returns the invoice."""
    invoice = roll_period(world, subscription)
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return invoice
    world.store.shift_clock(invoice["automatically_finalizes_at"] - world.now)
    return pay_invoice(world, invoice) if paid else fail_invoice(world, invoice)


def _finalized(world: World, invoice: Json) -> Json:
    return invoices.finalize(world, invoice) if invoice["status"] == "draft" else invoice


def pay_invoice(world: World, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Finalises a draft, takes the money, and brings the subscription back to ``active``."""
    invoices.settle(world, _finalized(world, invoice), out_of_band=out_of_band)
    subscription = subscription_of(world, invoice)
    latest = subscription is not None and subscription["latest_invoice"] == invoice["id"]
    if latest and subscription and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscriptions.set_status(world, subscription, "active")
    return invoice


def fail_invoice(world: World, invoice: Json, *, retries: bool = True) -> Json:
    """The payment fails: ``past_due``; with the last retry, what the account has chosen for that."""
    _finalized(world, invoice)
    if invoice["amount_due"] == 0:
        return pay_invoice(world, invoice)
    invoices.refuse(world, invoice, retries=retries)
    subscription = subscription_of(world, invoice)
    if subscription is None or subscription["status"] in ("incomplete", "unpaid", "paused", *subscriptions.ENDED):
        return invoice
    if subscription["latest_invoice"] == invoice["id"]:
        subscriptions.set_status(world, subscription, "past_due")
        if invoice["next_payment_attempt"] is None:
            _give_up(world, subscription)
    return invoice


def _give_up(world: World, subscription: Json) -> None:
    if world.after_retries == "cancel":
        subscriptions.cancel(world, subscription, reason="payment_failed")
    elif world.after_retries == "unpaid":
        subscriptions.set_status(world, subscription, "unpaid")


def collect(world: World, invoice: Json) -> Json:
    """What time does to an invoice: finalise, then charge the customer's card."""
    works = customers.card_works(world, invoice["customer"])
    return pay_invoice(world, invoice) if works else fail_invoice(world, invoice)


def write_off(world: World, invoice: Json, way: str) -> Json:
    """``way`` is void or uncollectible. A past-due subscription counts as active again."""
    _finalized(world, invoice)
    (invoices.void if way == "void" else invoices.mark_uncollectible)(world, invoice)
    subscription = subscription_of(world, invoice)
    if subscription and subscription["latest_invoice"] == invoice["id"]:
        if subscription["status"] == "past_due":
            subscriptions.set_status(world, subscription, "active")
        elif subscription["status"] == "incomplete" and way == "void":
            subscriptions.expire_incomplete(world, subscription)
    return invoice


def latest_invoice(world: World, subscription: Json) -> Json:
    return world.find("invoice", subscription["latest_invoice"] or "none")


def recover(world: World, subscription: Json) -> Json:
    """The latest invoice is paid after all."""
    pay_invoice(world, latest_invoice(world, subscription))
    return subscription


def retry(world: World, subscription: Json, *, paid: bool) -> Json:
    """The next attempt at the latest invoice, at the time Stripe planned it."""
    invoice = latest_invoice(world, subscription)
    if invoice["next_payment_attempt"] is None:
        raise RefusalError(f"Invoice {invoice['id']} is not going to be retried")
    world.store.shift_clock(max(0, invoice["next_payment_attempt"] - world.now))
    return pay_invoice(world, invoice) if paid else fail_invoice(world, invoice)


def end_trial(world: World, subscription: Json, *, early: bool = False) -> Json:
    """With a way to pay: the first real period. Without: what ``trial_settings`` says.

    ``early``: now (``trial_end=now``), the first real period is paid at once. Otherwise the clock is moved to its end.
    """
    if early:
        with world.changing(subscription, UPDATED):
            subscription |= {"status": "active", "trial_end": world.now}
            restart_periods(world, subscription)
            invoice = charge_items(world, subscription, subscription["items"]["data"])
        pay_invoice(world, invoice)
        return subscription
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if not subscription["_has_payment_method"] and behavior == "cancel":
        return subscriptions.cancel(world, subscription)
    if not subscription["_has_payment_method"] and behavior == "pause":
        return subscriptions.pause(world, subscription, why="trial_end_without_payment_method")
    roll_period(world, subscription)
    return subscription


def resume(world: World, subscription: Json, *, paid: bool = True) -> Json:
    """Back from ``paused``: a new period from now, its invoice due at once."""
    if subscription["status"] != "paused":
        raise RefusalError(f"Subscription {subscription['id']} is not paused")
    with world.changing(subscription, UPDATED):
        subscription |= {"status": "active", "status_details": None}
        restart_periods(world, subscription)
        invoice = charge_items(world, subscription, subscription["items"]["data"])
    world.emit("customer.subscription.resumed", subscription)
    pay_invoice(world, invoice) if paid else fail_invoice(world, invoice)
    return subscription


def restart_periods(world: World, subscription: Json) -> None:
    subscription["billing_cycle_anchor"] = world.now
    for item in subscription["items"]["data"]:
        item["current_period_start"] = world.now
        item["current_period_end"] = period_end(world.now, item["price"]["recurring"], world.now)


def charge_items(world: World, subscription: Json, items: list[Json], *, proration: bool = False) -> Json:
    """A finalised invoice for a change in mid-life, not yet paid."""
    lines = [line(world, item, (world.now, item["current_period_end"]), proration=proration) for item in items]
    invoice = invoices.draft(world, subscription, "subscription_update", lines, subscriptions.period_of(subscription))
    subscription["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice)


def bill_by_hand(world: World, subscription: Json, price: Ref) -> Json:
    """An operator puts a one-time price on an invoice of its own, hung on the subscription. Open, not yet paid."""
    lines = [one_time_line(world, catalog.price_named(world, price, param="price"), 1, subscription["id"])]
    return invoices.finalize(world, invoices.draft(world, subscription, "manual", lines, (world.now, world.now)))


def subscription_of(world: World, invoice: Json) -> Json | None:
    parent = (invoice["parent"] or {}).get("subscription_details")
    return world.store.get("subscription", parent["subscription"]) if parent else None


def invoice_intent(world: World, invoice: Json) -> Json:
    intent = invoices.intent_of(world, invoice)
    if intent is None:
        raise RefusalError(f"Invoice {invoice['id']} has no payment intent")
    return intent


def start_bank_debit(world: World, invoice: Json) -> Json:
    intent = invoice_intent(world, invoice)
    payments.process(world, intent)
    with world.changing(invoice):
        invoice |= {"attempted": True, "next_payment_attempt": None, "auto_advance": False}
    return intent
