"""What a Checkout Session adds up to, line by line."""

from __future__ import annotations

from ..json_tree import Json
from ..world import World
from . import coupons


def coupon_of(world: World, session: Json) -> Json | None:
    """The coupon that the session or its customer has chosen."""
    for chosen in session["discounts"]:
        promotion_code = world.store.get("promotion_code", chosen["promotion_code"] or "")
        named = promotion_code["promotion"]["coupon"] if promotion_code else chosen["coupon"]
        return world.store.get("coupon", named)
    return None


def count(world: World, session: Json) -> None:
    """Writes the amounts of the lines and of the session. A discount is spread over the lines in proportion."""
    items: list[Json] = session["_line_items"]
    if not items:
        return
    subtotals = [item["price"]["unit_amount"] * item["quantity"] for item in items]
    coupon = coupon_of(world, session)
    off = coupons.off(coupon, sum(subtotals)) if coupon else 0
    for item, subtotal, share in zip(items, subtotals, coupons.shared(off, subtotals), strict=True):
        item |= {"amount_subtotal": subtotal, "amount_discount": share, "amount_total": subtotal - share}
    session |= {"amount_subtotal": sum(subtotals), "amount_total": sum(subtotals) - off}
    session["total_details"] = session["total_details"] | {"amount_discount": off}


def take_over(session: Json, invoice: Json) -> None:
    """The first invoice of a subscription says what was due."""
    off = sum(entry["amount"] for entry in invoice["total_discount_amounts"])
    session |= {"amount_subtotal": invoice["subtotal"], "amount_total": invoice["total"]}
    session["total_details"] = session["total_details"] | {"amount_discount": off}
