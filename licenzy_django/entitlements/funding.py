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

ROUNDING = 1
"""Stripe rounds each line to the currency's smallest unit."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One line, and what became of its invoice.

    Attributes:
        lane: the subscription item that it bills.
        counts: whether it is proof of money.
        reversal: why the money that had arrived does not count any more.
    """

    lane: str
    line: Line
    counts: bool
    reversal: Reversal | None = None

    @property
    def was_proof(self) -> bool:
        """Whether it is or was proof of money."""
        return self.counts or self.reversal is not None


def bills_of(
    invoices: Iterable[Invoice],
    payments: Payments,
    *,
    lane_of: Callable[[Line], str],
    confirmed: Collection[str] = (),
) -> list[Bill]:
    """Every line of a subscription's invoices, in the order of the time that they bill.

    Args:
        confirmed: ids of invoices that a Checkout session says are paid, or need no payment.
    """
    ledger = CreditLedger(lane_of)
    bills = []
    for invoice in sorted(invoices, key=lambda invoice: (invoice.created, first_start(invoice), invoice.id)):
        counts, reversal = False, None
        if invoice.is_paid or invoice.id in confirmed:
            counts, reversal = ledger.enter(invoice, payments.reversal_of_invoice(invoice))
        lines = [line for line in invoice.lines if not is_for_time_gone_by(line, invoice)]
        bills += [Bill(lane_of(line), line, counts, reversal) for line in lines]
    return sorted(bills, key=lambda bill: bill.line.start)


def is_for_time_gone_by(line: Line, invoice: Invoice) -> bool:
    """A change that the next renewal bills was followed when it was made: its proration gives and takes nothing."""
    return line.proration and line.end <= invoice.created


def first_start(invoice: Invoice) -> int:
    return min((line.start for line in invoice.lines), default=0)


class CreditLedger:
    """What was paid for which time and is not credited yet, and how much of the customer's balance nobody paid for."""

    def __init__(self, lane_of: Callable[[Line], str]) -> None:
        self.lane_of = lane_of
        self.paid: dict[str, list[PaidValue]] = defaultdict(list)
        self.unearned_balance = 0.0

    def enter(self, invoice: Invoice, reversal: Reversal | None) -> tuple[bool, Reversal | None]:
        """Whether an invoice that Stripe calls paid is proof of money, and why its money does not count any more.

        Keeps what later invoices need to know.
        """
        credit_lines = [line for line in invoice.lines if line.net < 0]
        shares = [share for line in credit_lines for share in self.shares(line)]
        earned = sum(amount for value, amount in shares if value.reversal is None)
        reversal = reversal or self.reversal_under(invoice, shares)
        counts = reversal is None and self.is_proof(invoice, earned)
        if invoice.total < 0:
            unearned = -sum(line.net for line in credit_lines) - earned - ROUNDING * len(credit_lines)
            self.unearned_balance += -invoice.total if reversal else min(-invoice.total, max(0.0, unearned))
        if counts:
            for value, amount in shares:
                value.credited += amount
        if counts or reversal is not None:
            for line in invoice.lines:
                if line.net > 0 and line.end > line.start:
                    self.paid[self.lane_of(line)].append(PaidValue(line, reversal))
        return counts, reversal

    def reversal_under(self, invoice: Invoice, shares: Iterable[tuple[PaidValue, float]]) -> Reversal | None:
        """Why the money is gone that an invoice's credit rests on.

        What went back before the invoice was paid is nothing that it rests on, if money came for the invoice itself.
        """
        gone = [value.reversal for value, amount in shares if value.reversal is not None and amount > ROUNDING]
        if invoice.amount_paid > 0:
            gone = [reversal for reversal in gone if reversal.at > (invoice.paid_at or invoice.created)]
        return gone[0] if gone else None

    def is_proof(self, invoice: Invoice, earned: float) -> bool:
        if invoice.amount_paid > 0:
            return True
        if invoice.total > 0:
            from_balance = min(invoice.total, max(0, -invoice.starting_balance))
            is_credited_away = 0 < invoice.total - from_balance <= invoice.credited_before_payment
            return not is_credited_away and not self.use_balance(from_balance, invoice)
        debits = [line for line in invoice.lines if not line.is_credit]
        has_credit = len(debits) < len(invoice.lines)
        billed = sum(line.net for line in debits)
        return not has_credit or not debits or (earned > 0 and earned + ROUNDING * len(invoice.lines) >= billed)

    def use_balance(self, amount: int, invoice: Invoice) -> bool:
        """Whether some of the balance that an invoice used is nobody's money. Such credit counts as used last."""
        own = max(0.0, -invoice.starting_balance - self.unearned_balance)
        unearned = max(0.0, amount - own)
        self.unearned_balance -= unearned
        return unearned > 0

    def shares(self, credit: Line) -> Iterator[tuple[PaidValue, float]]:
        """How much of a credit is for time that had been paid for, and by which line."""
        left = float(-credit.net)
        for value in reversed(self.paid[self.lane_of(credit)]):
            share = min(left, value.left(credit.start, credit.end))
            if share > 0:
                left -= share
                yield value, share


class PaidValue:
    """What a paid line is worth over the time that it pays for, less what was credited of it."""

    def __init__(self, line: Line, reversal: Reversal | None) -> None:
        self.line = line
        self.reversal = reversal
        self.credited = 0.0

    def left(self, start: int, end: int) -> float:
        overlap = max(0, min(end, self.line.end) - max(start, self.line.start))
        return max(0.0, self.line.net * overlap / (self.line.end - self.line.start) - self.credited)
