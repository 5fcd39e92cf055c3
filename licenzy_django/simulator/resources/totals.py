"""What an invoice adds up to: its lines gross, what discounts take off, the tax, and the total."""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..world import World
from . import coupons, discounts, taxes


def count(world: World, invoice: Json) -> None:
    """Writes ``subtotal``, ``total_discount_amounts``, ``total_taxes`` and ``total``, and each line's share of them.

    Several discounts apply one after the other, each to what the ones before it left. Prorations are not discountable
    (``stripe.InvoiceLineItem.discountable``): their amounts are net.
    """
    lines: list[Json] = invoice["lines"]["data"]
    found = discounts.of(world, invoice)
    invoice["_discount"] = snapshot(found[0]) if found else None
    for line in lines:
        line["discount_amounts"] = []
    invoice["total_discount_amounts"] = [
        {"amount": _take_off(discount, lines), "discount": discount["id"]} for discount in found
    ]
    _tax(world, invoice, lines)
    all_taxes = [tax for line in lines for tax in line["taxes"]]
    invoice["total_taxes"] = taxes.summed(all_taxes)
    subtotal = sum(line["amount"] for line in lines)
    off = sum(entry["amount"] for entry in invoice["total_discount_amounts"])
    without_tax = subtotal - off + taxes.on_top(all_taxes) - sum(tax["amount"] for tax in all_taxes)
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": sum(_without_tax(line) for line in lines),
        "total": subtotal - off + taxes.on_top(all_taxes),
        "total_excluding_tax": without_tax,
    }


def _tax(world: World, invoice: Json, lines: list[Json]) -> None:
    """What a proration gives back has its tax given back too."""
    exempt = taxes.exemption(world, invoice["customer"])
    for line in lines:
        behavior = line["_price"]["tax_behavior"]
        line["taxes"] = [taxes.of(net(line), behavior, exempt)] if invoice["automatic_tax"]["enabled"] else []


def _without_tax(line: Json) -> int:
    """A line's amount before discounts, less the tax that it includes."""
    inside = [taxes.of(line["amount"], "inclusive", tax["taxability_reason"]) for tax in line["taxes"]
              if tax["tax_behavior"] == "inclusive" and tax["amount"]]  # fmt: skip
    return int(line["amount"] - sum(tax["amount"] for tax in inside))


def _take_off(discount: Json, lines: list[Json]) -> int:
    parts = [max(0, net(line)) if line["discountable"] else 0 for line in lines]
    amount = coupons.off(discount["_coupon"], sum(parts))
    for line, share in zip(lines, coupons.shared(amount, parts), strict=True):
        line["discount_amounts"].append({"amount": share, "discount": discount["id"]})
    return amount


def net(line: Json) -> int:
    """A line's amount after its discounts."""
    return int(line["amount"] - sum(entry["amount"] for entry in line["discount_amounts"]))


def expected(world: World, subscription: Json, lines: list[Json]) -> int:
    """The total of an invoice that these lines would make; the lines stay as they are."""
    running = [entry["id"] for entry in discounts.of(world, subscription) if not discounts.has_ended(world, entry)]
    draft: Json = {name: subscription[name] for name in ("automatic_tax", "customer")}
    draft |= {"discounts": running, "lines": {"data": [dict(line) for line in lines]}}
    count(world, draft)
    return int(draft["total"])
