"""Credit notes: less to pay on an open invoice, money or credit back on a paid one.

docs.stripe.com/api/credit_notes/create: "A credit note will first reduce the invoice's ``amount_remaining`` (and
``amount_due``), but not below zero. … The sum of refunds, customer balance credits, and outside of Stripe credits must
equal the ``post_payment_amount``."
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import World
from . import balance, billing, invoice_payments, invoices, refunds


def create(
    world: World, invoice: Json, *, amount: int | None = None, refund_amount: int | None = None,
    credit_amount: int = 0, out_of_band_amount: int = 0, reason: str | None = None, shown: Json | None = None,
) -> Json:  # fmt: skip
    """``amount`` by default all that can be credited. What goes back after payment is refunded to the card, except
    what ``credit_amount`` (to the customer's balance) and ``out_of_band_amount`` (outside of Stripe) take.

    An open invoice of which nothing remains is ``paid`` without money.
    """
    amount = _creditable(world, invoice, amount)
    before = min(amount, invoice["amount_remaining"]) if invoice["status"] in ("open", "uncollectible") else 0
    after = amount - before
    refunded = after - credit_amount - out_of_band_amount if refund_amount is None else refund_amount
    if refunded < 0 or refunded + credit_amount + out_of_band_amount != after:
        raise invalid(
            f"refund_amount, credit_amount and out_of_band_amount must be {after} together",
            "amount",
        )
    note = _shape(world, invoice, amount, before, out_of_band_amount, reason) | (shown or {})
    if refunded:
        refund = refunds.create(world, invoice["id"], amount=refunded)
        note["refunds"] = [{"amount_refunded": refunded, "refund": refund["id"], "payment_record_refund": None,
                            "type": "refund"}]  # fmt: skip
    world.add(note)
    if transaction := balance.change(
        world, invoice["customer"], -credit_amount, "credit_note", currency=invoice["currency"],
        invoice=invoice["id"], credit_note=note["id"],
    ):  # fmt: skip
        note["customer_balance_transaction"] = transaction["id"]
    _count(world, invoice, before, after)
    world.emit("credit_note.created", note)
    if before and invoice["amount_remaining"] == 0:
        invoices.mark_paid(world, invoice, by_charge=False, succeeded=False)
        billing.after_payment(world, invoice)
    return note


def void(world: World, note: Json) -> Json:
    """Possible while its invoice is open: what it took off is due again (docs.stripe.com/api/credit_notes/void)."""
    invoice = world.find("invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":
        raise RefusalError(f"Credit note {note['id']} cannot be voided: its invoice is {invoice['status']}.")
    with world.changing(note):
        note |= {"status": "void", "voided_at": world.now}
    _count(world, invoice, -note["pre_payment_amount"], 0)
    world.emit("credit_note.voided", note)
    return note


def _creditable(world: World, invoice: Json, amount: int | None) -> int:
    """The amount, by default what is left. "The credit note API subtracts those refund amounts from the maximum"."""
    if invoice["status"] in ("draft", "void"):
        raise RefusalError(f"Invoice {invoice['id']} is {invoice['status']}: only finalized invoices can be credited.")
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    left = invoice["total"] - credited - _refunded_besides(world, invoice)
    wanted = left if amount is None else amount
    if not 0 < wanted <= left:
        raise invalid(f"The credit note amount must be from 1 to {max(left, 0)}.", "amount")
    return wanted


def _refunded_besides(world: World, invoice: Json) -> int:
    """What was refunded without a credit note."""
    noted = {entry["refund"] for note in world.store.all("credit_note", invoice=invoice["id"])
             for entry in note["refunds"]}  # fmt: skip
    payments = world.store.all("invoice_payment", invoice=invoice["id"], status="paid")
    intents = [payment["payment"]["payment_intent"] for payment in payments]
    found = [refund for intent in intents for refund in world.store.all("refund", payment_intent=intent)]
    return sum(
        refund["amount"] for refund in found if refund["id"] not in noted and refund["status"] in refunds.COUNTED
    )


def _count(world: World, invoice: Json, before: int, after: int) -> None:
    with world.changing(invoice, "invoice.updated"):
        invoice["pre_payment_credit_notes_amount"] += before
        invoice["post_payment_credit_notes_amount"] += after
        invoice["amount_due"] -= before
        invoice["amount_remaining"] -= before
    if before and invoice["amount_remaining"]:
        invoice_payments.reduce_default(world, invoice)


def _shape(world: World, invoice: Json, amount: int, before: int, out_of_band_amount: int, reason: str | None) -> Json:
    note_id = world.new_id("cn")
    types = {(True, False): "pre_payment", (False, True): "post_payment", (True, True): "mixed"}
    return {
        "id": note_id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": world.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": world.now,
        "invoice": invoice["id"],
        "lines": _lines(world, note_id, amount),
        "livemode": world.livemode,
        "memo": None,
        "metadata": {},
        "number": f"{invoice['number']}-{note_id.upper()}",
        "out_of_band_amount": out_of_band_amount or None,
        "pdf": f"https://pay.stripe.com/credit_notes/{note_id}/pdf",
        "post_payment_amount": amount - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": reason,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": types[before > 0, amount > before],
        "voided_at": None,
    }


def _lines(world: World, note_id: str, amount: int) -> Json:
    line: Json = {
        "id": world.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": "Credit",
        "invoice_line_item": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": world.livemode,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    url = f"/v1/credit_notes/{note_id}/lines"
    return {"object": "list", "data": [line], "has_more": False, "total_count": 1, "url": url}
