"""What rolls over, against a plain model that resets at each boundary. No database, no simulator.

A window is kept in two parts from the start, ``granted - rollover`` to its end and the rest some windows longer, and
what ends first is used first. The plain model keeps one number for each window and, at its end, cuts what is left of it
to the rollover. In which sense they are the same:

- For one more window, exactly: at every moment as many units are left, if the plain model uses what rolled over before
  what is new. Then it is even the same as one balance that is cut to the rollover at each reset, as long as no window
  grants less than may roll over.
- For several, exactly, if the plain model uses first what its next cut would take away (what came longest ago, and of
  the new window what is above the rollover), and then what ends first. Whatever other order it uses, it never has more
  units left than we have, at any moment: to use first what would be lost first keeps the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from licenzy_django.entitlements.windows import split

QUICK, ALL = 2_000, 100_000


@dataclass(frozen=True, slots=True)
class History:
    """What each window grants, and what is asked for in it, one after the other."""

    rollover: int
    more_windows: int
    granted: Sequence[int]
    asked: Sequence[Sequence[int]]


def histories(count: int, more_windows: int | None, *, least: int = 0) -> Iterator[History]:
    """Random ones.

    Args:
        more_windows: for how many windows units roll over; None for one to four.
        least: of what a window grants, in parts of what may roll over: 1 for all of it.
    """
    random = Random(f"{count} {more_windows} {least}")
    for _ in range(count):
        rollover, windows = random.randint(0, 6), random.randint(1, 7)
        yield History(
            rollover,
            more_windows or random.randint(1, 4),
            [random.randint(rollover * least, 10) for _ in range(windows)],
            [[random.randint(1, 9) for _ in range(random.randint(0, 3))] for _ in range(windows)],
        )


class Kept:
    """As we keep it: two parts for each window, by number of the window in which each may be used last."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.parts: list[list[int]] = []

    def begin(self, number: int) -> None:
        both = split(self.history.granted[number], self.history.rollover)
        ends = ((number, both.base), (number + self.history.more_windows, both.rolled))
        self.parts = sorted([part for part in self.parts if part[0] >= number] + [[at, left] for at, left in ends])

    def left(self) -> int:
        return sum(left for _, left in self.parts)

    def use(self, units: int) -> None:
        for part in self.parts:
            taken = min(part[1], units)
            part[1] -= taken
            units -= taken


class Reset:
    """The plain model: what is left of each window, cut at its end to what rolls over.

    Args:
        order: how units are used, by what ends first of what rolled over, and the new window: ``old first``, ``lost
            first`` (what the next cut would take away), ``new first``.
    """

    def __init__(self, history: History, order: str) -> None:
        self.history = history
        self.order = order
        self.now = 0
        self.left_of: dict[int, int] = {}

    def begin(self, number: int) -> None:
        oldest = number - self.history.more_windows
        self.left_of = {
            window: min(left, self.history.rollover) for window, left in self.left_of.items() if window >= oldest
        }
        self.left_of[number] = self.history.granted[number]
        self.now = number

    def left(self) -> int:
        return sum(self.left_of.values())

    def use(self, units: int) -> None:
        for window, keeps in self.turns():
            taken = min(max(0, self.left_of.get(window, 0) - keeps), units)
            if taken:
                self.left_of[window] -= taken
                units -= taken
        assert units == 0

    def turns(self) -> list[tuple[int, int]]:
        """Whose units are used in turn, and down to how many."""
        old, new = [(window, 0) for window in sorted(self.left_of) if window < self.now], (self.now, 0)
        if self.order == "new first":
            return [new, *old]
        if self.order == "old first":
            return [*old, new]
        lost = [(self.now - self.history.more_windows, 0), (self.now, self.history.rollover)]
        return [*lost, *old, new]


class Balance:
    """One number that is cut to the rollover at each reset."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.balance = 0

    def begin(self, number: int) -> None:
        self.balance = min(self.balance, self.history.rollover) + self.history.granted[number]

    def left(self) -> int:
        return self.balance

    def use(self, units: int) -> None:
        self.balance -= units


Model = Kept | Reset | Balance


def play(history: History, *models: Model) -> Iterator[list[int]]:
    """What each has left after every step; what the last one has not enough for is asked of none."""
    for number, asked in enumerate(history.asked):
        for model in models:
            model.begin(number)
        yield [model.left() for model in models]
        for units in asked:
            if units <= models[-1].left():
                for model in models:
                    model.use(units)
            yield [model.left() for model in models]


def for_one_window_it_is_a_reset(count: int) -> None:
    for history in histories(count, 1):
        for kept, plain in play(history, Kept(history), Reset(history, "old first")):
            assert kept == plain, history
    for history in histories(count, 1, least=1):
        for kept, plain in play(history, Kept(history), Balance(history)):
            assert kept == plain, history


def for_several_windows_it_is_the_reset_that_loses_least(count: int) -> None:
    for history in histories(count, None):
        for kept, plain in play(history, Kept(history), Reset(history, "lost first")):
            assert kept == plain, history
    for order in ("old first", "new first"):
        for history in histories(count // 2, None):
            for kept, plain in play(history, Kept(history), Reset(history, order)):
                assert kept >= plain, history


@pytest.mark.rules
def test_units_roll_over_as_by_a_reset() -> None:
    for_one_window_it_is_a_reset(QUICK)


@pytest.mark.rules
def test_units_roll_over_several_windows_as_by_the_reset_that_loses_least() -> None:
    for_several_windows_it_is_the_reset_that_loses_least(QUICK)


@pytest.mark.slow
def test_units_roll_over_as_by_a_reset_in_many_histories() -> None:
    for_one_window_it_is_a_reset(ALL)


@pytest.mark.slow
def test_units_roll_over_several_windows_in_many_histories() -> None:
    for_several_windows_it_is_the_reset_that_loses_least(ALL)


def test_by_hand() -> None:
    """1,000 a month, up to 300 of them for one month more."""
    history = History(300, 1, [1000, 1000, 1000], [[400], [250, 800], [950]])

    found = [left for [left] in play(history, Kept(history))]

    # 600 are left and 300 of them roll over; of these and the next 1,000 250 are used, then 800, and all 250 roll over.
    assert found == [1000, 600, 1300, 1050, 250, 1250, 300]


def test_several_windows_are_not_the_same_as_a_reset_that_uses_the_oldest_first() -> None:
    """What is above the rollover in the new window is lost first: it is used before what rolled over and may stay."""
    history = History(3, 2, [5, 5, 0], [[], [3], []])

    [*_, at_the_end] = play(history, Kept(history), Reset(history, "old first"))

    assert at_the_end == [5, 3]
