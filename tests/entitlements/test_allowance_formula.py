"""The formula of the contract, counted day by day, in random histories of one subscription. No database, no simulator.

``floor(Σ ± units × quantity × share of the window that the line covers)`` over the lines whose invoices count; a credit
takes at most what the line gave that it credits. The history knows which one that is; the code has to find it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenzy_django.entitlements.paid_time import Evidence, PaidTime
from licenzy_django.entitlements.terms import Allowance
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice, Line
from tests.entitlements.money import (
    change,
    days,
    disputed,
    evidence,
    invoice,
    item,
    line,
    refunded,
    subscription,
    unpaid,
)
from tests.entitlements.units import gives, windows

pytestmark = pytest.mark.rules

PERIOD = 30
RATES = {"pro": 100, "max": 230, "sms": 70, "plain": 0}
UNITS = {"pro": "credits", "max": "credits", "sms": "sms"}
Given = dict[tuple[str, int], int]
"""Units by kind and by the day on which their window begins."""


@dataclass(frozen=True, slots=True)
class Change:
    """To a price and a quantity, on a day of a period.

    Attributes:
        outcome: ``paid``; ``waits``, so that Stripe keeps the items as they are; or ``owed``, so that they change.
        goes_back: whether the money is refunded or charged back.
    """

    period: int
    day: int
    price: str
    quantity: int
    outcome: str
    goes_back: bool


@dataclass(frozen=True, slots=True)
class Billed:
    """A line as the history knows it; a credit names the line that it credits."""

    invoice_id: str
    line: Line
    credits: Billed | None = None


@dataclass(slots=True)
class World:
    """Stripe's side of one subscription with one item, whose prices cost ten a day for each unit."""

    names_items: bool
    invoices: list[Invoice] = field(default_factory=list)
    back: list[Fact] = field(default_factory=list)
    billed: list[Billed] = field(default_factory=list)
    has: Billed | None = None

    def line(self, price: str, quantity: int, start: int, end: int, **more: Any) -> Line:
        costs = (RATES[price] + 10) * quantity * (end - start)
        build = change if more.get("proration") else line
        return build(costs, start, end, price, quantity, **more)

    def credit(self, start: int) -> Line:
        """Of what the item has, for the rest of its time."""
        assert self.has is not None
        had = self.has.line
        costs = -had.net * (days(had.end) - start) // (days(had.end) - days(had.start))
        name = "si" if self.names_items else ""
        return change(costs, start, days(had.end), had.price, had.quantity or 0, item=name)

    def bill(self, lines: list[Line], *, outcome: str, goes_back: bool, credit: Line | None = None) -> None:
        name = str(len(self.invoices) + 1)
        shown = [*([credit] if credit else []), *lines]
        made = invoice(name, *shown) if outcome == "paid" else unpaid(name, *shown)
        self.invoices.append(made)
        if credit is not None:
            self.billed.append(Billed(name, credit, self.has))
        self.billed += [Billed(name, each) for each in lines]
        if goes_back and made.amount_paid:
            on = (made.created + 1) / 86_400
            self.back += (refunded if made.amount_paid % 20 else disputed)(name, made.amount_paid, on)
        if outcome != "waits":
            self.has = self.billed[-1]

    def renew(self, period: int, *, outcome: str, goes_back: bool) -> None:
        had = self.has.line if self.has is not None else None
        price, quantity = (had.price, had.quantity or 0) if had is not None else ("pro", 2)
        whole = self.line(price, quantity, period * PERIOD, (period + 1) * PERIOD)
        self.bill([whole], outcome=outcome, goes_back=goes_back)

    def change(self, to: Change) -> None:
        start, end = to.period * PERIOD + to.day, (to.period + 1) * PERIOD
        name = "si" if self.names_items else ""
        rest = self.line(to.price, to.quantity, start, end, proration=True, item=name)
        self.bill([rest], outcome=to.outcome, goes_back=to.goes_back, credit=self.credit(start))

    def known(self, order: list[Invoice]) -> Evidence:
        assert self.has is not None
        had = self.has.line
        last = days(had.end)
        of = item(had.price, had.quantity or 0, period=(last - PERIOD, last))
        latest = self.invoices[-1].id
        return evidence(subscription(of, latest=latest, status="past_due"), *order, back=self.back)


def moves(period: int) -> st.SearchStrategy[list[Change]]:
    """At most one change a day, and perhaps several on one."""
    one = st.builds(
        Change,
        st.just(period),
        st.integers(1, PERIOD - 1),
        st.sampled_from(sorted(RATES)),
        st.integers(1, 4),
        st.sampled_from(["paid", "paid", "paid", "waits", "owed"]),
        st.sampled_from([False, False, False, True]),
    )
    return st.lists(one, max_size=4).map(lambda found: sorted(found, key=lambda each: each.day))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(names_items=draw(st.booleans()))
    for period in range(draw(st.integers(1, 3))):
        world.renew(
            period,
            outcome=draw(st.sampled_from(["paid", "paid", "paid", "owed"])),
            goes_back=draw(st.sampled_from([False, False, False, True])),
        )
        for to in draw(moves(period)):
            assert world.has is not None
            if (to.price, to.quantity) != (world.has.line.price, world.has.line.quantity):
                world.change(to)
    return world


def by_the_formula(world: World, standing: set[str], every: str, per: str) -> Given:
    """Day by day: what each standing line gives on a day, times the days of a whole window."""
    length = {"period": PERIOD, "week": 7}[every]
    parts: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for billed in world.billed:
        price = billed.line.price
        if billed.invoice_id not in standing or price not in UNITS:
            continue
        if billed.credits is not None and billed.credits.invoice_id not in standing:
            continue
        counted = 1 if per == "subscription" else billed.line.quantity or 0
        for day in range(days(billed.line.start), days(billed.line.end)):
            window = day - day % PERIOD % length
            sign = -1 if billed.credits is not None else 1
            parts[UNITS[price], window][price] += sign * RATES[price] * counted
    if per == "subscription":
        parts = {
            window: {price: min(units, RATES[price] * length) for price, units in prices.items()}
            for window, prices in parts.items()
        }
    sums = {window: sum(prices.values()) // length for window, prices in parts.items()}
    return {window: units for window, units in sums.items() if units}


def derived(known: Evidence, every: str, per: str) -> Given:
    included: dict[str, Allowance] = {
        price: gives(RATES[price], every, per=per, unit=unit) for price, unit in UNITS.items()
    }
    found = windows(known, included)
    assert not any(window.is_provisional for window in found)
    assert len({(window.unit, window.key) for window in found}) == len(found)
    return {(window.unit, days(window.starts_at)): window.granted for window in found if window.granted}


def standing_in(known: Evidence) -> Iterator[str]:
    return (bill.invoice.id for bill in PaidTime(known).bills if bill.counts and bill.invoice is not None)


@given(
    worlds(),
    st.randoms(use_true_random=False),
    st.sampled_from(["period", "week"]),
    st.sampled_from(["quantity", "subscription"]),
)
def test_windows_grant_what_the_formula_says(world: World, random: Any, every: str, per: str) -> None:
    known = world.known(world.invoices)
    shuffled = random.sample(world.invoices, len(world.invoices))

    expected = by_the_formula(world, set(standing_in(known)), every, per)

    assert derived(known, every, per) == expected
    assert derived(world.known(shuffled), every, per) == expected
