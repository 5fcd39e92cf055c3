"""Rights follow money: what of a subscription is paid for, until when, by money that still stands. Pure.

Each item of a subscription has a lane: the lines that billed it, in the order of their time. What is in force is

1. what Stripe reports, if a line that counts bills just that, or if no line bills it at all (a change without
   proration, or one that the next renewal bills) and the time under it is paid for;
2. otherwise what the latest line that counts bills: a change that was billed and is not paid yet, or whose payment
   went back, leaves the earlier paid time as it was;
3. after the paid time, while the renewal is not paid yet, what was in force before. Stripe's status and the leeway end
   it.

``docs/design.md`` has the argument.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from licenzy_django.entitlements.funding import Bill, bills_of
from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.stripe.objects.invoice import Invoice, Line
from licenzy_django.stripe.objects.session import Session
from licenzy_django.stripe.objects.subscription import Item, Subscription

FOREVER = 2**40


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is in force, by one paid line.

    Attributes:
        starts_at, ends_at: of the line that pays for it.
        is_reported: whether it is what Stripe reports, and not an earlier state that a change has not replaced yet.
        is_current: whether the line pays for the period that Stripe reports, and not for an earlier one.
        why_not_reported: where it is not: why that is not there.
    """

    item: Item
    price: str
    quantity: int
    starts_at: int
    ends_at: int
    is_reported: bool = True
    is_current: bool = True
    why_not_reported: str = "payment_pending"


