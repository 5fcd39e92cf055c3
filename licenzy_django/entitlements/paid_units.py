"""How many units the lines of a subscription pay for, window by window. Pure. Times are Unix seconds, UTC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from licenzy_django.entitlements.billing_periods import BillingPeriods
from licenzy_django.entitlements.drafts import TRIAL, Claim, Draft, Gift, Included
from licenzy_django.entitlements.funding import BilledLine
from licenzy_django.entitlements.paid_time import PaidTime
from licenzy_django.entitlements.subscription_states import TermsOf
from licenzy_django.entitlements.terms import Allowance
from licenzy_django.entitlements.windows import Span, is_known

AllowanceOf = Callable[[int, int], Allowance | None]
"""What the catalog included with a product at a moment; None for no units."""


@dataclass(slots=True)
class Debit:
    """A line that gives units, by window, and whether they were not given back yet."""

    bill: BilledLine
    included: Included
    gifts: list[Gift] = field(default_factory=list)
    is_open: bool = True

    def may_be_credited_by(self, credit: BilledLine) -> bool:
        mine, theirs = self.bill.line, credit.line
        is_same = (self.bill.item_id, mine.price) == (credit.item_id, theirs.price)
        return is_same and mine.start <= theirs.start < mine.end

    def is_the_one_credited_by(self, credit: BilledLine) -> bool:
        """Whether the line gives back just this one: so Stripe does, and the next change finds another one open."""
        return self.is_open and self.bill.line.quantity == credit.line.quantity and self.may_be_credited_by(credit)


class PaidUnits:
    """The windows of a subscription, with what its lines give and take."""

    def __init__(self, paid_time: PaidTime, terms_of: TermsOf, allowance_of: AllowanceOf) -> None:
        self.items = paid_time.items
        self.subscription = paid_time.subscription
        self.terms_of = terms_of
        self.allowance_of = allowance_of
        self.bills = without_doubles([bill for bill in paid_time.bills if is_known(bill.line.start, bill.line.end)])
        self.periods = BillingPeriods(self.subscription, self.bills)
        self.calendar = self.periods.calendar
        self.drafts: dict[tuple[str, str, int, int], Draft] = {}
        self.debits: list[Debit] = []

    def are_included(self) -> bool:
        """Whether any product that it has or had includes units."""
        billed = {(bill.item_id, bill.line.price, bill.line.start) for bill in self.bills}
        reported = {
            (item.id, item.price, at)
            for item in self.subscription.items
            for at in (item.period_start, item.period_end)
            if at is not None
        }
        return any(self.included(*each) is not None for each in billed | reported)

    def enter_all(self) -> None:
        """Enter every line, batch by batch as they were billed."""
        self.enter_trial(
            [bill for bill in self.bills if self.is_of_trial(bill) and bill.counts and not bill.line.proration]
        )
        batches: dict[int, list[BilledLine]] = defaultdict(list)
        for bill in self.bills:
            if not self.is_of_trial(bill):
                batches[bill.line.start if bill.invoice is None else bill.invoice.created].append(bill)
        for _, batch in sorted(batches.items()):
            self.enter_batch(batch)

    def enter_batch(self, bills: Sequence[BilledLine]) -> None:
        """Enter what was billed at one moment, where lines may credit one another in whatever order they come."""
        waiting: list[BilledLine] = []
        debits: list[BilledLine] = []
        for bill in bills:
            debit = self.open_debit(bill) if bill.line.is_credit or costs_nothing(bill) else None
            if debit is not None:
                self.take(bill, [debit])
            else:
                (waiting if bill.line.is_credit else debits).append(bill)
        for bill in debits:
            self.give(bill)
        for bill in waiting:
            self.take(bill, self.debits_of(bill))

    def is_of_trial(self, bill: BilledLine) -> bool:
        start, end, line = self.subscription.trial_start, self.subscription.trial_end, bill.line
        return start is not None and end is not None and not line.amount and start <= line.start and line.end <= end

    def enter_trial(self, bills: Sequence[BilledLine]) -> None:
        """One window over the whole trial, also where it was extended: each item gives in it once."""
        if not bills:
            return
        start, end = min(bill.line.start for bill in bills), max(bill.line.end for bill in bills)
        most: dict[str, int] = {}
        for bill in sorted(bills, key=self.trial_units, reverse=True):
            included = self.included_by(bill)
            if included is not None and included.terms.trial_units and bill.item_id not in most:
                most[bill.item_id] = self.trial_units(bill)
                self.enter(bill, included, Span(start, end, end), Fraction(most[bill.item_id]), every=TRIAL)

    def trial_units(self, bill: BilledLine) -> int:
        included = self.included_by(bill)
        return 0 if included is None else included.units_of(self.quantity_of(bill), is_trial=True)

    # --- what a line gives --------------------------------------------------------------------------------------------

    def included(self, item_id: str, price: str, at: int) -> Included | None:
        """What the product of a price included at a moment."""
        item = self.items.get(item_id)
        starts = (bill.line.start for bill in self.bills if bill.item_id == item_id)
        made_at = min(starts, default=None) if item is None else item.created
        product = self.terms_of(price, made_at or self.subscription.created)
        terms = None if product is None else self.allowance_of(product.product_id, at)
        return None if product is None or terms is None else Included(product.product_id, terms)

    def included_by(self, bill: BilledLine) -> Included | None:
        return self.included(bill.item_id, bill.line.price, bill.line.start)

    def quantity_of(self, bill: BilledLine) -> int:
        """What an earlier version of ours kept without its quantity bills what there is now."""
        item, billed = self.items.get(bill.item_id), bill.line.quantity
        return billed if billed is not None else 1 if item is None else item.quantity

    def give(self, bill: BilledLine) -> None:
        line, included = bill.line, self.included_by(bill)
        if included is None:
            return
        debit = Debit(bill, included)
        self.debits.append(debit)
        whole = self.periods.around(bill, self.opens_the_same(included.terms)) if line.proration else line
        units = included.units_of(self.quantity_of(bill))
        for span in self.calendar.cut(whole.start, whole.end, included.terms.every):
            if share := span.share_covered(line.start, line.end):
                debit.gifts.append(self.enter(bill, included, span, units * share))

    def opens_the_same(self, terms: Allowance) -> Callable[[BilledLine], bool]:
        """Whether a line opens windows in which these units count too."""

        def is_alike(bill: BilledLine) -> bool:
            other = self.included_by(bill)
            return other is not None and (other.terms.unit, other.terms.every) == (terms.unit, terms.every)

        return is_alike

    def enter(self, bill: BilledLine, included: Included, span: Span, units: Fraction, *, every: str = "") -> Gift:
        """Enter what a line gives in one window; nothing where it is no proof of money."""
        draft = self.draft(included, span, every=every)
        if bill.was_proof:
            draft.claim(Claim.PART if bill.line.proration else Claim.WHOLE, included)
        gift = Gift(span, included, units if bill.counts else Fraction(0))
        draft.gifts.append(gift)
        if bill.counts:
            draft.paid_at = max(bill.paid_at, draft.paid_at or 0)
        return gift

    def draft(self, included: Included, span: Span, *, every: str = "") -> Draft:
        unit, every = included.terms.unit, every or included.terms.every
        return self.drafts.setdefault((unit, every, span.start, span.end), Draft(unit, every, span, included))

    # --- what a credit takes ------------------------------------------------------------------------------------------

    def open_debit(self, credit: BilledLine) -> Debit | None:
        """The line that another one gives back, newest first. Credit of nothing can be for nothing alone."""
        found = (debit for debit in reversed(self.debits) if debit.is_the_one_credited_by(credit))
        return next((debit for debit in found if credit.line.is_credit or debit.bill.line.net <= 0), None)

    def debits_of(self, credit: BilledLine) -> list[Debit]:
        """The line that a credit gives back; where no line is the very one, all that it may be for."""
        exact = self.open_debit(credit)
        return [exact] if exact else [debit for debit in reversed(self.debits) if debit.may_be_credited_by(credit)]

    def take(self, credit: BilledLine, debits: Iterable[Debit]) -> None:
        """Take back what a credit gives back of some lines, at most what they gave in each window."""
        if not credit.counts:
            return
        taken: dict[Span, Fraction] = defaultdict(Fraction)
        for debit in debits:
            debit.is_open = False
            for gift in debit.gifts:
                share = gift.span.share_covered(credit.line.start, credit.line.end)
                wanted = debit.included.units_of(self.quantity_of(credit)) * share - taken[gift.span]
                taking = max(Fraction(0), min(gift.units, wanted))
                gift.units -= taking
                taken[gift.span] += taking


def costs_nothing(bill: BilledLine) -> bool:
    """Whether a change cost nothing: such a line looks the same where it gives back and where it bills."""
    return bill.line.proration and not bill.line.amount


def without_doubles(bills: Sequence[BilledLine]) -> list[BilledLine]:
    """Lines without those that stand for an invoice of which the lines are known, or for the same start again."""
    found: list[BilledLine] = [bill for bill in bills if bill.invoice is not None]
    known = [bill for bill in found if not bill.line.proration and not bill.line.is_credit]
    for bill in sorted((bill for bill in bills if bill.invoice is None), key=lambda bill: bill.counts, reverse=True):
        if not any(is_same_time(bill, other) for other in known):
            found.append(bill)
            known.append(bill)
    return found


def is_same_time(one: BilledLine, other: BilledLine) -> bool:
    overlap = one.line.start < other.line.end and other.line.start < one.line.end
    return one.item_id == other.item_id and overlap
