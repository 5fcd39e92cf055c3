"""Which invoices are proof of money. Pure.

An invoice proves what it bills if money arrived for it and still stands, or if none was required: a trial, a full
discount, a start that costs nothing. Credit is money only as far as what it credits had been paid for, whether it
stands on the invoice itself or came back through the customer's balance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.stripe.objects.invoice import Invoice, Line

WRITTEN_OFF = frozenset({"void", "uncollectible"})
ROUNDING = 1
"""Stripe rounds each line to the currency's smallest unit."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One line, and what became of its invoice.

    Attributes:
        item_id: the subscription item that it bills.
        counts: whether it is proof of money.
        reversal: why the money that had arrived does not count any more.
        invoice: None where the line stands for one that is not known, or for a start that needed none.
    """

    item_id: str
    line: Line
    counts: bool
    reversal: Reversal | None = None
    invoice: Invoice | None = None

    @property
    def was_proof(self) -> bool:
        """Whether it is or was proof of money."""
        return self.counts or self.reversal is not None

    @property
    def paid_at(self) -> int:
        """When it was paid; when its time began, where no invoice says it."""
        known = self.invoice.paid_at if self.invoice is not None else None
        return self.line.start if known is None else known

    @property
    def is_written_off(self) -> bool:
        """Whether the seller gave up the money."""
        return not self.was_proof and self.invoice is not None and self.invoice.status in WRITTEN_OFF


def billed_lines(
    invoices: Iterable[Invoice],
    payments: Payments,
    *,
    item_id_of: Callable[[Line], str],
    confirmed: Collection[str] = (),
) -> list[BilledLine]:
    """The lines of a subscription's invoices that bill some time, in the order of that time.

    Args:
        confirmed: ids of invoices that a Checkout session says are paid, or need no payment.
    """
    ledger = CreditLedger(item_id_of)
    found = []
    for invoice in sorted(invoices, key=lambda invoice: (invoice.created, first_start(invoice), invoice.id)):
        counts, reversal = False, None
        if invoice.is_paid or invoice.id in confirmed:
            counts, reversal = ledger.enter(invoice, payments.reversal_of_invoice(invoice))
        lines = [line for line in invoice.lines if line.end > line.start and not is_for_time_gone_by(line, invoice)]
        found += [BilledLine(item_id_of(line), line, counts, reversal, invoice) for line in lines]
    return sorted(found, key=lambda billed: billed.line.start)


def is_for_time_gone_by(line: Line, invoice: Invoice) -> bool:
    """A change that the next renewal bills was followed when it was made: its proration gives and takes nothing."""
    return line.proration and line.end <= invoice.created


def first_start(invoice: Invoice) -> int:
    return min((line.start for line in invoice.lines), default=0)


class CreditLedger:
    """What was paid for which time and is not credited yet, and how much of the customer's balance nobody paid for."""

    def __init__(self, item_id_of: Callable[[Line], str]) -> None:
        self.item_id_of = item_id_of
        self.paid: dict[str, list[PaidValue]] = defaultdict(list)
        self.unearned_balance = 0.0

    def enter(self, invoice: Invoice, reversal: Reversal | None) -> tuple[bool, Reversal | None]:
        """Whether an invoice that Stripe calls paid is proof of money, and why its money does not count any more.

        Keeps what later invoices need to know. They come in the order in which Stripe made them.
        """
        credit_lines = [line for line in invoice.lines if line.net < 0]
        shares = [share for line in credit_lines for share in self.take(line)]
        earned = sum(amount for value, amount in shares if value.reversal is None)
        own, unearned = self.use_balance(invoice)
        has_money = invoice.amount_paid > 0 or (own > 0 and not unearned)
        reversal = reversal or reversal_under(invoice, shares, has_money=has_money)
        counts = reversal is None and (has_money or (not unearned and needs_no_money(invoice, earned)))
        if invoice.total < 0:
            nobody_paid = -sum(line.net for line in credit_lines) - earned - ROUNDING * len(credit_lines)
            self.unearned_balance += -invoice.total if reversal else min(-invoice.total, max(0.0, nobody_paid))
        if not counts:
            for value, amount in shares:
                value.credited -= amount
        if counts or reversal is not None:
            for line in invoice.lines:
                if line.net > 0 and line.end > line.start:
                    self.paid[self.item_id_of(line)].append(PaidValue(line, reversal))
        return counts, reversal

    def use_balance(self, invoice: Invoice) -> tuple[float, float]:
        """How much of the balance that an invoice used is the customer's own, and how much nobody paid for.

        Such credit counts as used last. There is never more of it than Stripe says there is credit.
        """
        credit = max(0, -invoice.starting_balance)
        self.unearned_balance = min(self.unearned_balance, credit)
        used = min(max(0, invoice.total), credit)
        own = min(used, credit - self.unearned_balance)
        self.unearned_balance -= used - own
        return own, used - own

    def take(self, credit: Line) -> Iterator[tuple[PaidValue, float]]:
        """How much of a credit is for time that had been paid for, and by which line."""
        left = float(-credit.net)
        for value in reversed(self.paid[self.item_id_of(credit)]):
            if left <= 0:
                return
            if value.line.start < credit.end and credit.start < value.line.end:
                share = min(left, value.left(credit.start, credit.end))
                left -= share
                value.credited += share
                yield value, share


class PaidValue:
    """What a paid line is worth over the time that it pays for, less what was credited of it."""

    def __init__(self, line: Line, reversal: Reversal | None) -> None:
        self.line = line
        self.reversal = reversal
        self.credited = 0.0

    def left(self, start: int, end: int) -> float:
        """Its worth between two moments that it overlaps."""
        overlap = min(end, self.line.end) - max(start, self.line.start)
        return max(0.0, self.line.net * overlap / (self.line.end - self.line.start) - self.credited)


def needs_no_money(invoice: Invoice, earned: float) -> bool:
    """Whether an invoice for which no money arrived is proof: nothing was to be paid, or earned credit paid it.

    Stripe also calls one paid that it does not collect, since the sum is below the minimum charge, and one that was
    paid elsewhere; but not what a credit note brought to nothing.
    https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    if 0 < invoice.total <= invoice.credited_before_payment:
        return False
    debits = [line for line in invoice.lines if not line.is_credit]
    billed = sum(line.net for line in debits)
    if billed <= 0 or len(debits) == len(invoice.lines):
        return True
    return earned > 0 and earned + max(0, invoice.total) + ROUNDING * len(invoice.lines) >= billed


def reversal_under(invoice: Invoice, shares: Iterable[tuple[PaidValue, float]], *, has_money: bool) -> Reversal | None:
    """Why the money is gone that an invoice's credit rests on.

    What went back before the invoice was paid is nothing that it rests on, if money came for the invoice itself.
    """
    gone = [value.reversal for value, amount in shares if value.reversal is not None and amount > ROUNDING]
    if has_money:
        gone = [reversal for reversal in gone if reversal.at > (invoice.paid_at or invoice.created)]
    return gone[0] if gone else None
