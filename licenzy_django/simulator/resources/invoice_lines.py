"""The lines of an invoice, with what a person reads on them."""

from __future__ import annotations

from datetime import UTC, datetime

from ..json_tree import Json
from ..world import World
from .money import written

Period = tuple[int, int]


def item_line(
    world: World, item: Json, period: Period, *, amount: int | None = None, free: bool = False, proration: bool = False
) -> Json:
    """A subscription item's price for a period; ``amount`` where that is only a part of a whole period."""
    price, quantity = item["price"], item.get("quantity", 1)
    whole = 0 if free else price["unit_amount"] * quantity
    name = _product_name(world, price)
    text = f"Free trial for {quantity} × {name}" if free else f"{quantity} × {name} (at {_rate(price)})"
    return _line(world, price, quantity, whole if amount is None else amount, period, text) | _of_item(
        item, proration=proration
    )


def proration_line(world: World, item: Json, amount: int, period: Period, *, credited: Json | None = None) -> Json:
    """An invoice item that a change of the subscription made: below zero it gives unused time back.

    "Whether the invoice item was created automatically as a proration adjustment": its line names the subscription item
    and the invoice item (``parent.subscription_item_details``, docs.stripe.com/api/invoice-line-item/object).
    ``credited`` is the debit line that is given back; its invoice is None while that debit waits for one itself.
    """
    quantity, name = item.get("quantity", 1), _product_name(world, item["price"])
    kind = "Unused" if amount < 0 else "Remaining"
    counted = name if quantity == 1 else f"{quantity} × {name}"
    text = f"{kind} time on {counted} after {datetime.fromtimestamp(period[0], UTC):%-d %b %Y}"
    line = _line(world, item["price"], quantity, amount, period, text) | _of_item(item, proration=True)
    details = line["parent"]["subscription_item_details"]
    details["invoice_item"] = world.new_id("ii")
    if credited is not None:
        items = {"invoice": credited.get("invoice"), "invoice_line_items": [credited["id"]]}
        details["proration_details"]["credited_items"] = items
    return line | {"discountable": False}


def loose_line(
    world: World, price: Json, quantity: int, subscription: str | None, period: Period | None = None
) -> Json:
    """An invoice item made by hand or at the start of a subscription; no subscription item stands behind it."""
    text = f"{quantity} × {_product_name(world, price)}"
    amount, span = price["unit_amount"] * quantity, period or (world.now, world.now)
    details: Json = {"invoice_item": world.new_id("ii"), "proration": False, "subscription": subscription}
    details["proration_details"] = {"credited_items": None}
    return _line(world, price, quantity, amount, span, text) | {
        "parent": {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None},
        "subscription": subscription,
    }


def item_of_line(line: Json) -> str | None:
    details = line["parent"]["subscription_item_details"]
    return details and details["subscription_item"]  # type: ignore[no-any-return]


def credited_by(line: Json) -> list[str]:
    """The debit lines that this one gives back; billing mode ``classic`` does not say."""
    details = line["parent"]["subscription_item_details"]
    credited = details and details["proration_details"]["credited_items"]
    return credited["invoice_line_items"] if credited else []


def _of_item(item: Json, *, proration: bool) -> Json:
    details: Json = {
        "invoice_item": None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    parent = {"type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": details}
    return {"parent": parent, "subscription": item["subscription"]}


def _product_name(world: World, price: Json) -> str:
    product = world.store.get("product", price["product"])
    return str(product["name"]) if product else str(price["product"])


def _rate(price: Json) -> str:
    rhythm = price["recurring"]
    count = rhythm.get("interval_count") or 1
    every = rhythm["interval"] if count == 1 else f"every {count} {rhythm['interval']}s"
    return f"{written(price['unit_amount'], price['currency'])} / {every}"


def _line(world: World, price: Json, quantity: int, amount: int, period: Period, description: str) -> Json:
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "livemode": world.livemode,
        "metadata": {},
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
        "_price": {key: value for key, value in price.items() if key[0] != "_" or key == "_own"},
    }
