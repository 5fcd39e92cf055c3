"""Units that come with a subscription: paid lines in, windows of units out. Pure: no clock, no database, no order.

All times are Unix seconds, UTC. Where the contract (section 5, "Allowance") leaves something open, this is what holds:

- Lines of a trial give ``trial_units`` once for each item; they do not roll over, and no window is there provisionally
  after them: nothing was paid yet. Changes during a trial give nothing more; they cost nothing.
- A proration goes by the ``units_every`` of its own product, over the billing period in which it lies. Windows of the
  same unit and bounds are one, so it adds to the window of what it replaces, if both count in the same windows.
- ``units_per`` of ``subscription``: several items of one product give it once.
- ``rollover_units`` is a number for each window, whatever the quantity; that of the product that opened the window.
- A window that any money pays for is never filled up provisionally.
- A line of more than 20 years, or without a known end, gives nothing until its invoice says more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.drafts import Claim, Draft, Gift
from licenzy_django.entitlements.paid_time import Coverage, PaidTime
from licenzy_django.entitlements.paid_units import AllowanceOf, PaidUnits
from licenzy_django.entitlements.subscription_states import TermsOf
from licenzy_django.entitlements.windows import LAST_MOMENT, STEPS, Calendar, Span, split, step_of
from licenzy_django.models.pack import ROLLOVER, is_rollover
from licenzy_django.stripe.objects.subscription import RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Units for a window of time, or the part of them that stays usable after it.

    Attributes:
        product_id: of the line that opened it.
        key: its identity within subscription and unit, the same before and after its money came. A key that was there
            and is not any more is to be treated like one whose ``total`` is 0.
        starts_at, ends_at: the window; of the part that rolls over the later end.
        granted: of this part, if nothing was spent of the window yet; otherwise see ``split``.
        total: of both parts. 0 for one that has lost its money, or that never had any: then it need not be kept.
        rollover: how many units may roll over, 0 where nothing does.
        not_before: None if it began before it was paid, so that a clock that is seconds late does not hold it back.
        available_until: the earlier of its end and of the moment until which the subscription gives access to anything.
        is_on: False where the subscription gives access to nothing.
        is_provisional: whether it is there for the leeway, and its money is not known yet.
    """

    unit: str
    product_id: int
    key: str
    starts_at: int
    ends_at: int
    granted: int
    total: int
    rollover: int
    not_before: int | None
    available_until: int
    is_on: bool
    is_provisional: bool = False

    @property
    def is_rolled_over(self) -> bool:
        return is_rollover(self.key)


def derive_windows(
    paid_time: PaidTime,
    terms_of: TermsOf,
    allowance_of: AllowanceOf,
    states: Sequence[EntitlementState],
    *,
    leeway: int,
) -> list[Window]:
    """The windows of one subscription, each unit's in the order in which they begin.

    Args:
        terms_of: as for ``derive_subscription``.
        allowance_of: what the catalog said of a product at a moment; None where it included no units.
        states: of the subscription, as ``derive_subscription`` gives them.
        leeway: seconds for which the next window is there while its payment is not known yet.
    """
    units = PaidUnits(paid_time, terms_of, allowance_of)
    if not units.are_included():
        return []
    units.enter_all()
    next_ones = NextWindows(paid_time, units, leeway)
    for one in paid_time.in_force():
        if isinstance(one, Coverage):
            next_ones.enter(one)
    access = Access.of(states)
    drafts = sorted((draft for draft in units.drafts.values() if draft.was_there), key=lambda draft: draft.order)
    return [window for draft, key in named(drafts) for window in parts_of(draft, key, units.calendar, access)]


