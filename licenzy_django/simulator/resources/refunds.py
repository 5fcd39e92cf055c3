"""Refunds: whole, partial, several, slow, and those that fail in the end."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import Ref, World
from . import payments

_DESTINATION: Json = {"reference_status": "available", "reference_type": "acquirer_reference_number", "type": "refund"}
COUNTED = ("pending", "requires_action", "succeeded")


def create(
    world: World, target: Ref, *, amount: int | None = None, status: str = "succeeded",
    reason: str | None = None, metadata: Json | None = None,
) -> Json:  # fmt: skip
    """``target`` is a payment intent, charge, session, invoice or subscription; no ``amount`` means what is left."""
    intent = payments.intent_of(world, target)
    charge = payments.charge_of(world, intent)
    _refuse_disputed(world, charge)
    amount = _refundable(charge, amount)
    refund: Json = {
        "id": world.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": world.new_id("txn"),
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": _DESTINATION | {"reference": f"sim{world.new_id('arn')[4:]}"}, "type": "card"},
        "metadata": dict(metadata or {}),
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    if status == "pending":
        refund["pending_reason"] = "processing"
    world.add(refund)
    _count(world, charge)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    return refund


def _refuse_disputed(world: World, charge: Json) -> None:
    """The bank has taken the money already. An inquiry is answered by a refund; a dispute that was won is over."""
    for dispute in world.store.all("dispute", charge=charge["id"]):
        if not dispute["status"].startswith("warning_") and dispute["status"] not in ("won", "prevented"):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise RefusalError(message, code="charge_disputed")


def _refundable(charge: Json, amount: int | None) -> int:
    """The amount, by default what is left. Raises RefusalError where that is less."""
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise RefusalError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and not 0 < amount <= left:
        raise RefusalError(
            f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge (${left / 100:.2f})",
            param="amount",
        )
    return left if amount is None else amount


def _count(world: World, charge: Json) -> None:
    refunds = world.store.all("refund", charge=charge["id"])
    with world.changing(charge):
        charge["amount_refunded"] = sum(entry["amount"] for entry in refunds if entry["status"] in COUNTED)
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]


def settle(world: World, refund: Json) -> Json:
    """A pending refund arrived."""
    _require(refund, "pending", "requires_action")
    with world.changing(refund, "refund.updated"):
        refund["status"] = "succeeded"
        refund.pop("pending_reason", None)
    return refund


def fail(world: World, refund: Json, *, why: str = "expired_or_canceled_card") -> Json:
    """The bank sent the money back, possibly long after the refund had succeeded."""
    _require(refund, *COUNTED)
    with world.changing(refund, "refund.updated"):
        refund |= {"status": "failed", "failure_reason": why, "failure_balance_transaction": world.new_id("txn")}
    _count(world, world.find("charge", refund["charge"]))
    world.emit("refund.failed", refund)
    return refund


def cancel(world: World, refund: Json) -> Json:
    _require(refund, "requires_action")
    with world.changing(refund, "refund.updated"):
        refund["status"] = "canceled"
    _count(world, world.find("charge", refund["charge"]))
    return refund


def _require(refund: Json, *statuses: str) -> None:
    if refund["status"] not in statuses:
        raise RefusalError(f"Refund {refund['id']} is {refund['status']}")
