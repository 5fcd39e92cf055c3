"""What an invoice and its lines look like."""

from __future__ import annotations

from ..due import DRAFT_SECONDS
from ..json_tree import Json, snapshot
from ..world import World


def line(world: World, item: Json, period: tuple[int, int], *, free: bool = False, proration: bool = False) -> Json:
    """One line for one subscription item."""
    price, quantity = item["price"], item.get("quantity", 1)
    amount = 0 if free else price["unit_amount"] * quantity
    parent: Json = {
        "invoice_item": None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return _line(world, price, quantity, amount, period) | {
        "parent": {
            "type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": parent,
        },
        "subscription": item["subscription"],
    }  # fmt: skip


def one_time_line(world: World, price: Json, quantity: int, subscription: str) -> Json:
    """A one-time price on the first invoice of a subscription."""
    amount, period = price["unit_amount"] * quantity, (world.now, world.now)
    return _line(world, price, quantity, amount, period) | _of_invoice_item(world, subscription)


def prorations(world: World, item: Json, quantity: int) -> list[Json]:
    """What a change of quantity gives back and costs until the period's end: items of the invoice's own."""
    start, end = item["current_period_start"], item["current_period_end"]
    share = item["price"]["unit_amount"] * (end - world.now) // (end - start)
    changes = ((item.get("quantity", 1), -share), (quantity, share))
    return [
        _line(world, item["price"], count, amount * count, (world.now, end))
        | _of_invoice_item(world, item["subscription"], proration=True)
        for count, amount in changes
    ]


def _of_invoice_item(world: World, subscription: str, *, proration: bool = False) -> Json:
    parent: Json = {"invoice_item": world.new_id("ii"), "proration": proration, "subscription": subscription}
    parent["proration_details"] = {"credited_items": None}
    return {
        "parent": {"type": "invoice_item_details", "invoice_item_details": parent, "subscription_item_details": None},
        "subscription": subscription,
    }


def _line(world: World, price: Json, quantity: int, amount: int, period: tuple[int, int]) -> Json:
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": f"{quantity} × {price['product']}",
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
    }


_FIXED: Json = {
    "object": "invoice", "status": "draft", "account_country": "US", "account_name": "Simulation",
    "attempt_count": 0, "attempted": False, "auto_advance": True, "collection_method": "charge_automatically",
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
    "default_tax_rates": [], "discounts": [], "issuer": {"type": "self"}, "metadata": {},
    "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    "status_transitions": {
        "finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None,
    },
    "total_discount_amounts": [], "total_pretax_credit_amounts": [], "total_taxes": [], "_out_of_band": False,
} | dict.fromkeys((
    "customer_account", "customer_email", "default_payment_method", "description", "due_date", "effective_at",
    "ending_balance", "from_invoice", "hosted_invoice_url", "invoice_pdf", "last_finalization_error", "number",
    "receipt_number", "test_clock", "webhooks_delivered_at", "_payment_intent", "_charge",
)) | dict.fromkeys((
    "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_shipping",
    "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "starting_balance",
), 0)  # fmt: skip
_TO_PAY = ("amount_due", "amount_remaining")  # what is less than nothing goes to the customer's balance
_TOTALS = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")


def draft_shape(world: World, subscription: Json, reason: str, lines: list[Json], period: tuple[int, int]) -> Json:
    invoice_id, total = world.new_id("in"), sum(entry["amount"] for entry in lines)
    for entry in lines:
        entry["invoice"] = invoice_id
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    url = f"/v1/invoices/{invoice_id}/lines"
    return {
        "id": invoice_id,
        **snapshot(_FIXED),
        **dict.fromkeys(_TOTALS, total),
        **dict.fromkeys(_TO_PAY, max(0, total)),
        "automatically_finalizes_at": world.now + DRAFT_SECONDS,
        "billing_reason": reason,
        "created": world.now,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "lines": {"object": "list", "data": lines, "has_more": False, "total_count": len(lines), "url": url},
        "livemode": world.livemode,
        "next_payment_attempt": world.now + DRAFT_SECONDS,
        "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        "period_end": period[1],
        "period_start": period[0],
    }
