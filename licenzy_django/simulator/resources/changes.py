"""What becomes of a subscription's items: swapped, added, removed, counted; now, or once it is paid for.

docs.stripe.com/billing/subscriptions/prorations, …/pending-updates, …/billing-cycle and …/billing-mode/compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Unpack

from ..json_tree import Json
from ..refusals import RefusalError, invalid, no_such
from ..world import Ref, World
from . import (
    balance,
    billing,
    catalog,
    change_rules,
    invoices,
    managed,
    pending_updates,
    subscription_items,
    subscriptions,
    totals,
)
from .change_rules import Terms
from .invoice_lines import item_line
from .prorations import credits_of, debit_of
from .subscription_items import rhythm
from .subscriptions import UPDATED
from .trials import restart_periods


@dataclass(slots=True)
class _Plan:
    items: list[Json]
    before: list[Json] = field(default_factory=list)
    """What is given back: items as they are."""
    after: list[Json] = field(default_factory=list)
    """What is billed: items as they will be."""
    interval_changes: bool = False


def update(world: World, subscription: Json, edits: list[Json], **terms: Unpack[Terms]) -> Json:
    """``edits`` as the API's ``items``: ``id`` with ``price``, ``quantity``, ``deleted``; without ``id`` a new item.

    None at all with ``billing_cycle_anchor="now"``: the periods begin anew, and nothing else changes.
    """
    change_rules.check(world, subscription, edits, terms)
    plan = _plan(world, subscription, edits)
    restarts = _restarts(subscription, plan, terms)
    lines = _lines(world, subscription, plan, terms, restarts=restarts)
    at_once = restarts or (bool(lines) and terms.get("proration_behavior") == "always_invoice")
    waits = at_once and _unpaid(world, subscription, lines, terms)
    if waits and terms.get("payment_behavior") == "error_if_incomplete":
        raise RefusalError("Your card was declined.", status=402, kind="card_error", code="card_declined")
    waits = waits and terms.get("payment_behavior") == "pending_if_incomplete"
    if subscription["pending_update"]:  # "the next change replaces it"
        pending_updates.expire(world, subscription)
    invoice = None
    with world.changing(subscription, UPDATED):
        if waits:
            items, anchor = _restarted(world, subscription, plan.items) if restarts else (plan.items, None)
            subscription["pending_update"] = pending_updates.shape(world, subscription, items, anchor=anchor)
        else:
            subscription_items.put(subscription, plan.items)
            if restarts:
                restart_periods(world, subscription)
        if at_once:
            period = subscriptions.period_of(subscription)
            invoice = invoices.draft(world, subscription, "subscription_update", lines, period)
            subscription["latest_invoice"] = invoice["id"]
            invoices.finalize(world, invoice)
        elif lines:
            subscription["_prorations"] = lines + subscription.get("_prorations", [])
    if invoice:
        requires_action = terms.get("requires_action", False)
        paid = terms.get("paid", True) and not requires_action
        billing.charge(world, invoice, paid=paid, requires_action=requires_action)
    managed.follow(world, subscription)
    return subscription


def _plan(world: World, subscription: Json, edits: list[Json]) -> _Plan:
    plan = _Plan(list(subscription["items"]["data"]))
    for edit in edits:
        old = item_of(subscription, edit["id"]) if edit.get("id") else None
        if old is None:
            new = subscription_items.new(
                world, subscription, _recurring(world, subscription, edit["price"]), edit.get("quantity", 1)
            )
            plan.items.append(new)
            plan.after.append(new)
            continue
        position = next(at for at, item in enumerate(plan.items) if item["id"] == old["id"])
        if edit.get("deleted"):
            plan.before.append(old)
            del plan.items[position]
            continue
        new = _edited(world, subscription, old, edit)
        plan.items[position] = new
        if (new["price"], new["quantity"]) != (old["price"], old["quantity"]):
            plan.before.append(old)
            plan.after.append(new)
            plan.interval_changes |= rhythm(old["price"]) != rhythm(new["price"])
    if not plan.items:
        raise RefusalError("A subscription must have at least one active plan.", param="items")
    subscription_items.check(subscription, plan.items)
    return plan


def _edited(world: World, subscription: Json, old: Json, edit: Json) -> Json:
    price = (
        subscription_items.shown_price(_recurring(world, subscription, edit["price"]))
        if edit.get("price")
        else old["price"]
    )
    quantity = edit["quantity"] if edit.get("quantity") is not None else old["quantity"]
    new = old | {"price": price, "quantity": quantity}
    if rhythm(price) != rhythm(old["price"]):
        start, end = subscription_items.period_of(subscription, price, world.now)
        new |= {"current_period_start": start, "current_period_end": end}
    return new


def _restarts(subscription: Json, plan: _Plan, terms: Terms) -> bool:
    """``classic`` resets the anchor by itself for another interval and for the first price above zero, ``flexible``
    never does: there these verbs send ``billing_cycle_anchor=now`` for another interval.
    """
    if subscription["status"] not in ("active", "past_due"):
        return False
    if anchor := terms.get("billing_cycle_anchor"):
        return anchor == "now"
    free = not any(item["price"]["unit_amount"] for item in subscription["items"]["data"])
    first = free and any(item["price"]["unit_amount"] for item in plan.items)
    return plan.interval_changes or (first and subscription["billing_mode"]["type"] == "classic")


def _lines(world: World, subscription: Json, plan: _Plan, terms: Terms, *, restarts: bool) -> list[Json]:
    """During a trial nothing is billed and nothing given back."""
    if subscription["status"] not in ("active", "past_due"):
        return []
    at, prorated = terms.get("proration_date") or world.now, terms.get("proration_behavior", "none") != "none"
    before = subscription["items"]["data"] if restarts else plan.before
    credited = [line for item in before for line in credits_of(world, subscription, item, at)] if prorated else []
    if restarts:
        items, _ = _restarted(world, subscription, plan.items)
        return credited + [item_line(world, item, billing.period_of_item(item)) for item in items]
    return credited + [debit_of(world, subscription, item, at) for item in plan.after] if prorated else []


def _restarted(world: World, subscription: Json, items: list[Json]) -> tuple[list[Json], int]:
    """The items with periods from now, and the new anchor."""
    future: Json = {"items": {"data": [dict(item) for item in items]}}
    restart_periods(world, future)
    return future["items"]["data"], future["billing_cycle_anchor"]


def _unpaid(world: World, subscription: Json, lines: list[Json], terms: Terms) -> bool:
    total, starting = totals.expected(world, subscription, lines), balance.of(world, subscription["customer"])
    due, _ = balance.due(total, starting, subscription["currency"])
    return due > 0 and (not terms.get("paid", True) or terms.get("requires_action", False))


def item_of(subscription: Json, ref: Ref | None) -> Json:
    """The named item, or the only one."""
    items = subscription["items"]["data"]
    if ref is None and len(items) == 1:
        return items[0]  # type: ignore[no-any-return]
    wanted = ref if isinstance(ref, str) or ref is None else ref["id"]
    for item in items:
        if item["id"] == wanted:
            return item  # type: ignore[no-any-return]
    raise no_such("subscription_item", str(wanted), param="items[0][id]")


def _recurring(world: World, subscription: Json, price: Ref) -> Json:
    """In the subscription's currency."""
    found = catalog.price_named(world, price, param="items[0][price]")
    found = catalog.in_currency(found, subscription["currency"], param="items[0][price]")
    if not found["recurring"]:
        raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", "items[0][price]")  # fmt: skip
    return found
