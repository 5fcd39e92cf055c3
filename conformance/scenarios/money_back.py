"""Money that goes back: refunds, disputes, credit notes."""

from __future__ import annotations

from typing import Any

from conformance.account import Account, Json, only, plain
from conformance.scenario import Seen, scenario


def paid(account: Account, card: str = "pm_card_visa") -> tuple[Json, str]:
    """A subscription, and the payment of its first invoice."""
    made = account.subscribe(account.customer(card), account.price(2000))
    listed = account.client.v1.invoice_payments.list({"invoice": made["latest_invoice"]["id"]})
    payment: str = plain(only(listed.data))["payment"]["payment_intent"]
    return made, payment


def charge_of(account: Account, payment: str) -> Any:
    return only(account.client.v1.charges.list({"payment_intent": payment}).data)


@scenario("refunds")
def a_full_refund(account: Account, seen: Seen) -> None:
    made, payment = paid(account)
    refund = account.client.v1.refunds.create({"payment_intent": payment})
    seen("refund", (refund.amount, refund.status), (2000, "succeeded"))
    charge = charge_of(account, payment)
    seen("charge", (charge.amount_refunded, charge.refunded), (2000, True))
    now = account.subscription(made)
    seen("the rest stays", (now["status"], now["latest_invoice"]["status"]), ("active", "paid"))
    seen("told", {"charge.refunded", "refund.created"} <= account.told(made["customer"]), True)


@scenario("refunds")
def a_refund_in_part(account: Account, seen: Seen) -> None:
    _, payment = paid(account)
    refund = account.client.v1.refunds.create
    refund({"payment_intent": payment, "amount": 500})
    charge = charge_of(account, payment)
    seen("charge", (charge.amount_refunded, charge.refunded), (500, False))
    seen.refused("more than is left", lambda: refund({"payment_intent": payment, "amount": 1501}), 400, None)


@scenario("refunds")
def a_second_full_refund(account: Account, seen: Seen) -> None:
    _, payment = paid(account)
    refund = account.client.v1.refunds.create
    refund({"payment_intent": payment})
    seen.refused("the second", lambda: refund({"payment_intent": payment}), 400, "charge_already_refunded")


@scenario("testing#disputes")
def a_dispute(account: Account, seen: Seen) -> None:
    made, payment = paid(account, "pm_card_createDispute")
    account.rest()
    dispute = only(account.client.v1.disputes.list({"payment_intent": payment}).data)
    seen("dispute", (dispute.amount, dispute.status), (2000, "needs_response"))
    now = account.subscription(made)
    seen("the rest stays", (now["status"], now["latest_invoice"]["status"]), ("active", "paid"))
    seen("told", "charge.dispute.created" in account.told(made["customer"]), True)


@scenario("testing#evidence")
def a_dispute_that_is_won(account: Account, seen: Seen) -> None:
    _, payment = paid(account, "pm_card_createDispute")
    account.rest()
    dispute = only(account.client.v1.disputes.list({"payment_intent": payment}).data)
    evidence: Any = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    account.client.v1.disputes.update(dispute.id, evidence)
    account.rest()
    seen("status", account.client.v1.disputes.retrieve(dispute.id).status, "won")


@scenario("invoicing/integration/programmatic-credit-notes")
def a_credit_note_to_the_balance(account: Account, seen: Seen) -> None:
    made, _ = paid(account)
    invoice = made["latest_invoice"]["id"]
    note = account.client.v1.credit_notes.create({"invoice": invoice, "amount": 2000, "credit_amount": 2000})
    seen("note", (note.amount, note.status, note.type), (2000, "issued", "post_payment"))
    now = account.subscription(made)["latest_invoice"]
    seen("invoice", (now["status"], now["post_payment_credit_notes_amount"]), ("paid", 2000))
    seen("balance", account.client.v1.customers.retrieve(made["customer"]).balance, -2000)


@scenario("invoicing/integration/programmatic-credit-notes")
def a_credit_note_that_refunds(account: Account, seen: Seen) -> None:
    made, payment = paid(account)
    invoice = made["latest_invoice"]["id"]
    account.client.v1.credit_notes.create({"invoice": invoice, "amount": 2000, "refund_amount": 2000})
    refund = only(account.client.v1.refunds.list({"payment_intent": payment}).data)
    seen("refund", (refund.amount, refund.status), (2000, "succeeded"))
    told = account.told(made["customer"])
    seen("told", {"credit_note.created", "charge.refunded"} <= told, True)
