"""What a Checkout Session adds up to, line by line: subtotal, discount, tax, total."""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..world import World
from . import coupons, taxes


def coupon_of(world: World, session: Json) -> Json | None:
    """The coupon that the session or its customer has chosen."""
    for chosen in session["discounts"]:
        promotion_code = world.store.get("promotion_code", chosen["promotion_code"] or "")
        named = promotion_code["promotion"]["coupon"] if promotion_code else chosen["coupon"]
        return world.store.get("coupon", named)
    return None


def count(world: World, session: Json) -> None:
    """Writes the amounts of the lines and of the session. A discount is spread over the lines in proportion; tax is
    known once the customer's place is (``automatic_tax.status``).
    """
    items: list[Json] = session["_line_items"]
    if not items:
        return
    subtotals = [item["price"]["unit_amount"] * item["quantity"] for item in items]
    coupon = coupon_of(world, session)
    off = coupons.off(coupon, sum(subtotals)) if coupon else 0
    taxed = session["automatic_tax"]["status"] == "complete"
    exempt = taxes.exemption(world, session["customer"])
    for item, subtotal, share in zip(items, subtotals, coupons.shared(off, subtotals), strict=True):
        due = [taxes.of(subtotal - share, item["price"]["tax_behavior"], exempt)] if taxed else []
        item |= {"amount_subtotal": subtotal, "amount_discount": share, "amount_tax": sum(t["amount"] for t in due)}
        item["amount_total"] = subtotal - share + taxes.on_top(due)
    tax = sum(item["amount_tax"] for item in items)
    session |= {"amount_subtotal": sum(subtotals), "amount_total": sum(item["amount_total"] for item in items)}
    session["total_details"] = session["total_details"] | {"amount_discount": off, "amount_tax": tax}


def foreseen(world: World, session: Json) -> Json:
    """A copy of the session with the tax that it will have once the customer's place is known."""
    copy: Json = snapshot(session)
    if copy["automatic_tax"]["enabled"]:
        copy["automatic_tax"]["status"] = "complete"
    if copy["status"] == "open":
        count(world, copy)
    return copy


def take_over(session: Json, invoice: Json) -> None:
    """The first invoice of a subscription says what was due."""
    off = sum(entry["amount"] for entry in invoice["total_discount_amounts"])
    tax = sum(entry["amount"] for entry in invoice["total_taxes"])
    session |= {"amount_subtotal": invoice["subtotal"], "amount_total": invoice["total"]}
    session["total_details"] = session["total_details"] | {"amount_discount": off, "amount_tax": tax}
