"""Invoices from draft to their end."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import DAY, World
from . import balance, discounts, invoice_payments
from .invoice_shapes import Heading, draft_shape, heading_of, weigh

RETRY_DAYS = (3, 5, 7)


def draft(world: World, subscription: Json, reason: str, lines: list[Json], period: tuple[int, int]) -> Json:
    """``period`` is what the invoice's own period says, for a renewal the period before."""
    discounts.drop_ended(world, subscription)
    invoice = draft_for(world, heading_of(subscription, reason, period), lines)
    discounts.use_up(world, subscription, invoice)
    return invoice


def draft_for(world: World, heading: Heading, lines: list[Json]) -> Json:
    return world.add(draft_shape(world, heading, lines), "invoice.created")


def finalize(world: World, invoice: Json) -> Json:
    """Open for payment, with the customer's balance applied; paid at once where nothing is due.

    Nothing is due if the sum is not above zero, if credit covers it, or if it is below the minimum charge: then the
    debt goes to the balance (docs.stripe.com/billing/customer/balance).
    """
    if invoice["status"] != "draft":
        raise RefusalError(f"Invoice {invoice['id']} is already finalized", code="invoice_no_longer_editable")
    with world.changing(invoice):
        ending = weigh(world, invoice)
        _open(world, invoice, ending)
        if invoice["collection_method"] == "send_invoice":
            invoice["due_date"] = world.now + (invoice["_days_until_due"] or 0) * DAY
        if invoice["amount_due"] > 0:
            invoice["_payment_intent"] = invoice_payments.open_default(world, invoice)
    _move_balance(world, invoice, ending - invoice["starting_balance"])
    world.emit("invoice.finalized", invoice)
    return settle(world, invoice) if invoice["amount_due"] == 0 else invoice


def _open(world: World, invoice: Json, ending_balance: int) -> None:
    invoice |= {"status": "open", "number": invoice["id"].upper(), "effective_at": world.now}
    invoice |= {"automatically_finalizes_at": None, "ending_balance": ending_balance, "last_finalization_error": None}
    page = f"{world.page_base()}/invoice/{invoice['id']}"
    invoice |= {"hosted_invoice_url": page, "invoice_pdf": f"{page}/pdf"}
    invoice["status_transitions"]["finalized_at"] = world.now


def open_beside_balance(world: World, invoice: Json) -> Json:
    """Finalised for what it adds up to, whatever the customer's balance is: the money is there already."""
    with world.changing(invoice):
        _open(world, invoice, invoice["starting_balance"])
        invoice |= {"amount_due": invoice["total"], "amount_remaining": invoice["total"]}
    world.emit("invoice.finalized", invoice)
    return invoice


def _move_balance(world: World, invoice: Json, amount: int) -> None:
    too_small = invoice["amount_due"] == 0 and amount > 0 and invoice["ending_balance"] > 0
    balance.change(
        world, invoice["customer"], amount, "invoice_too_small" if too_small else "applied_to_invoice",
        currency=invoice["currency"], invoice=invoice["id"],
    )  # fmt: skip


def fail_finalization(world: World, invoice: Json) -> Json:
    """It stays a draft (docs.stripe.com/api/events/types#event_types-invoice.finalization_failed)."""
    if invoice["status"] != "draft":
        raise RefusalError(f"Invoice {invoice['id']} is already finalized", code="invoice_no_longer_editable")
    with world.changing(invoice):
        invoice |= {"automatically_finalizes_at": None, "next_payment_attempt": None}
        invoice["last_finalization_error"] = {
            "type": "invalid_request_error", "code": "customer_tax_location_invalid",
            "message": "We could not determine the customer's tax location based on the provided customer address.",
        }  # fmt: skip
    world.emit("invoice.finalization_failed", invoice)
    return invoice


def settle(world: World, invoice: Json, *, out_of_band: bool = False) -> Json:
    """Paid. Out of band there is no payment intent, no charge, and ``invoice.paid`` alone is told."""
    require_open(invoice)
    remaining = invoice["amount_remaining"]
    charge = None if out_of_band else invoice_payments.charge_default(world, invoice)
    with world.changing(invoice):
        invoice["amount_paid"] += remaining
        invoice["amount_paid_off_stripe"] += remaining if out_of_band else 0
        invoice["attempt_count"] += 1 if charge else 0
        invoice["attempted"] = True
        invoice["_out_of_band"] = out_of_band
        invoice["_charge"] = charge["id"] if charge else invoice["_charge"]
    return mark_paid(world, invoice, by_charge=charge is not None, succeeded=not out_of_band)


def mark_paid(world: World, invoice: Json, *, by_charge: bool, succeeded: bool = True) -> Json:
    """``by_charge``: the default payment brought the rest; otherwise it is canceled, because nothing is left to pay."""
    with world.changing(invoice, "invoice.updated"):
        invoice |= {"status": "paid", "amount_remaining": 0, "auto_advance": False, "next_payment_attempt": None}
        invoice["status_transitions"]["paid_at"] = world.now
    world.emit("invoice.paid", invoice)
    if succeeded:
        world.emit("invoice.payment_succeeded", invoice)
    invoice_payments.close_default(world, invoice, paid=by_charge)
    return invoice


def refuse(world: World, invoice: Json, *, retries: bool = True, requires_action: bool = False) -> Json:
    """The payment failed; the next attempt is in 3, 5 and 7 days, then never.

    ``requires_action``: 3-D Secure is asked for, which is told as a failure too.
    """
    require_open(invoice)
    charge = invoice_payments.fail_default(world, invoice, requires_action=requires_action)
    attempts = invoice["attempt_count"] + 1
    again = retries and attempts <= len(RETRY_DAYS) and invoice["collection_method"] == "charge_automatically"
    with world.changing(invoice, "invoice.updated"):
        invoice["_charge"] = charge["id"] if charge else invoice["_charge"]
        invoice |= {"attempt_count": attempts, "attempted": True}
        invoice["next_payment_attempt"] = world.now + RETRY_DAYS[attempts - 1] * DAY if again else None
    if requires_action:
        world.emit("invoice.payment_action_required", invoice)
    world.emit("invoice.payment_failed", invoice)
    return invoice


def void(world: World, invoice: Json) -> Json:
    """As if it had never been: what it took from the customer's balance goes back there."""
    _write_off(world, invoice, "void", "voided_at")
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    balance.change(
        world, invoice["customer"], -applied, "unapplied_from_invoice", currency=invoice["currency"],
        invoice=invoice["id"],
    )  # fmt: skip
    invoice_payments.close_default(world, invoice, paid=False)
    world.emit("invoice.voided", invoice)
    return invoice


def mark_uncollectible(world: World, invoice: Json) -> Json:
    _write_off(world, invoice, "uncollectible", "marked_uncollectible_at")
    world.emit("invoice.marked_uncollectible", invoice)
    return invoice


def _write_off(world: World, invoice: Json, status: str, moment: str) -> None:
    require_open(invoice)
    if status == "void" and invoice["amount_paid"]:
        raise RefusalError(
            f"Invoice {invoice['id']} has been paid in part and cannot be voided", code="invoice_not_open"
        )
    with world.changing(invoice):
        invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
        invoice["status_transitions"][moment] = world.now


def require_open(invoice: Json) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise RefusalError(f"Invoice {invoice['id']} is {invoice['status']}, not open", code="invoice_not_open")
