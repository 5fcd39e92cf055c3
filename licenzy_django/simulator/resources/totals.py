"""What an invoice adds up to: its lines gross, what discounts take off, and the total."""

from __future__ import annotations

from ..json_tree import Json
from ..world import World
from . import coupons, discounts


def count(world: World, invoice: Json) -> None:
    """Writes ``subtotal``, ``total_discount_amounts`` and ``total``, and the discounts' shares on the lines.

    Several discounts apply one after the other, each to what the ones before it left. Prorations are not discountable
    (``stripe.InvoiceLineItem.discountable``): their amounts are net.
    """
    lines: list[Json] = invoice["lines"]["data"]
    found = discounts.of(world, invoice)
    for line in lines:
        line["discount_amounts"] = []
    invoice["total_discount_amounts"] = [
        {"amount": _take_off(discount, lines), "discount": discount["id"]} for discount in found
    ]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(entry["amount"] for entry in invoice["total_discount_amounts"])
    invoice |= {"subtotal": subtotal, "subtotal_excluding_tax": subtotal, "total": total, "total_excluding_tax": total}


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
    draft: Json = {"discounts": running, "lines": {"data": [dict(line) for line in lines]}}
    count(world, draft)
    return int(draft["total"])
