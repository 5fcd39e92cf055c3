"""What money does to a subscription: the first invoice, renewals, failures, recovery."""

from __future__ import annotations

from collections.abc import Callable

from ..json_tree import Json
from ..periods import period_end
from ..refusals import RefusalError
from ..world import World
from . import customers, disputes, invoice_payments, invoices, payments, pending_updates, subscriptions
from .invoice_lines import item_line, loose_line
from .subscriptions import UPDATED


def first_invoice(world: World, subscription: Json, extras: list[tuple[Json, int]]) -> Json:
    """Finalised at once; free during a trial. ``extras`` are one-time prices."""
    free = subscription["status"] == "trialing"
    items = subscription["items"]["data"]
    lines = [item_line(world, item, period_of_item(item), free=free) for item in items]
    lines += [loose_line(world, price, quantity, subscription["id"]) for price, quantity in extras]
    return bill(world, subscription, "subscription_create", lines, (world.now, world.now))


def bill(world: World, subscription: Json, reason: str, lines: list[Json], period: tuple[int, int]) -> Json:
    """An invoice that becomes the subscription's latest, and is finalised at once."""
    invoice = invoices.draft(world, subscription, reason, lines, period)
    with world.changing(subscription):
        subscription["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice)


def roll_period(world: World, subscription: Json, *, first: Callable[[], None] | None = None) -> Json:
    """The next period begins: items move on, the status stays, the invoice is a draft for an hour.

    Where the period's end is still ahead, the clock is moved there first. A pending update runs out with the period.
    ``first`` changes the items that are renewed. Returns the draft.
    """
    subscriptions.require_running(subscription)
    items = subscription["items"]["data"]
    end = min(item["current_period_end"] for item in items)
    if end > world.now:
        world.shift_clock(end - world.now)
    if subscription["pending_update"]:
        pending_updates.expire(world, subscription)
    previous = subscriptions.period_of(subscription)
    with world.changing(subscription, UPDATED):
        if first:
            first()
        items = subscription["items"]["data"]
        rolled = [_roll_item(item, subscription) for item in items if item["current_period_end"] <= world.now]
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        waiting = subscription.pop("_prorations", [])
        lines = waiting + [item_line(world, item, period_of_item(item)) for item in rolled]
        invoice = invoices.draft(world, subscription, "subscription_cycle", lines, previous)
        subscription["latest_invoice"] = invoice["id"]
    _hold_back(world, subscription, invoice)
    return invoice


def period_of_item(item: Json) -> tuple[int, int]:
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
        if invoice["status"] == "open":
            (invoices.void if pause["behavior"] == "void" else invoices.mark_uncollectible)(world, invoice)


def collect_draft(world: World, invoice: Json, *, paid: bool = True) -> Json:
    """An hour of draft, and the payment or its failure."""
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return invoice
    world.shift_clock(invoice["automatically_finalizes_at"] - world.now)
    if invoice["collection_method"] == "send_invoice":
        return finalize(world, invoice)
    return pay_invoice(world, invoice) if paid else fail_invoice(world, invoice)


def finalize(world: World, invoice: Json) -> Json:
    """Finalises a draft; where nothing is due it is paid by that, and the subscription follows."""
    invoices.finalize(world, invoice)
    return after_payment(world, invoice) if invoice["status"] == "paid" else invoice


def charge(world: World, invoice: Json, *, paid: bool = True, requires_action: bool = False) -> Json:
    """What happens right after an invoice was finalised: the card is charged. A sent invoice just stays open."""
    if invoice["status"] == "paid":
        return after_payment(world, invoice)
    if invoice["collection_method"] == "send_invoice":
        world.emit("invoice.sent", invoice)
        return invoice
    return pay_invoice(world, invoice) if paid else fail_invoice(world, invoice, requires_action=requires_action)


def pay_invoice(world: World, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Finalises a draft, takes the money, and brings the subscription back to ``active``."""
    if invoice["status"] == "draft":
        finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    invoices.settle(world, invoice, out_of_band=out_of_band)
    _dispute_by_card(world, invoice)
    return after_payment(world, invoice)


def _dispute_by_card(world: World, invoice: Json) -> None:
    """Some test cards pay, and are disputed at once (docs.stripe.com/testing#disputes)."""
    intent = world.store.get("payment_intent", invoice.get("_payment_intent") or "") or {}
    method = world.store.get("payment_method", intent.get("payment_method") or "") or {}
    if intent.get("status") == "succeeded" and method.get("_does") in ("dispute", "inquiry"):
        is_inquiry = method["_does"] == "inquiry"
        disputes.create(world, intent["id"], status="warning_needs_response" if is_inquiry else "needs_response")


def pay_part(world: World, invoice: Json, amount: int) -> Json:
    """A part of what remains, as customers can pay a sent invoice; the rest stays open. Returns the invoice payment."""
    invoices.require_open(invoice)
    return invoice_payments.pay_part(world, invoice, amount)


def after_payment(world: World, invoice: Json) -> Json:
    """What the subscription does once its latest invoice is paid.

    "Paying the latest associated invoice or marking it uncollectible transitions the subscription to active"
    (docs.stripe.com/billing/subscriptions/overview); a pending update is applied.
    """
    _note_bank_debit(world, invoice, False)
    subscription = subscription_of(world, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return invoice
    if subscription["pending_update"]:
        pending_updates.apply(world, subscription)
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscriptions.set_status(world, subscription, "active")
    return invoice


def fail_invoice(world: World, invoice: Json, *, retries: bool = True, requires_action: bool = False) -> Json:
    """The payment fails: ``past_due``; with the last retry, what the account has chosen for that.

    A pending update's invoice and a sent one change nothing by failing: the one is not retried, the other's status
    follows its due date. ``requires_action``: 3-D Secure was asked for.
    """
    if invoice["status"] == "draft":
        finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    subscription = subscription_of(world, invoice)
    latest = subscription is not None and subscription["latest_invoice"] == invoice["id"]
    _note_bank_debit(world, invoice, False)
    pending = bool(latest and subscription and subscription["pending_update"])
    invoices.refuse(world, invoice, retries=retries and not pending, requires_action=requires_action)
    if not latest or subscription is None or pending or invoice["collection_method"] == "send_invoice":
        return invoice
    if subscription["status"] not in ("incomplete", "unpaid", "paused", *subscriptions.ENDED):
        subscriptions.set_status(world, subscription, "past_due")
        if invoice["next_payment_attempt"] is None and not requires_action:
            _give_up(world, subscription)
    return invoice


def _give_up(world: World, subscription: Json) -> None:
    if world.after_retries == "cancel":
        subscriptions.cancel(world, subscription, reason="payment_failed")
    elif world.after_retries == "unpaid":
        subscriptions.set_status(world, subscription, "unpaid")


def collect(world: World, invoice: Json) -> Json:
    """What time does to an invoice: finalise, charge the customer's card; a sent one becomes overdue."""
    if invoice["collection_method"] == "send_invoice":
        return finalize(world, invoice) if invoice["status"] == "draft" else _become_overdue(world, invoice)
    works = customers.card_works(world, invoice["customer"]) and not _lacks_method(world, invoice)
    return pay_invoice(world, invoice) if works else fail_invoice(world, invoice)


def _lacks_method(world: World, invoice: Json) -> bool:
    """A schedule's phase took the subscription's own payment method away, and the customer has no default one."""
    subscription = subscription_of(world, invoice)
    if subscription is None or not subscription.get("_lost_method") or subscription["default_payment_method"]:
        return False
    customer = world.store.get("customer", invoice["customer"]) or {}
    return not (customer.get("invoice_settings") or {}).get("default_payment_method")


def _become_overdue(world: World, invoice: Json) -> Json:
    """A sent invoice was not paid by its due date: the subscription "becomes ``past_due``"
    (docs.stripe.com/api/subscriptions/object#subscription_object-status).
    """
    with world.changing(invoice):
        invoice["_overdue"] = True
    subscription = subscription_of(world, invoice)
    if subscription and subscription["latest_invoice"] == invoice["id"] and subscription["status"] == "active":
        subscriptions.set_status(world, subscription, "past_due")
    return invoice


def write_off(world: World, invoice: Json, way: str) -> Json:
    """``way`` is void or uncollectible. A draft is finalised first; where nothing is due, it is paid by that.

    "Stripe ignores voided invoices when determining subscription status and uses the most recent non-voided invoice
    instead"; uncollectible makes ``past_due`` ``active`` (docs.stripe.com/billing/subscriptions/overview). Voiding a
    pending update's invoice takes the change back.
    """
    if invoice["status"] == "draft":
        finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    (invoices.void if way == "void" else invoices.mark_uncollectible)(world, invoice)
    subscription = subscription_of(world, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return invoice
    if subscription["pending_update"]:
        if way == "void":
            pending_updates.take_back(world, subscription)
    elif subscription["status"] == "past_due":
        if way == "uncollectible" or _last_that_counts_is_paid(world, subscription):
            subscriptions.set_status(world, subscription, "active")
    elif subscription["status"] == "incomplete" and way == "void":
        subscriptions.expire_incomplete(world, subscription)
    return invoice


def _last_that_counts_is_paid(world: World, subscription: Json) -> bool:
    found = world.store.all("invoice", customer=subscription["customer"])
    ours = [entry for entry in found if entry["_subscription"] == subscription["id"]]
    counting = [entry for entry in ours if entry["status"] not in ("draft", "void")]
    return bool(counting) and counting[-1]["status"] in ("paid", "uncollectible")


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
    world.shift_clock(max(0, invoice["next_payment_attempt"] - world.now))
    return pay_invoice(world, invoice) if paid else fail_invoice(world, invoice)


def subscription_of(world: World, invoice: Json) -> Json | None:
    identifier = invoice["_subscription"]
    return world.store.get("subscription", identifier) if identifier else None


def start_bank_debit(world: World, invoice: Json, method: str) -> Json:
    intent = invoice_payments.intent_of(world, invoice)
    if intent is None:
        raise RefusalError(f"Invoice {invoice['id']} has no payment intent")
    payments.process(world, intent, method)
    with world.changing(invoice):
        invoice |= {"attempted": True, "next_payment_attempt": None, "auto_advance": False}
    _note_bank_debit(world, invoice, True)
    return intent


def _note_bank_debit(world: World, invoice: Json, is_on_its_way: bool) -> None:
    """While the payment intent is ``processing``, an ``incomplete`` subscription waits for it."""
    subscription = subscription_of(world, invoice)
    if subscription and subscription.get("_bank_debit", False) != is_on_its_way:
        with world.changing(subscription):
            subscription["_bank_debit"] = is_on_its_way
