"""Whether the money of a payment went back: refunds, credit notes and disputes, read together, in any order. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.charge import Charge
from licenzy_django.stripe.objects.credit_note import CreditNote
from licenzy_django.stripe.objects.dispute import Dispute
from licenzy_django.stripe.objects.invoice import Invoice
from licenzy_django.stripe.objects.invoice_payment import InvoicePayment
from licenzy_django.stripe.objects.refund import Refund
from licenzy_django.stripe.objects.session import Session

Given = TypeVar("Given", Refund, Dispute, Charge)

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
        self.refunds = by_payment(facts, "refund", Refund.of)
        self.disputes = by_payment(facts, "dispute", Dispute.of)
        self.charges = by_payment(facts, "charge", Charge.of)
        self.of_invoice: dict[str, list[Payment]] = defaultdict(list)
        self.credit_notes: dict[str, list[CreditNote]] = defaultdict(list)
        for fact in facts:
            invoice_id = fact.links.get("invoice_id", "")
            if fact.object == "credit_note":
                self.credit_notes[invoice_id].append(CreditNote.of(fact))
            elif invoice_id and payment_ids(fact) and has_paid(fact):
                amount = InvoicePayment.of(fact).amount_paid if fact.object == "invoice_payment" else None
                self.of_invoice[invoice_id].append(Payment(payment_ids(fact), amount))

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
        notes = [note for note in self.credit_notes.get(invoice.id, []) if note.status != "void"]
        credited = sum(note.credited_after_payment for note in notes)
        refunded = sum(note.refunded for note in notes)
        given_back = max(credited, invoice.credited_after_payment) - refunded
        return given_back, max((note.created for note in notes), default=0)

    def disputes_of(self, ids: Iterable[str]) -> list[Dispute]:
        return gathered(self.disputes, ids)

    def refunded_at(self, ids: Iterable[str], amount: int | None, currency: str | None) -> int | None:
        """When refunds came to the whole amount, or None while they have not.

        A charge says how much was refunded in total, also where we know no refund object; what is known to have
        failed since is taken off again.
        """
        refunds, charges = gathered(self.refunds, ids), gathered(self.charges, ids)
        if not refunds and not charges:
            return None
        standing = [refund for refund in refunds if refund.status not in VOID_REFUNDS]
        failed = sum(refund.amount for refund in refunds if refund.status in VOID_REFUNDS)
        by_refunds = sum(refund.amount for refund in standing)
        by_charges = sum(charge.amount_refunded for charge in charges) - failed
        # A customer may pay in another currency than the price's: then only the charge knows the whole.
        currencies = {refund.currency for refund in refunds} | {charge.currency for charge in charges}
        if currencies - {None, currency}:
            amount = sum(charge.amount for charge in charges) or None
        if not amount or amount < 0 or max(by_refunds, by_charges) < amount:
            return None
        if by_refunds >= amount:
            return max(refund.created for refund in standing)
        return max((charge.refunded_at or charge.created for charge in charges), default=0)


def payment_ids(fact: Fact) -> frozenset[str]:
    """The ids by which a fact names its payment."""
    return frozenset({fact.links.get("payment_intent_id", ""), fact.links.get("charge_id", "")} - {""})


def by_payment(facts: Iterable[Fact], name: str, of: Callable[[Fact], Given]) -> dict[str, dict[str, Given]]:
    """The facts about one kind of object, by each id of their payment and by their own."""
    found: dict[str, dict[str, Given]] = defaultdict(dict)
    for fact in facts:
        if fact.object == name:
            for payment_id in payment_ids(fact):
                found[payment_id][fact.stripe_id] = of(fact)
    return found


def has_paid(fact: Fact) -> bool:
    """Whether a fact that names both an invoice and a payment says that the one was paid by the other."""
    if fact.object == "invoice":
        return fact.state.get("paid_at") is not None
    return fact.object != "invoice_payment" or InvoicePayment.of(fact).status == "paid"


def joined(payments: Iterable[Payment]) -> list[Payment]:
    """Each payment once, though one fact names it by its payment intent, one by its charge and one by both."""
    found: list[Payment] = []
    for payment in payments:
        same = [other for other in found if other.ids & payment.ids]
        ids = payment.ids.union(*(other.ids for other in same))
        amount = next((each.amount for each in (payment, *same) if each.amount is not None), None)
        found = [other for other in found if other not in same] + [Payment(ids, amount)]
    return found


def strongest(refunded_at: int | None, disputes: Iterable[Dispute]) -> Reversal | None:
    against = [dispute for dispute in disputes if counts_against(dispute)]
    lost = [dispute for dispute in against if dispute.status in LOST]
    times = [dispute.created for dispute in against] + ([] if refunded_at is None else [refunded_at])
    if refunded_at is not None:
        return Reversal("refunded", min(times), is_open=False)
    if lost:
        return Reversal("disputed", min(times), is_open=False)
    return Reversal("disputed", min(times), is_open=True) if against else None


def counts_against(dispute: Dispute) -> bool:
    """An inquiry moves no money, and a dispute that was won gave it back."""
    return not (dispute.status in HARMLESS or dispute.status.startswith("warning_"))


def gathered(known: dict[str, dict[str, Given]], ids: Iterable[str]) -> list[Given]:
    """Each once, though it may be known by its payment intent and by its charge."""
    if not known:
        return []
    found: dict[str, Given] = {}
    for payment_id in sorted(ids):
        found.update(known.get(payment_id, {}))
    return list(found.values())