def named(drafts: Iterable[Draft]) -> Iterator[tuple[Draft, str]]:
    """Windows with their keys. Where two begin together and differ in length, the shorter has the plain one."""
    known: set[tuple[str, str]] = set()
    for draft in drafts:
        key = f"{draft.every}:{draft.span.start}"
        yield draft, f"{key}:{draft.span.end}" if (draft.unit, key) in known else key
        known.add((draft.unit, key))


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a subscription gives access to anything, and until when; None for no end."""

    is_on: bool
    until: int | None

    @classmethod
    def of(cls, states: Sequence[EntitlementState]) -> Access:
        ends = [state.available_until for state in states if state.grants_access]
        known = [end for end in ends if end is not None]
        return cls(bool(ends), max(known) if known and len(known) == len(ends) else None)

    def bounded(self, *ends: int | None) -> int:
        return min(end for end in (*ends, self.until) if end is not None)


def parts_of(draft: Draft, key: str, calendar: Calendar, access: Access) -> Iterator[Window]:
    """A window whole, or in two parts where some of it rolls over."""
    span, terms = draft.span, draft.included.terms
    total = draft.total()
    rollover = terms.rollover_units if terms.rollover_windows and not draft.is_trial else 0
    parts = split(total, rollover)
    whole = Window(
        unit=draft.unit,
        product_id=draft.included.product_id,
        key=key,
        starts_at=span.start,
        ends_at=span.end,
        granted=parts.base,
        total=total,
        rollover=rollover,
        not_before=None if draft.began_before_it_was_paid else span.start,
        available_until=access.bounded(span.end, draft.provisional_until),
        is_on=access.is_on,
        is_provisional=draft.provisional_until is not None,
    )
    yield whole
    if rollover:
        length = step_of(span.start, span.end, draft.every)
        ends_at = calendar.moved(span.end, length, terms.rollover_windows)
        until = access.bounded(ends_at, draft.provisional_until)
        yield replace(whole, key=key + ROLLOVER, ends_at=ends_at, granted=parts.rolled, available_until=until)


class NextWindows:
    """The window after the paid time, which is there during the leeway while its payment is not known."""

    def __init__(self, paid_time: PaidTime, units: PaidUnits, leeway: int) -> None:
        self.paid_time = paid_time
        self.subscription = paid_time.subscription
        self.units = units
        self.leeway = leeway

    def enter(self, coverage: Coverage) -> None:
        """Enter the next window of an item, with its units if the leeway gives them and with none otherwise."""
        item, at = coverage.item, coverage.ends_at
        if item.id not in self.paid_time.items or at >= LAST_MOMENT:
            return
        included = self.units.included(item.id, coverage.price, at)
        if included is None or (span := self.span(coverage, included.terms.every)) is None:
            return
        draft = self.units.draft(included, span)
        draft.claim(Claim.NEXT, included)
        if self.is_awaited(coverage) and draft.paid_at is None:
            draft.gifts.append(Gift(span, included, Fraction(included.units_of(coverage.quantity))))
            ends = (at + self.leeway, self.subscription.cancel_at)
            draft.provisional_until = min(end for end in ends if end is not None)

    def is_awaited(self, coverage: Coverage) -> bool:
        """Whether Stripe still means to bill the time after a moment, and nothing says that no money comes."""
        at, subscription = coverage.ends_at, self.subscription
        ends_at = subscription.scheduled_end
        if subscription.status not in RUNNING or (ends_at is not None and ends_at <= at):
            return False
        if subscription.trial_end is not None and at <= subscription.trial_end:
            return False
        later = [bill for bill in self.units.periods.of_item(coverage.item.id) if bill.line.start >= at]
        return not any(bill.is_written_off or bill.reversal is not None for bill in later)

    def span(self, coverage: Coverage, every: str) -> Span | None:
        """The first window of the next period: of the line that bills it if that is known, else as long as the last."""
        at, calendar = coverage.ends_at, self.units.calendar
        billed = [bill.line for bill in self.units.periods.of_item(coverage.item.id) if bill.line.start == at]
        if billed:
            return calendar.cut(at, billed[-1].end, every)[0]
        last = self.units.periods.ending(coverage.item, at)
        if last is None and every not in STEPS:
            return None
        step = STEPS[every] if last is None else step_of(last.start, last.end, every)
        ends_at = calendar.moved(at, step, 1)
        return Span(at, ends_at, ends_at)
