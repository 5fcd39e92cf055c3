"""What a change in mid-period gives back and costs, to the second.

docs.stripe.com/billing/subscriptions/prorations and …/billing-mode/compare: in billing mode ``flexible`` a credit "uses
the original debited amount", one line for each debit, none where nothing was billed; ``classic`` credits the item's
current price, billed or not. Either assumes "that any previous invoices for the subscription will eventually be paid".
"""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_around, share_of
from ..world import World
from . import discounts, totals
from .invoice_lines import credited_by, item_of_line, proration_line


def credits_of(world: World, subscription: Json, item: Json, at: int) -> list[Json]:
    """The lines that give back what is left of an item at a moment."""
    if subscription["billing_mode"]["type"] == "classic":
        discounts.refuse_in_classic(world, subscription)
        return [line for line in [_price_line(world, subscription, item, at, -1)] if line["amount"]]
    found = []
    for debit in open_debits(world, subscription, item, at):
        start, end = debit["period"]["start"], debit["period"]["end"]
        amount = share_of(totals.net(debit), end - max(at, start), end - start)
        billed = item | {"price": debit["_price"], "quantity": debit["quantity"]}
        found.append(proration_line(world, billed, -amount, (max(at, start), end), credited=debit))
    return found


def debit_of(world: World, subscription: Json, item: Json, at: int) -> Json:
    """The line for the time that is left of an item's period."""
    return _price_line(world, subscription, item, at, 1)


def open_debits(world: World, subscription: Json, item: Json, at: int) -> list[Json]:
    """What was billed for an item, or waits to be, for time after ``at``, and was not given back yet."""
    lines = [*billed_lines(world, subscription), *subscription.get("_prorations", [])]
    credited = {identifier for line in lines for identifier in credited_by(line)}
    return [
        line
        for line in lines
        if totals.net(line) > 0
        and item_of_line(line) == item["id"]
        and line["period"]["end"] > at
        and line["id"] not in credited
    ]


def billed_lines(world: World, subscription: Json) -> list[Json]:
    """The lines of a subscription's invoices, but of those that were voided, since nobody owes these any more, and of a
    change that waits for its payment, since the items do not have it yet."""
    waiting = subscription["latest_invoice"] if subscription["pending_update"] else None
    found = world.store.all("invoice", customer=subscription["customer"])
    ours = [entry for entry in found if entry.get("_subscription") == subscription["id"] and entry["status"] != "void"]
    return [line for invoice in ours if invoice["id"] != waiting for line in invoice["lines"]["data"]]


def _price_line(world: World, subscription: Json, item: Json, at: int, sign: int) -> Json:
    price = item["price"]
    start, end = period_around(at, price["recurring"], subscription["billing_cycle_anchor"])
    whole = discounts.net_price(world, subscription, price["unit_amount"] * item.get("quantity", 1))
    return proration_line(world, item, share_of(sign * whole, end - at, end - start), (at, end))
