"""Disputes: chargebacks, inquiries, those lost at once and those won late."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import DAY, Ref, World
from . import payments
from .customers import merge_metadata

CLOSED = ("won", "lost", "warning_closed")
ANSWER_SECONDS = 7 * DAY


def _is_inquiry(status: str) -> bool:
    return status.startswith("warning_")


def create(
    world: World, target: Ref, *, status: str = "needs_response", amount: int | None = None, reason: str = "fraudulent"
) -> Json:
    """``target`` as for a refund. Any status, also one that Stripe does not have yet; ``lost`` is closed at once."""
    intent = payments.intent_of(world, target)
    charge = payments.charge_of(world, intent)
    dispute = _shape(world, charge, status, charge["amount"] if amount is None else amount, reason)
    if not _is_inquiry(status):
        dispute["balance_transactions"].append(_transaction(world, dispute, -dispute["amount"]))
    world.add(dispute, "charge.dispute.created")
    with world.changing(charge, "charge.updated"):
        charge["disputed"] = True
    if not _is_inquiry(status):
        world.emit("charge.dispute.funds_withdrawn", dispute)
    if status in CLOSED:
        world.emit("charge.dispute.closed", dispute)
    return dispute


def _shape(world: World, charge: Json, status: str, amount: int, reason: str) -> Json:
    return {
        "id": world.new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": world.now + ANSWER_SECONDS, "enhanced_eligibility": {},
            "has_evidence": False, "past_due": False, "submission_count": 0,
        },
        "intended_submission_method": "manual",
        "is_charge_refundable": _is_inquiry(status),
        "livemode": world.livemode,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "inquiry" if _is_inquiry(status) else "chargeback",
                     "network": "visa", "network_reason_code": "83"},
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }  # fmt: skip


def update(world: World, dispute: Json, status: str) -> Json:
    """Another status; an inquiry that becomes a chargeback takes the funds. A late win is an update too."""
    before = dispute["status"]
    with world.changing(dispute, "charge.dispute.updated"):
        dispute |= {"status": status, "is_charge_refundable": _is_inquiry(status)}
        withdrawn = _is_inquiry(before) and not _is_inquiry(status)
        reinstated = status == "won" and not _is_inquiry(before)
        if withdrawn:
            dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        if withdrawn or reinstated:
            sign = -1 if withdrawn else 1
            dispute["balance_transactions"].append(_transaction(world, dispute, sign * dispute["amount"]))
    if withdrawn:
        world.emit("charge.dispute.funds_withdrawn", dispute)
    if reinstated:
        world.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def close(world: World, dispute: Json, status: str) -> Json:
    """``won``, ``lost`` or ``warning_closed``."""
    update(world, dispute, status)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def win_late(world: World, dispute: Json) -> Json:
    """Lost, and won after all."""
    return update(world, dispute, "won")


def _transaction(world: World, dispute: Json, amount: int) -> Json:
    return {
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": world.now,
        "balance_type": "payments",
        "created": world.now,
        "currency": dispute["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }


def answer(world: World, dispute: Json, evidence: Json, *, submit: bool, metadata: Json) -> Json:
    """Evidence is kept; once submitted, the bank reviews it (docs.stripe.com/api/disputes/update).

    As with Stripe's test cards, ``uncategorized_text`` of ``winning_evidence`` wins and ``losing_evidence`` loses.
    """
    if dispute["status"] in CLOSED:
        raise RefusalError(f"This dispute is already closed with status {dispute['status']}.")
    with world.changing(dispute, "charge.dispute.updated"):
        dispute["evidence"] |= evidence
        merge_metadata(dispute, metadata)
        dispute["evidence_details"]["has_evidence"] = bool(dispute["evidence"])
        if submit and evidence:
            dispute["evidence_details"]["submission_count"] += 1
            dispute["status"] = "warning_under_review" if _is_inquiry(dispute["status"]) else "under_review"
    outcome = _OUTCOMES.get(str(dispute["evidence"].get("uncategorized_text"))) if submit else None
    if outcome and not _is_inquiry(dispute["status"]):
        close(world, dispute, outcome)
    return dispute


_OUTCOMES = {"winning_evidence": "won", "losing_evidence": "lost"}
