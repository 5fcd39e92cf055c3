"""In which whole billing period a line lies. Pure. Times are Unix seconds, UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from licenzy_django.entitlements.funding import BilledLine
from licenzy_django.entitlements.windows import DAY, LAST_MOMENT, Calendar, Span, Step
from licenzy_django.stripe.objects.subscription import Item, Subscription

INTERVALS = {"day": Step(seconds=DAY), "week": Step(seconds=7 * DAY), "month": Step(months=1), "year": Step(months=12)}
"""https://docs.stripe.com/api/prices/object#price_object-recurring-interval"""


class BillingPeriods:
    """The billing periods of a subscription, as far as its lines and items tell them."""

    def __init__(self, subscription: Subscription, bills: Sequence[BilledLine]) -> None:
        self.items = {item.id: item for item in subscription.items}
        self.wholes = [bill for bill in bills if not bill.line.proration and not bill.line.is_credit]
        known = {at for bill in self.wholes for at in (bill.line.start, bill.line.end)}
        anchor = subscription.anchor
        self.calendar = Calendar(known if anchor is None or not 0 <= anchor < LAST_MOMENT else known | {anchor})

    def of_item(self, item_id: str) -> list[BilledLine]:
        return [bill for bill in self.wholes if bill.item_id == item_id]

    def around(self, bill: BilledLine, is_alike: Callable[[BilledLine], bool]) -> Span:
        """The period of a proration: of a whole line of its item, else of one that ends with it, else of one alike."""
        line = bill.line

        def likeness(each: BilledLine) -> tuple[bool, bool, bool, int]:
            return (each.item_id == bill.item_id, each.line.end == line.end, is_alike(each), each.line.start)

        found = [each for each in self.wholes if each.line.start <= line.start and line.end <= each.line.end]
        best = max(found, key=likeness, default=None)
        return self.reported_around(bill) if best is None else Span(best.line.start, best.line.end, best.line.end)

    def reported_around(self, bill: BilledLine) -> Span:
        """The period of a line for which no whole line is known: by its price's interval, else as Stripe reports it."""
        line, item = bill.line, self.items.get(bill.item_id)
        if item is None:
            return Span(line.start, line.end, line.end)
        begins, ends = item.period_start, item.period_end
        if item.price == line.price and item.interval in INTERVALS:
            start = self.calendar.moved(line.end, INTERVALS[item.interval], -item.interval_count)
            return Span(min(start, line.start), line.end, line.end)
        if begins is not None and ends is not None and begins <= line.start and line.end <= ends:
            return Span(begins, ends, ends)
        return Span(line.start, line.end, line.end)

    def ending(self, item: Item, at: int) -> Span | None:
        """The whole period of an item, or of another one, that ends at a moment; None if it is not known."""
        ended = [each for each in self.wholes if each.line.end == at]
        if ended:
            last = max(ended, key=lambda each: (each.item_id == item.id, each.line.start)).line
            return Span(last.start, at, at)
        if item.interval in INTERVALS:
            return Span(self.calendar.moved(at, INTERVALS[item.interval], -item.interval_count), at, at)
        return None
