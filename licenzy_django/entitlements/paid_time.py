"""Rights follow money: what of a subscription is paid for, until when, by money that still stands. Pure.

Each item of a subscription has its lines: those that billed it, in the order of their time. What is in force is

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

from licenzy_django.entitlements.funding import BilledLine, billed_lines
from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.stripe.objects.invoice import Invoice, Line
from licenzy_django.stripe.objects.session import Session
from licenzy_django.stripe.objects.subscription import FreeStart, Item, Subscription

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
        free_start: a start for which Stripe made no invoice; None where there was none.
    """

    subscription: Subscription
    invoices: Sequence[Invoice]
    sessions: Sequence[Session]
    payments: Payments
    first_seen: Mapping[tuple[str, int], int]
    free_start: FreeStart | None


class PaidTime:
    """What is in force of each item of a subscription."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.subscription = evidence.subscription
        self.items = {item.id: item for item in self.subscription.items}
        self.item_ids = self.item_ids_by_price()
        confirmed = {session.invoice_id for session in evidence.sessions if session.paid_at is not None} - {""}
        bills = billed_lines(evidence.invoices, evidence.payments, item_id_of=self.item_id_of, confirmed=confirmed)
        bills += [bill for item in self.subscription.items for bill in self.proof_by_session(item)]
        bills += self.free_start()
        self.bills = [within_trial(bill, self.subscription) for bill in sorted(bills, key=lambda bill: bill.line.start)]
        self.debits: dict[str, list[BilledLine]] = defaultdict(list)
        self.credits: dict[str, list[BilledLine]] = defaultdict(list)
        for bill in self.bills:
            (self.credits if bill.line.is_credit else self.debits)[bill.item_id].append(bill)

    def in_force(self) -> list[Coverage | Uncovered]:
        """Of each item that Stripe reports, and of each that a change removed without being paid."""
        reported = [self.of_item(item) for item in self.subscription.items]
        former = [self.of_former_item(item_id) for item_id in self.debits if item_id not in self.items]
        return [*reported, *(coverage for coverage in former if coverage is not None)]

    # --- which item a line bills --------------------------------------------------------------------------------------

    def item_ids_by_price(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        lines = (line for invoice in self.evidence.invoices for line in invoice.lines)
        for item_id, price in [
            *((item.id, item.price) for item in self.subscription.items),
            *((line.item, line.price) for line in lines if line.item),
        ]:
            if item_id not in names[price]:
                names[price].append(item_id)
        return names

    def item_id_of(self, line: Line) -> str:
        """The item of a line. Stripe does not name that of a change in mid-period; the price and the time tell it."""
        if line.item:
            return line.item
        named = self.item_ids.get(line.price, [])
        there = [name for name in named if name not in self.items or (self.items[name].created or 0) <= line.start]
        if there:
            return there[0]
        is_of_the_only_item = line.proration and len(self.subscription.items) == 1 and not named
        return self.subscription.items[0].id if is_of_the_only_item else line.price

    def proof_by_session(self, item: Item) -> Iterable[BilledLine]:
        """A paid session whose invoice is not known yet, as the line it stands for."""
        created, begins, ends = self.subscription.created, item.period_start or 0, item.period_end or FOREVER
        known = {invoice.id for invoice in self.evidence.invoices}
        ends_first = ends if begins <= created + LATE_START else begins
        line = Line(item.id, item.price, item.quantity, 0, 0, created, ends_first, proration=False)
        for session in self.evidence.sessions:
            if session.paid_at is not None and session.invoice_id not in known:
                stand_in = replace(NO_INVOICE, id=session.invoice_id, amount_paid=session.amount_total or 0)
                reversal = self.evidence.payments.reversal_of_invoice(replace(stand_in, currency=session.currency))
                yield BilledLine(item.id, line, counts=reversal is None, reversal=reversal)

    def free_start(self) -> Iterable[BilledLine]:
        """A start without an invoice, as a line for each item that it was for."""
        if (free := self.evidence.free_start) is None:
            return
        for item_id, price, quantity in free.items:
            line = Line(item_id, price, quantity, 0, 0, self.subscription.created, free.until, proration=False)
            yield BilledLine(item_id, line, counts=True)

    # --- what is in force ---------------------------------------------------------------------------------------------

    def of_item(self, reported: Item) -> Coverage | Uncovered:
        item = self.in_newest_period(reported)
        begins, ends = item.period_start or 0, item.period_end or FOREVER
        current = [bill for bill in self.debits[item.id] if bill.line.end > begins and bill.line.start < ends]
        whole = next((bill for bill in reversed(current) if not bill.line.proration), None)
        counting = [bill for bill in current if bill.counts]
        if counting:
            basis, last = counting[-1], current[-1]
            follows = is_for(basis, item) or (not is_for(last, item) and self.is_unbilled_change())
            found = covered(item, basis, follows=follows, reversal=last.reversal)
            if whole is not None and not whole.was_proof and whole.line.start <= basis.line.start:
                # A change was paid, and the renewal under it is not: the paid time ends where the renewal begins.
                return replace(found, is_current=False, ends_at=whole.line.start)
            return found
        if whole is not None and whole.reversal is not None:
            return Uncovered(item, reason_of(current))
        if not self.debits[item.id] and (base := self.base_of_new_item(item)) is not None:
            return covered(item, base, follows=True) if base.counts else Uncovered(item, reason_of([base]))
        return self.continued(item, whole, current)

    def in_newest_period(self, item: Item) -> Item:
        """An item in the period that Stripe reports, unless a line that counts pays for a later one: then in that."""
        wholes = [bill.line for bill in self.debits[item.id] if bill.counts and not bill.line.proration]
        later = [line for line in wholes if line.start >= (item.period_end or FOREVER)]
        return replace(item, period_start=later[-1].start, period_end=later[-1].end) if later else item

    def is_unbilled_change(self) -> bool:
        """Whether Stripe's word about items may be followed: no invoice is under way that could bill the change."""
        latest = self.subscription.latest_invoice
        known = {invoice.id for invoice in self.evidence.invoices}
        return not latest or latest in known

    def base_of_new_item(self, item: Item) -> BilledLine | None:
        """What pays for the time in which an item came that nothing has billed: what the item paid that it replaced, or
        else what the others paid."""
        if not self.is_unbilled_change():
            return None
        moment = max(item.created or 0, item.period_start or 0)
        standing = (debits for item_id, debits in self.debits.items() if not self.is_credited(item_id))
        found = [bill for debits in standing for bill in debits if bill.was_proof and spans(bill.line, moment)]
        return max(found, key=lambda bill: (bill.item_id not in self.items, bill.line.start), default=None)

    def is_credited(self, item_id: str) -> bool:
        """Whether what an item paid was given back as credit when the item was removed."""
        if item_id in self.items:
            return False
        last = self.debits[item_id][-1].line.start
        return any(bill.counts and bill.line.start >= last for bill in self.credits[item_id])

    def continued(self, item: Item, renewal: BilledLine | None, current: Sequence[BilledLine]) -> Coverage | Uncovered:
        """What was in force until the renewal that is not paid yet.

        Args:
            renewal: the line that bills it, where that is known.
            current: this line, and those of changes since.
        """
        begins = item.period_start or 0
        before = [bill for bill in self.paid_before(item, renewal) if bill.line.end <= begins]
        if not before:
            return Uncovered(item, reason_of(current))
        ends_at = max(bill.line.end for bill in before)
        last = [bill for bill in before if bill.line.end == ends_at]
        counting = [bill for bill in last if bill.counts]
        if not counting:
            return Uncovered(item, reason_of(last))
        basis, newest = counting[-1], current[-1] if current else None
        follows = is_for(basis, item) or self.goes_on(item, basis, renewal, newest)
        reversal = newest.reversal if newest is not None else None
        return replace(covered(item, basis, follows=follows, reversal=reversal), is_current=False)

    def paid_before(self, item: Item, renewal: BilledLine | None) -> Iterable[BilledLine]:
        """What an item rests on until its renewal is paid: its own lines, or, where nothing billed it before, the
        others'."""
        own = self.debits[item.id]
        if any(bill is not renewal for bill in own):
            return (bill for bill in own if bill.was_proof)
        if (item.created or 0) >= (item.period_start or 0):
            return ()
        return (bill for bill in self.bills if bill.was_proof and not bill.line.is_credit)

    def goes_on(self, item: Item, basis: BilledLine, renewal: BilledLine | None, newest: BilledLine | None) -> bool:
        """Whether an item that the last paid line does not bill is in force while its renewal is not paid."""
        if newest is not None and newest is not renewal and is_for(newest, item):
            return False
        if renewal is not None and not is_for(renewal, item):
            return self.is_unbilled_change()
        begins, ends_at = item.period_start or 0, basis.line.end
        was_there = self.evidence.first_seen.get((item.price, item.quantity), FOREVER) < begins
        ended_then = (bill for bill in self.debits[item.id] if bill.line.end == ends_at)
        is_refused = any(is_for(bill, item) and not bill.counts for bill in ended_then)
        costs_no_more = renewal is not None and renewal.line.net <= basis.line.net
        return (was_there and not is_refused) or costs_no_more

    def of_former_item(self, item_id: str) -> Coverage | None:
        """An item that Stripe does not report any more stays until its paid end, if what replaced it was billed and has
        not been paid, or its payment went back."""
        counting = [bill for bill in self.debits[item_id] if bill.counts]
        if not counting:
            return None
        basis = counting[-1]
        is_replaced = any(bill.line.start >= basis.line.start for bill in self.credits[item_id])
        if basis.line.net <= 0:
            is_replaced = is_replaced or self.is_followed_by_unpaid_items(basis.line)
        if not is_replaced or self.is_credited(item_id):
            return None
        quantity = 1 if basis.line.quantity is None else basis.line.quantity
        item = Item(item_id, basis.line.price, quantity, basis.line.start, basis.line.start, basis.line.end)
        return covered(item, basis, follows=False)

    def is_followed_by_unpaid_items(self, line: Line) -> bool:
        """Whether items came in the time of a line that cost nothing, were billed, and none of them is paid. Where
        nothing was paid no credit shows that the line's item was replaced."""
        of_items = [debits for debits in self.debits.values() if debits]
        since = [debits for debits in of_items if line.start < debits[0].line.start < line.end]
        return bool(since) and not any(bill.counts for debits in since for bill in debits)


