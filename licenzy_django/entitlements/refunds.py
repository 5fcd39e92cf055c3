"""Whether the money of a payment went back: refunds, credit notes and disputes, read together, in any order. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice
from licenzy_django.stripe.objects.session import Session

VOID_REFUNDS = frozenset({"failed", "canceled"})
# The statuses are open-ended: what we do not know counts as open, and open means no access.
# https://docs.stripe.com/api/disputes/object#dispute_object-status
LOST = frozenset({"lost", "charge_refunded"})
HARMLESS = frozenset({"won", "prevented"})


@dataclass(frozen=True, slots=True)
class Reversal:
    """Why a payment does not count, since when, and whether that may still change for the better."""

    reason: str
    at: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an invoice, by all ids that it is known by. Its amount is None where Stripe did not say."""

    ids: frozenset[str]
    amount: int | None


class Payments:
    """Refunds, disputes and charges by the payment that they belong to; invoices by their payments."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.refunds: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.disputes: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.charges: dict[str, dict[str, Fact]] = defaultdict(dict)
        self.of_invoice: dict[str, list[Payment]] = defaultdict(list)
        self.credit_notes: dict[str, list[Fact]] = defaultdict(list)
        by_object = {"refund": self.refunds, "dispute": self.disputes, "charge": self.charges}
        for fact in facts:
            ids = frozenset({fact.links.get("payment_intent_id", ""), fact.links.get("charge_id", "")} - {""})
            if fact.object in by_object:
                for payment_id in ids:
                    by_object[fact.object][payment_id][fact.stripe_id] = fact
            invoice_id = fact.links.get("invoice_id", "")
            if fact.object == "credit_note":
                self.credit_notes[invoice_id].append(fact)
            elif invoice_id and ids and has_paid(fact):
                amount = fact.state.get("amount_paid") if fact.object == "invoice_payment" else None
                self.of_invoice[invoice_id].append(Payment(ids, amount))

    def reversal_of_session(self, session: Session) -> Reversal | None:
        """The strongest reason for which a one-time payment does not count: refunded in full, lost, disputed."""
        ids = frozenset({session.payment_intent_id} - {""})
        refunded_at = self.refunded_at(ids, session.amount_total, session.currency)
        return strongest(refunded_at, self.disputes_of(ids))

    def reversal_of_invoice(self, invoice: Invoice) -> Reversal | None:
        """The strongest reason for which an invoice does not count although it was paid.

        A payment that failed or that was not needed proves nothing, and giving it back changes nothing.
        """
        payments = joined(self.of_invoice.get(invoice.id, []))
        ids = frozenset().union(*(payment.ids for payment in payments))
        amounts = [payment.amount for payment in payments]
        known = sum(filter(None, amounts)) if payments and None not in amounts else 0
        given_back, noted_at = self.given_back_by_notes(invoice)
        paid = max(known, invoice.amount_paid)
        refunded_at = self.refunded_at(ids, paid - given_back, invoice.currency)
        whole = paid or invoice.total
        if refunded_at is None and 0 < whole <= given_back:
            refunded_at = noted_at or invoice.paid_at or 0
        undisputed = [payment for payment in payments if not any(map(counts_against, self.disputes_of(payment.ids)))]
        is_still_paid = 0 < invoice.amount_paid <= sum(payment.amount or 0 for payment in undisputed)
        return strongest(refunded_at, [] if is_still_paid else self.disputes_of(ids))

    def given_back_by_notes(self, invoice: Invoice) -> tuple[int, int]:
        """What credit notes gave back in another way than by refunds, which are counted as refunds; and when.

        Of a note that is not known yet, the invoice alone says how much it came to.
        """
        notes = [note.state for note in self.credit_notes.get(invoice.id, []) if note.state["status"] != "void"]
        credited = sum(note["credited_after_payment"] or 0 for note in notes)
        refunded = sum(note["refunded"] or 0 for note in notes)
        given_back = max(credited, invoice.credited_after_payment) - refunded
        return given_back, max((note["created"] or 0 for note in notes), default=0)

    def disputes_of(self, ids: Iterable[str]) -> list[Fact]:
        return gathered(self.disputes, ids)

    def refunded_at(self, ids: Iterable[str], amount: int | None, currency: str | None) -> int | None:
        """When refunds came to the whole amount, or None while they have not.

        A charge says how much was refunded in total, also where we know no refund object; what is known to have
        failed since is taken off again.
        """
        refunds = [fact.state for fact in gathered(self.refunds, ids)]
        charges = [fact.state for fact in gathered(self.charges, ids)]
        if not refunds and not charges:
            return None
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


def has_paid(fact: Fact) -> bool:
    """Whether a fact that names both an invoice and a payment says that the one was paid by the other."""
    if fact.object == "invoice":
        return fact.state.get("paid_at") is not None
    return fact.object != "invoice_payment" or fact.state["status"] == "paid"


def joined(payments: Iterable[Payment]) -> list[Payment]:
    """Each payment once, though one fact names it by its payment intent, one by its charge and one by both."""
    found: list[Payment] = []
    for payment in payments:
        same = [other for other in found if other.ids & payment.ids]
        ids = payment.ids.union(*(other.ids for other in same))
        amount = next((each.amount for each in (payment, *same) if each.amount is not None), None)
        found = [other for other in found if other not in same] + [Payment(ids, amount)]
    return found


def strongest(refunded_at: int | None, disputes: Iterable[Fact]) -> Reversal | None:
    against = [fact.state for fact in disputes if counts_against(fact)]
    lost = [dispute for dispute in against if dispute["status"] in LOST]
    times = [dispute["created"] or 0 for dispute in against] + ([] if refunded_at is None else [refunded_at])
    if refunded_at is not None:
        return Reversal("refunded", min(times), is_open=False)
    if lost:
        return Reversal("disputed", min(times), is_open=False)
    return Reversal("disputed", min(times), is_open=True) if against else None


def counts_against(dispute: Fact) -> bool:
    """An inquiry moves no money, and a dispute that was won gave it back."""
    status = dispute.state["status"]
    return not (status in HARMLESS or str(status).startswith("warning_"))


def gathered(by_payment: dict[str, dict[str, Fact]], payment_ids: Iterable[str]) -> list[Fact]:
    """Each fact once, though it may be known by its payment intent and by its charge."""
    if not by_payment:
        return []
    found: dict[str, Fact] = {}
    for payment_id in sorted(payment_ids):
        found.update(by_payment.get(payment_id, {}))
    return list(found.values())
