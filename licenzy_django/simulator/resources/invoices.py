"""Invoices, their lines and the invoice payments that tie them to payment intents."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import DAY, World
from . import payments
from .invoice_shapes import draft_shape

RETRY_DAYS = (3, 5, 7)


def draft(world: World, subscription: Json, reason: str, lines: list[Json], period: tuple[int, int]) -> Json:
    """A draft; ``period`` is what the invoice's own period says, for a renewal the period before."""
    return world.add(draft_shape(world, subscription, reason, lines, period), "invoice.created")


def finalize(world: World, invoice: Json) -> Json:
    """Open for payment: number, payment intent and an open invoice payment."""
    if invoice["status"] != "draft":
        raise RefusalError(f"Invoice {invoice['id']} is already finalized", code="invoice_no_longer_editable")
    with world.changing(invoice):
        invoice |= {"status": "open", "number": invoice["id"].upper(), "effective_at": world.now}
        invoice |= {"automatically_finalizes_at": None, "ending_balance": 0}
        invoice["status_transitions"]["finalized_at"] = world.now
        if invoice["amount_due"] > 0:
            _open_payment(world, invoice)
    world.emit("invoice.finalized", invoice)
    return invoice


def _open_payment(world: World, invoice: Json) -> None:
    intent = payments.create_intent(
        world, invoice["amount_due"], invoice["currency"],
        customer=invoice["customer"], metadata={}, invoice=invoice["id"],
    )  # fmt: skip
    invoice["_payment_intent"] = intent["id"]
    payment: Json = {
        "id": world.new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": world.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": world.livemode,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    world.add(payment)


def intent_of(world: World, invoice: Json) -> Json | None:
    return world.store.get("payment_intent", invoice["_payment_intent"]) if invoice["_payment_intent"] else None


def settle(world: World, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Paid. Out of band there is no payment intent, no charge, and ``invoice.paid`` alone is told."""
    _require_open(invoice)
    intent = intent_of(world, invoice)
    charge = payments.succeed(world, intent) if intent and not out_of_band else None
    with world.changing(invoice):
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
        invoice |= {"attempted": True, "auto_advance": False, "next_payment_attempt": None}
        invoice["attempt_count"] += 0 if out_of_band or not intent else 1
        invoice["status_transitions"]["paid_at"] = world.now
        invoice["_charge"], invoice["_out_of_band"] = charge and charge["id"], out_of_band
    world.emit("invoice.paid", invoice)
    if not out_of_band:
        world.emit("invoice.payment_succeeded", invoice)
    _close_payment(world, invoice, paid=charge is not None)
    return invoice


def _close_payment(world: World, invoice: Json, *, paid: bool) -> None:
    intent = intent_of(world, invoice)
    if intent and not paid:
        payments.cancel(world, intent)
    for payment in world.store.all("invoice_payment", invoice=invoice["id"], status="open"):
        with world.changing(payment):
            payment["status"] = "paid" if paid else "canceled"
            payment["status_transitions"]["paid_at" if paid else "canceled_at"] = world.now
            payment["amount_paid"] = payment["amount_requested"] if paid else None
        if paid:
            world.emit("invoice_payment.paid", payment)


def refuse(world: World, invoice: Json, *, retries: bool = True) -> Json:
    """The payment failed; the next attempt is in 3, 5 and 7 days, then never."""
    _require_open(invoice)
    if intent := intent_of(world, invoice):
        invoice["_charge"] = payments.fail(world, intent)["id"]
    attempts = invoice["attempt_count"] + 1
    again = retries and attempts <= len(RETRY_DAYS)
    with world.changing(invoice):
        invoice |= {"attempt_count": attempts, "attempted": True}
        invoice["next_payment_attempt"] = world.now + RETRY_DAYS[attempts - 1] * DAY if again else None
    world.emit("invoice.payment_failed", invoice)
    return invoice


def void(world: World, invoice: Json) -> Json:
    return _write_off(world, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(world: World, invoice: Json) -> Json:
    return _write_off(world, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _write_off(world: World, invoice: Json, status: str, moment: str, event: str) -> Json:
    _require_open(invoice)
    with world.changing(invoice):
        invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
        invoice["status_transitions"][moment] = world.now
    if status == "void":
        _close_payment(world, invoice, paid=False)
    world.emit(event, invoice)
    return invoice


def _require_open(invoice: Json) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise RefusalError(f"Invoice {invoice['id']} is {invoice['status']}, not open", code="invoice_not_open")
