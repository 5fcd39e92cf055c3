"""How paid time is cut into windows, and how a window is kept in two parts, as tables. No database, no simulator."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from licenzy_django.entitlements.windows import (
    DAY,
    LAST_MOMENT,
    LONGEST_LINE,
    Calendar,
    Parts,
    Span,
    Step,
    is_known,
    split,
    step_of,
)

pytestmark = pytest.mark.rules


def moment(text: str) -> int:
    """Of ``2026-01-31`` or ``2026-01-31 08:15``, in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def days_of(spans: list[Span]) -> str:
    """Where they begin, and where the last one ends: ``31.1. 28.2. 31.3.``"""
    moments = [datetime.fromtimestamp(at, UTC) for at in [*(span.start for span in spans), spans[-1].end]]
    assert all(one.end == other.start for one, other in itertools.pairwise(spans))
    return " ".join(f"{at.day}.{at.month}." for at in moments)


MONTHS = {
    "from the 31st": ("2026-01-31", "2026-05-31", [], "31.1. 28.2. 31.3. 30.4. 31.5."),
    "from the 30th": ("2026-01-30", "2026-05-30", [], "30.1. 28.2. 30.3. 30.4. 30.5."),
    "from the 31st in a leap year": ("2028-01-31", "2028-04-30", [], "31.1. 29.2. 31.3. 30.4."),
    "from the 29th of a leap day": ("2028-02-29", "2028-04-29", [], "29.2. 29.3. 29.4."),
    "over the turn of the year": ("2026-11-30", "2027-03-30", [], "30.11. 30.12. 30.1. 28.2. 30.3."),
    "from the 28th of February, which was a 31st": (
        "2026-02-28",
        "2026-05-31",
        ["2026-01-31"],
        "28.2. 31.3. 30.4. 31.5.",
    ),
    "from the 28th of February, which was a 30th": (
        "2026-02-28",
        "2026-05-30",
        ["2025-11-30"],
        "28.2. 30.3. 30.4. 30.5.",
    ),
    "from the 28th of February, which was none": ("2026-02-28", "2026-04-28", [], "28.2. 28.3. 28.4."),
    "from the 30th of April, which was a 31st": ("2026-04-30", "2026-07-31", ["2026-01-31"], "30.4. 31.5. 30.6. 31.7."),
    "beside an anchor of another day": ("2026-04-15", "2026-06-15", ["2026-01-31"], "15.4. 15.5. 15.6."),
    "beside an anchor of a later day of a long month": (
        "2026-03-30",
        "2026-05-30",
        ["2026-01-31"],
        "30.3. 30.4. 30.5.",
    ),
    "beside an anchor at another time of day": (
        "2026-02-28",
        "2026-04-28",
        ["2026-01-31 00:01"],
        "28.2. 28.3. 28.4.",
    ),
    "by the latest of several days": ("2026-02-28", "2026-04-30", ["2026-01-29", "2025-11-30"], "28.2. 30.3. 30.4."),
    "with a rest": ("2026-01-31", "2026-03-10", [], "31.1. 28.2. 10.3."),
    "of one second more": ("2026-01-01", "2026-02-01 00:01", [], "1.1. 1.2. 1.2."),
    "of less than one": ("2026-01-01", "2026-01-11", [], "1.1. 11.1."),
}


@pytest.mark.parametrize(("start", "end", "boundaries", "expected"), MONTHS.values(), ids=MONTHS.keys())
def test_months_end_on_the_anchors_day(start: str, end: str, boundaries: list[str], expected: str) -> None:
    begins, ends = moment(start), moment(end)
    calendar = Calendar([begins, *map(moment, boundaries)])

    assert days_of(calendar.cut(begins, ends, "month")) == expected


def test_a_year_has_twelve_windows_of_a_month_at_the_same_time_of_day() -> None:
    start, end = moment("2026-01-31 08:15"), moment("2027-01-31 08:15")

    spans = Calendar([start, end]).cut(start, end, "month")

    assert len(spans) == 12
    assert {span.start % DAY for span in spans} == {8 * 3600 + 15 * 60}
    assert all(span.end == span.whole_until for span in spans)
    assert Calendar([]).cut(start, end, "period") == [Span(start, end, end)]


