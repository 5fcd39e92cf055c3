"""Windows of time: how paid time is cut into them, and how what is left of one rolls over. Pure.

All times are Unix seconds, UTC. A month ends on the same day of the next month at the same time of day, or on its last
day where it has no such day; the day is that of the anchor, so that 28 February is followed by 31 March where the
subscription began on a 31st.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

DAY = 86_400
LONGEST_LINE = 20 * 366 * DAY
"""Stripe's longest interval is three years. A line of more is one whose end is not known."""
LAST_MOMENT = 2**37
"""Far from where ``datetime`` ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """A length of time by the calendar: so many months, or so many seconds."""

    months: int = 0
    seconds: int = 0

    def after(self, at: int, times: int, day: int) -> int:
        """The moment that is so many steps later, or earlier where ``times`` is below zero.

        Args:
            day: of the month on which steps of months begin and end.
        """
        return months_after(at, self.months * times, day) if self.months else at + self.seconds * times


STEPS = {"month": Step(months=1), "week": Step(seconds=7 * DAY)}
"""By ``units_every``; a ``period`` is as long as the line that pays for it."""


@dataclass(frozen=True, slots=True)
class Span:
    """One window of time.

    Attributes:
        whole_until: where it would end if it were whole; the last one of a line may be cut short by the line's end.
    """

    start: int
    end: int
    whole_until: int

    def share_covered(self, start: int, end: int) -> Fraction:
        """How much of the whole window the time from ``start`` to ``end`` covers, from 0 to 1."""
        covered = min(end, self.end) - max(start, self.start)
        return Fraction(max(0, covered), self.whole_until - self.start)


class Calendar:
    """On which days of the month the periods of a subscription begin and end.

    Args:
        boundaries: where they are known to begin and end, and the anchor if it is known.
    """

    def __init__(self, boundaries: Iterable[int]) -> None:
        self.days_at: dict[int, set[int]] = defaultdict(set)
        for at in boundaries:
            self.days_at[at % DAY].add(datetime.fromtimestamp(at, UTC).day)

    def day_of(self, at: int) -> int:
        """The anchor's day of the month, for a boundary that a short month may have clamped.

        Only boundaries at the same time of day speak for one another: an anchor that was set anew has its own.
        """
        moment = datetime.fromtimestamp(at, UTC)
        days = (day for day in self.days_at.get(at % DAY, ()) if clamped(day, moment) == moment.day)
        return max(days, default=moment.day)

    def cut(self, start: int, end: int, every: str) -> list[Span]:
        """The time of a line in windows, first to last."""
        if every not in STEPS:
            return [Span(start, end, end)]
        return list(cut_by(STEPS[every], start, end, self.day_of(start)))

    def moved(self, at: int, step: Step, times: int) -> int:
        """The boundary that is so many steps after another."""
        return step.after(at, times, self.day_of(at))


def step_of(start: int, end: int, every: str) -> Step:
    """How long a window is; a period's length is counted in months if it is one of months.

    Args:
        start, end: of the period.
    """
    if every in STEPS:
        return STEPS[every]
    begins, ends = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    months = (ends.year - begins.year) * 12 + ends.month - begins.month
    day = max(begins.day, ends.day)
    is_of_months = clamped(day, begins) == begins.day and months_after(start, months, day) == end
    return Step(months=months) if is_of_months else Step(seconds=end - start)


def cut_by(step: Step, start: int, end: int, day: int) -> Iterator[Span]:
    begins, number = start, 0
    while begins < end:
        number += 1
        whole_until = step.after(start, number, day)
        yield Span(begins, min(whole_until, end), whole_until)
        begins = whole_until


def months_after(at: int, months: int, day: int) -> int:
    moment = datetime.fromtimestamp(at, UTC)
    number = moment.year * 12 + moment.month - 1 + months
    then = moment.replace(day=1, year=number // 12, month=number % 12 + 1)
    return int(then.replace(day=clamped(day, then)).timestamp())


def clamped(day: int, month: datetime) -> int:
    return min(day, monthrange(month.year, month.month)[1])


def is_known(start: int, end: int) -> bool:
    """Whether a line bills a time that can be cut: with a known end, and within what a calendar has."""
    return 0 <= start < end <= min(start + LONGEST_LINE, LAST_MOMENT)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a window grants, in two parts: ``base`` ends with it, ``rolled`` later."""

    base: int
    rolled: int


def split(total: int, rollover: int, *, spent_base: int = 0, spent_rolled: int = 0) -> Parts:
    """What each part of a window grants, so that what was spent of it stays spent.

    Where the window loses units, the part that rolls over is cut only after the other one has no more to lose. Both
    together are the total, or what was spent if that is more.

    Args:
        total: what the window grants.
        rollover: how many of what is left of it may roll over.
        spent_base, spent_rolled: what was used or is reserved of each part.
    """
    kept = max(rollover, spent_rolled)
    base = max(total - kept, spent_base)
    return Parts(base, max(min(kept, total - base), spent_rolled))