@dataclass(frozen=True, slots=True)
class Uncovered:
    """An item that nothing pays for, and why."""

    item: Item
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one subscription's money.

    Attributes:
        invoices: those whose lines are known.
        first_seen: when Stripe first reported each price and quantity.
        free_until: the end of a start for which Stripe made no invoice; None where there was none.
    """

    subscription: Subscription
    invoices: Sequence[Invoice]
    sessions: Sequence[Session]
    payments: Payments
    first_seen: Mapping[tuple[str, int], int]
    free_until: int | None


class PaidTime:
    """The lanes of a subscription, and what is in force in each."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.subscription = evidence.subscription
        self.items = {item.id: item for item in self.subscription.items}
        self.lane_names = self.lanes_by_price()
        confirmed = {session.invoice_id for session in evidence.sessions if session.paid_at is not None} - {""}
        bills = bills_of(evidence.invoices, evidence.payments, lane_of=self.lane_of, confirmed=confirmed)
        bills += [bill for item in self.subscription.items for bill in self.proof_without_lines(item)]
        self.bills = [within_trial(bill, self.subscription) for bill in sorted(bills, key=lambda bill: bill.line.start)]
        self.debits: dict[str, list[Bill]] = defaultdict(list)
        self.credits: dict[str, list[Bill]] = defaultdict(list)
        for bill in self.bills:
            (self.credits if bill.line.is_credit else self.debits)[bill.lane].append(bill)

    def in_force(self) -> list[Coverage | Uncovered]:
        """Of each item that Stripe reports, and of each that a change removed without being paid."""
        reported = [self.of_item(item) for item in self.subscription.items]
        former = [self.of_former_item(lane) for lane in self.debits if lane not in self.items]
        return [*reported, *(coverage for coverage in former if coverage is not None)]

    # --- lanes --------------------------------------------------------------------------------------------------------

    def lanes_by_price(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        lines = (line for invoice in self.evidence.invoices for line in invoice.lines)
        for lane, price in [
            *((item.id, item.price) for item in self.subscription.items),
            *((line.item, line.price) for line in lines if line.item),
        ]:
            if lane not in names[price]:
                names[price].append(lane)
        return names

    def lane_of(self, line: Line) -> str:
        """The item of a line. Stripe does not name that of a change in mid-period; the price and the time tell it."""
        if line.item:
            return line.item
        named = self.lane_names.get(line.price, [])
        there = [lane for lane in named if lane not in self.items or (self.items[lane].created or 0) <= line.start]
        if there:
            return there[0]
        return self.subscription.items[0].id if len(self.subscription.items) == 1 and not named else line.price

    def proof_without_lines(self, item: Item) -> Iterable[Bill]:
        """A paid session whose invoice is not known yet, or a start without an invoice, as the line it stands for."""
        created, begins, ends = self.subscription.created, item.period_start or 0, item.period_end or FOREVER
        known = {invoice.id for invoice in self.evidence.invoices}
        ends_first = ends if begins <= created + LATE_START else begins
        line = Line(item.id, item.price, item.quantity, 0, 0, created, ends_first, proration=False)
        for session in self.evidence.sessions:
            if session.paid_at is not None and session.invoice_id not in known:
                stand_in = replace(NO_INVOICE, id=session.invoice_id, amount_paid=session.amount_total or 0)
                reversal = self.evidence.payments.reversal_of_invoice(replace(stand_in, currency=session.currency))
                yield Bill(item.id, line, counts=reversal is None, reversal=reversal)
        if self.evidence.free_until is not None:
            free = replace(line, end=self.evidence.free_until)
            yield Bill(item.id, free, counts=True)

    # --- what is in force ---------------------------------------------------------------------------------------------

    def of_item(self, item: Item) -> Coverage | Uncovered:
        debits = self.debits[item.id]
        begins, ends = self.period_of(item)
        current = [bill for bill in debits if bill.line.end > begins and bill.line.start < ends]
        counting = [bill for bill in current if bill.counts]
        last = current[-1] if current else None
        is_billed = last is not None and is_for(last, item)
        whole = next((bill for bill in reversed(current) if not bill.line.proration), None)
        if counting:
            follows = is_for(counting[-1], item) or (not is_billed and self.is_unbilled_change())
            found = covered(item, counting[-1], follows=follows, reversal=last.reversal if last else None)
            if whole is not None and not whole.was_proof and whole.line.start <= counting[-1].line.start:
                # A change was paid, and the renewal under it is not: the paid time ends where the renewal begins.
                return replace(found, is_current=False, ends_at=whole.line.start)
            return found
        reversed_ones = [bill for bill in current if bill.reversal is not None]
        if reversed_ones:
            return Uncovered(item, reason_of(reversed_ones))
        if not debits and (base := self.base_of_new_item(item)) is not None:
            return covered(item, base, follows=True) if base.counts else Uncovered(item, reason_of([base]))
        if whole is None and current:
            return Uncovered(item, "payment_pending")
        return self.continued(item, whole, begins)

    def period_of(self, item: Item) -> tuple[int, int]:
        """The period that Stripe reports, unless a line that counts pays for a later one: then that."""
        begins, ends = item.period_start or 0, item.period_end or FOREVER
        wholes = [bill.line for bill in self.debits[item.id] if bill.counts and not bill.line.proration]
        later = [line for line in wholes if line.start >= ends]
        return (later[-1].start, later[-1].end) if later else (begins, ends)

    def is_unbilled_change(self) -> bool:
        """Whether Stripe's word about items may be followed: no invoice is under way that could bill the change."""
        latest = self.subscription.latest_invoice
        known = {invoice.id for invoice in self.evidence.invoices}
        return not latest or latest in known

    def base_of_new_item(self, item: Item) -> Bill | None:
        """What pays for the time in which an item came that nothing has billed: what the item paid that it replaced, or
        else what the others paid."""
        if not self.is_unbilled_change():
            return None
        moment = max(item.created or 0, item.period_start or 0)
        lanes = [lane for lane in self.debits if not self.is_credited(lane)]
        found = [bill for lane in lanes for bill in self.debits[lane] if bill.was_proof and spans(bill.line, moment)]
        return max(found, key=lambda bill: (bill.lane not in self.items, bill.line.start), default=None)

    def is_credited(self, lane: str) -> bool:
        """Whether what an item paid was given back as credit when the item was removed."""
        last = max((bill.line.start for bill in self.debits[lane]), default=0)
        return lane not in self.items and any(bill.counts and bill.line.start >= last for bill in self.credits[lane])

    def continued(self, item: Item, renewal: Bill | None, begins: int) -> Coverage | Uncovered:
        """What was in force until the renewal that is not paid yet.

        Args:
            renewal: the line that bills it, where that is known.
        """
        own = self.debits[item.id]
        before = [bill for bill in own if bill.was_proof and bill.line.end <= begins]
        if not before and all(bill is renewal for bill in own):
            before = [
                bill for bill in self.bills if bill.was_proof and not bill.line.is_credit and bill.line.end <= begins
            ]
            before = before if (item.created or 0) < begins else []
        if not before:
            return Uncovered(item, "payment_pending")
        ends_at = max(bill.line.end for bill in before)
        last = [bill for bill in before if bill.line.end == ends_at]
        counting = [bill for bill in last if bill.counts]
        if not counting:
            return Uncovered(item, reason_of(last))
        basis = counting[-1]
        was_there = self.evidence.first_seen.get((item.price, item.quantity), FOREVER) < begins
        is_refused = any(is_for(bill, item) and not bill.counts for bill in own if bill.line.end == ends_at)
        costs_no_more = renewal is not None and renewal.line.net <= basis.line.net
        follows = is_for(basis, item) or (was_there and not is_refused) or costs_no_more
        return replace(covered(item, basis, follows=follows), is_current=False)

    def of_former_item(self, lane: str) -> Coverage | None:
        """An item that Stripe does not report any more stays until its paid end, if what replaced it was billed and has
        not been paid, or its payment went back."""
        counting = [bill for bill in self.debits[lane] if bill.counts]
        if not counting:
            return None
        basis = counting[-1]
        was_billed = any(bill.line.start >= basis.line.start for bill in self.credits[lane])
        if not was_billed or self.is_credited(lane):
            return None
        item = Item(lane, basis.line.price, basis.line.quantity, basis.line.start, basis.line.start, basis.line.end)
        return replace(covered(item, basis, follows=True), is_reported=False)


LATE_START = 3600
"""Stripe begins the first period when the subscription is made, give or take."""
NO_INVOICE = Invoice("", "", None, 0, 0, None, 0, 0, 0, 0, ())


def covered(item: Item, basis: Bill, *, follows: bool, reversal: Reversal | None = None) -> Coverage:
    """What a line pays for: as Stripe reports the item, or as the line bills it."""
    line = basis.line
    price, quantity = (item.price, item.quantity) if follows else (line.price, line.quantity)
    why_not = reversal.reason if reversal is not None else "payment_pending"
    return Coverage(item, price, quantity, line.start, line.end, is_reported=follows, why_not_reported=why_not)


def within_trial(bill: Bill, subscription: Subscription) -> Bill:
    """A trial ends when Stripe says so, also where its line was made for longer."""
    trial_start, trial_end, line = subscription.trial_start, subscription.trial_end, bill.line
    if trial_start is None or trial_end is None or line.amount or not trial_start <= line.start < trial_end < line.end:
        return bill
    return replace(bill, line=replace(line, end=trial_end))


def is_for(bill: Bill, item: Item) -> bool:
    return (bill.line.price, bill.line.quantity) == (item.price, item.quantity)


def spans(line: Line, moment: int) -> bool:
    return line.start <= moment < line.end


def reason_of(bills: Iterable[Bill]) -> str:
    return max(bill.reversal.reason for bill in bills if bill.reversal is not None)


__all__ = ["Coverage", "Evidence", "PaidTime", "Uncovered"]