def test_weeks_have_seven_days_and_the_last_may_be_cut_short() -> None:
    spans = Calendar([]).cut(0, 30 * DAY, "week")

    assert [(span.start // DAY, span.end // DAY, span.whole_until // DAY) for span in spans] == [
        (0, 7, 7),
        (7, 14, 14),
        (14, 21, 21),
        (21, 28, 28),
        (28, 30, 35),
    ]
    assert spans[-1].share_covered(0, 90 * DAY) == Fraction(2, 7)


SHARES = {
    "the whole": (10, 40, Fraction(1)),
    "more than the whole": (0, 90, Fraction(1)),
    "the first half": (0, 25, Fraction(1, 2)),
    "the last day": (39, 50, Fraction(1, 30)),
    "what lies before": (0, 10, 0),
    "what lies after": (40, 50, 0),
    "what lies far after": (60, 90, 0),
}


@pytest.mark.parametrize(("start", "end", "share"), SHARES.values(), ids=SHARES.keys())
def test_how_much_of_a_window_some_time_covers(start: int, end: int, share: Fraction) -> None:
    assert Span(10, 40, 40).share_covered(start, end) == share


STEPS = {
    "a month": ("2026-01-15", "2026-02-15", "period", Step(months=1)),
    "a month of a 31st": ("2026-01-31", "2026-02-28", "period", Step(months=1)),
    "a month up to a 31st": ("2026-02-28", "2026-03-31", "period", Step(months=1)),
    "a month between short months' ends": ("2026-02-28", "2026-03-28", "period", Step(months=1)),
    "a quarter": ("2025-11-30", "2026-02-28", "period", Step(months=3)),
    "a year": ("2026-01-31", "2027-01-31", "period", Step(months=12)),
    "two weeks": ("2026-01-31", "2026-02-14", "period", Step(seconds=14 * DAY)),
    "a day less than a month": ("2026-01-15", "2026-02-14", "period", Step(seconds=30 * DAY)),
    "a day up to a month's end": ("2026-01-30", "2026-02-28", "period", Step(months=1)),
    "up to a day that the start's month has too": ("2026-01-28", "2026-02-27", "period", Step(seconds=30 * DAY)),
    "from a day that was not clamped": ("2026-01-15", "2026-02-16", "period", Step(seconds=32 * DAY)),
    "within a month": ("2026-01-01", "2026-01-31", "period", Step(seconds=30 * DAY)),
    "a month of a year": ("2026-01-31", "2027-01-31", "month", Step(months=1)),
    "a week of a year": ("2026-01-31", "2027-01-31", "week", Step(seconds=7 * DAY)),
}


@pytest.mark.parametrize(("start", "end", "every", "expected"), STEPS.values(), ids=STEPS.keys())
def test_how_long_a_window_is(start: str, end: str, every: str, expected: Step) -> None:
    assert step_of(moment(start), moment(end), every) == expected


def test_a_boundary_moves_by_the_calendar_to_and_fro() -> None:
    calendar = Calendar([moment("2026-01-31")])

    assert calendar.moved(moment("2026-02-28"), Step(months=1), 1) == moment("2026-03-31")
    assert calendar.moved(moment("2026-02-28"), Step(months=1), -1) == moment("2026-01-31")
    assert calendar.moved(moment("2026-01-31"), Step(months=1), -1) == moment("2025-12-31")
    assert calendar.moved(moment("2026-01-31"), Step(months=1), 11) == moment("2026-12-31")
    assert calendar.moved(moment("2026-01-31"), Step(seconds=7 * DAY), 2) == moment("2026-02-14")


KNOWN = {
    "a month": (0, 30 * DAY, True),
    "nothing": (5, 5, False),
    "backwards": (5, 4, False),
    "before all time": (-1, 4, False),
    "twenty years": (0, LONGEST_LINE, True),
    "more": (0, LONGEST_LINE + 1, False),
    "up to the last moment": (LAST_MOMENT - 5, LAST_MOMENT, True),
    "after it": (LAST_MOMENT - 5, LAST_MOMENT + 1, False),
}


@pytest.mark.parametrize(("start", "end", "expected"), KNOWN.values(), ids=KNOWN.keys())
def test_which_time_can_be_cut(start: int, end: int, expected: bool) -> None:
    assert is_known(start, end) is expected


SPLITS = {
    "nothing rolls over": (split(1000, 0), (1000, 0)),
    "a part rolls over": (split(1000, 300), (700, 300)),
    "all rolls over": (split(1000, 1000), (0, 1000)),
    "less than may roll over": (split(200, 300), (0, 200)),
    "none": (split(0, 300), (0, 0)),
    "some of it spent": (split(1000, 300, spent_base=600), (700, 300)),
    "more was spent than stays": (split(500, 300, spent_base=600), (600, 0)),
    "as much was spent as stays": (split(600, 300, spent_base=600), (600, 0)),
    "the rest rolls over": (split(700, 300, spent_base=600), (600, 100)),
    "all voided": (split(0, 300, spent_base=600, spent_rolled=100), (600, 100)),
    "what rolled over was spent": (split(300, 300, spent_base=700, spent_rolled=300), (700, 300)),
    "what rolled over was spent first": (split(500, 300, spent_rolled=300), (200, 300)),
    "more was spent of it than may roll over now": (split(500, 100, spent_rolled=300), (200, 300)),
    "more was spent of it than is left": (split(200, 100, spent_base=50, spent_rolled=300), (50, 300)),
}


@pytest.mark.parametrize(("found", "expected"), SPLITS.values(), ids=SPLITS.keys())
def test_the_two_parts_of_a_window(found: Parts, expected: tuple[int, int]) -> None:
    assert (found.base, found.rolled) == expected


def test_the_parts_keep_what_was_spent_and_never_add_up_to_more() -> None:
    some = (0, 1, 2, 5, 7)
    for total in some:
        for rollover in some:
            for base in some:
                for rolled in some:
                    found = split(total, rollover, spent_base=base, spent_rolled=rolled)
                    assert found.base >= base
                    assert found.rolled >= rolled
                    assert found.base + found.rolled == max(total, base + rolled)