LATE_START = 3600
"""Stripe begins the first period when the subscription is made, give or take."""
NO_INVOICE = Invoice("", "", None, 0, 0, None, 0, 0, 0, 0, ())


def covered(item: Item, basis: BilledLine, *, follows: bool, reversal: Reversal | None = None) -> Coverage:
    """What a line pays for: as Stripe reports the item, or as the line bills it."""
    line = basis.line
    paid_quantity = item.quantity if line.quantity is None else line.quantity
    price, quantity = (item.price, item.quantity) if follows else (line.price, paid_quantity)
    why_not = reversal.reason if reversal is not None else "payment_pending"
    return Coverage(item, price, quantity, line.start, line.end, is_reported=follows, why_not_reported=why_not)


def within_trial(bill: BilledLine, subscription: Subscription) -> BilledLine:
    """A trial ends when Stripe says so, also where its line was made for longer."""
    trial_start, trial_end, line = subscription.trial_start, subscription.trial_end, bill.line
    if trial_start is None or trial_end is None or line.amount or not trial_start <= line.start < trial_end < line.end:
        return bill
    return replace(bill, line=replace(line, end=trial_end))


def is_for(bill: BilledLine, item: Item) -> bool:
    return bill.line.price == item.price and bill.line.quantity in (item.quantity, None)


def spans(line: Line, moment: int) -> bool:
    return line.start <= moment < line.end


def reason_of(bills: Iterable[BilledLine]) -> str:
    """Why none of some lines counts."""
    return max((bill.reversal.reason for bill in bills if bill.reversal is not None), default="payment_pending")


__all__ = ["LATE_START", "Coverage", "Evidence", "PaidTime", "Uncovered"]
