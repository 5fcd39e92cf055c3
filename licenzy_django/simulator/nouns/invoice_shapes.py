"""What an invoice and its lines look like."""

from __future__ import annotations

from ..due import DRAFT_SECONDS
from ..json_tree import Json
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
    parent: Json = {"invoice_item": world.new_id("ii"), "proration": False, "subscription": subscription}
    parent["proration_details"] = {"credited_items": None}
    amount, period = price["unit_amount"] * quantity, (world.now, world.now)
    return _line(world, price, quantity, amount, period) | {
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


def draft_shape(world: World, subscription: Json, reason: str, lines: list[Json], period: tuple[int, int]) -> Json:
    total = sum(entry["amount"] for entry in lines)
    invoice_id = world.new_id("in")
    for entry in lines:
        entry["invoice"] = invoice_id
    return {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Simulation",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None,
                          "status": None},
        "automatically_finalizes_at": world.now + DRAFT_SECONDS,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": world.now,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "customer_account": None,
        "customer_email": None,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "lines": {"object": "list", "data": lines, "has_more": False, "total_count": len(lines),
                  "url": f"/v1/invoices/{invoice_id}/lines"},
        "livemode": world.livemode,
        "metadata": {},
        "next_payment_attempt": world.now + DRAFT_SECONDS,
        "number": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]), "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": period[1],
        "period_start": period[0],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
        "_payment_intent": None,
        "_charge": None,
        "_out_of_band": False,
    }  # fmt: skip
