"""The payments of an invoice: one by default, several where it is paid in parts.

docs.stripe.com/invoicing/partial-payments, docs.stripe.com/api/invoice-payment/object. ``invoice_payment.paid`` comes
for each, ``invoice.paid`` when nothing is left.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import invalid
from ..world import World
from . import payments


def open_default(world: World, invoice: Json) -> str:
    """The payment that stands open for all that remains; returns the id of its intent."""
    intent = _intent(world, invoice, invoice["amount_remaining"])
    _add(world, invoice, intent, default=True)
    return str(intent["id"])


def adopt(world: World, invoice: Json, intent: Json) -> None:
    """A payment that was made before its invoice."""
    for paid in [intent, *world.store.all("charge", payment_intent=intent["id"])]:
        with world.changing(paid):
            paid["_invoice"] = invoice["id"]
    with world.changing(invoice):
        invoice |= {"_payment_intent": intent["id"], "_charge": intent["latest_charge"]}
    _add(world, invoice, intent, default=True)


def charge_default(world: World, invoice: Json) -> Json | None:
    intent = intent_of(world, invoice)
    return payments.succeed(world, intent) if intent else None


def fail_default(world: World, invoice: Json, *, requires_action: bool) -> Json | None:
    intent = intent_of(world, invoice)
    if intent and requires_action:
        payments.challenge(world, intent)
        return None
    return payments.fail(world, intent) if intent else None


def close_default(world: World, invoice: Json, *, paid: bool) -> None:
    intent = intent_of(world, invoice)
    if intent and not paid:
        payments.cancel(world, intent)
    for payment in world.store.all("invoice_payment", invoice=invoice["id"], status="open"):
        _close(world, payment, paid=paid)


def reduce_default(world: World, invoice: Json) -> None:
    """Less remains than before: a part was paid, or a credit note came."""
    intent = intent_of(world, invoice)
    if intent:
        with world.changing(intent):
            intent["amount"] = invoice["amount_remaining"]
    for payment in world.store.all("invoice_payment", invoice=invoice["id"], status="open"):
        with world.changing(payment):
            payment["amount_requested"] = invoice["amount_remaining"]


def pay_part(world: World, invoice: Json, amount: int) -> Json:
    """A payment of its own for a part of what remains; of sent invoices only."""
    if invoice["collection_method"] != "send_invoice":
        raise invalid("Only an invoice that is sent (`collection_method=send_invoice`) is paid in parts.", "amount")
    if not 0 < amount < invoice["amount_remaining"]:
        raise invalid(f"A part is more than 0 and less than {invoice['amount_remaining']}", "amount")
    intent = _intent(world, invoice, amount)
    payment = _add(world, invoice, intent, default=False)
    payments.succeed(world, intent)
    with world.changing(invoice, "invoice.updated"):
        invoice["amount_paid"] += amount
        invoice["amount_remaining"] -= amount
    _close(world, payment, paid=True)
    reduce_default(world, invoice)
    return payment


def intent_of(world: World, invoice: Json) -> Json | None:
    return world.store.get("payment_intent", invoice["_payment_intent"]) if invoice["_payment_intent"] else None


def _intent(world: World, invoice: Json, amount: int) -> Json:
    return payments.create_intent(
        world, amount, invoice["currency"], customer=invoice["customer"], metadata={}, invoice=invoice["id"]
    )


def _add(world: World, invoice: Json, intent: Json, *, default: bool) -> Json:
    payment: Json = {
        "id": world.new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": world.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": default,
        "livemode": world.livemode,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    return world.add(payment)


def _close(world: World, payment: Json, *, paid: bool) -> None:
    with world.changing(payment):
        payment["status"] = "paid" if paid else "canceled"
        payment["status_transitions"]["paid_at" if paid else "canceled_at"] = world.now
        payment["amount_paid"] = payment["amount_requested"] if paid else None
    if paid:
        world.emit("invoice_payment.paid", payment)
