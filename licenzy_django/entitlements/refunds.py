"""Whether the money of a payment went back: refunds and disputes, read together, in any order. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from licenzy_django.stripe.translate import Fact, State

VOID_REFUNDS = frozenset({"failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Reversal:
    """Why a payment does not count, since when, and whether that may still change for the better."""

    reason: str
    at: int
    is_open: bool


class Payments:
    """Refunds, disputes and charges by the payment that they belong to; invoices by their payments."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.refunds: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.disputes: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.charges: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.payment_ids_of_invoice: dict[str, set[str]] = defaultdict(set)
        by_object = {"refund": self.refunds, "dispute": self.disputes, "charge": self.charges}
        for fact in facts:
            payment_ids = {fact.links.get("payment_intent_id", ""), fact.links.get("charge_id", "")} - {""}
            if fact.object in by_object:
                for payment_id in payment_ids:
                    by_object[fact.object][payment_id][fact.stripe_id] = fact
            if fact.links.get("invoice_id"):
                self.payment_ids_of_invoice[fact.links["invoice_id"]] |= payment_ids

    def reversal_of_session(self, session: Fact) -> Reversal | None:
        return self.reversal_of({session.links.get("payment_intent_id", "")}, session.state, "amount_total")

    def reversal_of_invoice(self, invoice_id: str, state: State) -> Reversal | None:
        amount = "amount_paid" if "amount_paid" in state else "amount_total"
        return self.reversal_of(self.payment_ids_of_invoice.get(invoice_id, set()), state, amount)

    def reversal_of(self, payment_ids: set[str], paid: State, amount: str) -> Reversal | None:
        """The strongest reason for which the payment does not count: refunded in full, lost, disputed."""
        refunded_at = self.fully_refunded_at(payment_ids, paid.get(amount), paid.get("currency"))
        disputes = [fact.state for fact in gathered(self.disputes, payment_ids)]
        lost = [dispute["created"] or 0 for dispute in disputes if dispute["status"] in LOST]
        still_open = [dispute["created"] or 0 for dispute in disputes if is_open(dispute["status"])]
        since = min([*lost, *still_open, *([] if refunded_at is None else [refunded_at])], default=0)
        if refunded_at is not None:
            return Reversal("refunded", since, is_open=False)
        if lost:
            return Reversal("disputed", since, is_open=False)
        return Reversal("disputed", since, is_open=True) if still_open else None

    def fully_refunded_at(self, payment_ids: set[str], amount: int | None, currency: str | None) -> int | None:
        """When refunds came to the whole amount, or None while they have not.

        A charge says how much was refunded in total, also where we know no refund object; what is known to have
        failed since is taken off again.
        """
        refunds = [fact.state for fact in gathered(self.refunds, payment_ids)]
        charges = [fact.state for fact in gathered(self.charges, payment_ids)]
        standing = [refund for refund in refunds if refund["status"] not in VOID_REFUNDS]
        failed = sum(refund["amount"] or 0 for refund in refunds if refund["status"] in VOID_REFUNDS)
        by_refunds = sum(refund["amount"] or 0 for refund in standing)
        by_charges = sum(charge["amount_refunded"] or 0 for charge in charges) - failed
        # A customer may pay in another currency than the price's: then only the charge knows the whole.
        if any(refund["currency"] not in (None, currency) for refund in [*refunds, *charges]):
            amount = sum(charge["amount"] or 0 for charge in charges) or None
        if not amount or amount < 0 or max(by_refunds, by_charges) < amount:
            return None
        if by_refunds >= amount:
            return max(refund["created"] or 0 for refund in standing)
        return max((charge["refunded_at"] or charge["created"] or 0 for charge in charges), default=0)


# The statuses are open-ended: what we do not know counts as open, and open means no access.
# https://docs.stripe.com/api/disputes/object#dispute_object-status
LOST = frozenset({"lost", "charge_refunded"})
HARMLESS = frozenset({"won", "prevented"})


def is_open(status: str | None) -> bool:
    return not (status in LOST or status in HARMLESS or str(status).startswith("warning_"))


def gathered(by_payment: dict[str, dict[str, Fact]], payment_ids: set[str]) -> list[Fact]:
    """Each fact once, though it may be known by its payment intent and by its charge."""
    found: dict[str, Fact] = {}
    for payment_id in payment_ids:
        found.update(by_payment.get(payment_id, {}))
    return list(found.values())
