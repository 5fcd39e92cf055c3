"""Contract section 5, "Allowance": which windows of units the lines of a subscription pay for, as tables.

PRO includes 1,000 credits for a period and MAX 2,000, the yearly plan 1,000 a month; seats include what a table says.
Days are counted from 1 January 1970; a period has thirty of them unless a table says otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from licenzy_django.entitlements.paid_time import Evidence
from licenzy_django.stripe.objects.invoice import Invoice
from tests.entitlements.money import (
    DAY,
    change,
    disputed,
    evidence,
    invoice,
    item,
    line,
    refunded,
    session,
    subscription,
    unpaid,
)
from tests.entitlements.units import USUAL, Included, gives, in_words, windows

pytestmark = pytest.mark.rules


def paid(*invoices: Invoice, of: Any = None, **more: Any) -> Evidence:
    """Of an item (PRO unless named) that is to end with its period, so that no window comes next."""
    items = of if isinstance(of, list) else [of or item()]
    ends = max(each.period_end or 0 for each in items) / DAY
    known = {name: more.pop(name) for name in ("status", "trial", "created") if name in more}
    latest = invoices[-1].id if invoices else ""
    return evidence(subscription(*items, latest=latest, **{"cancel_at": ends} | known), *invoices, **more)


def given(known: Evidence, included: Included | None = None) -> list[str]:
    """Of windows that any money pays for."""
    return [window for window in in_words(windows(known, included)) if not window.endswith(": 0")]


def swap(day: float, old: str, new: str, *, name: str = "2", end: float = 30, **more: Any) -> Invoice:
    """A change from one price to another for the rest of the period, invoiced at once."""
    before = change(-1000, day, end, old, more.pop("before", 1))
    after = change(2000, day, end, new, more.pop("after", 1))
    return invoice(name, before, after, on=more.pop("on", day), **more)


PAID = invoice("1", line())
UP = swap(15, "pro", "max")
MAX = item("max")
YEAR_ITEM = item("year", period=(15, 380))
TO_A_YEAR = invoice("2", change(-500, 15, price="pro"), line(9000, 15, 380, "year"), on=15)
SEATS: Included = {"pro": gives(100)}
FIVE = invoice("1", line(5000, quantity=5))


def seats(day: float, before: int, after: int, *, name: str = "2", **more: Any) -> Invoice:
    return swap(day, "pro", "pro", name=name, before=before, after=after, **more)


CHANGES: dict[str, tuple[Evidence, Included, list[str]]] = {
    "a month": (paid(PAID), USUAL, ["0-30: 1000"]),
    "two months": (
        paid(PAID, invoice("2", line(start=30, end=60)), of=item(period=(30, 60))),
        USUAL,
        ["0-30: 1000", "30-60: 1000"],
    ),
    "unpaid": (paid(unpaid("1", line())), USUAL, []),
    "PRO to MAX on day 15": (paid(PAID, UP, of=MAX), USUAL, ["0-30: 1500"]),
    "PRO to MAX on day 29": (paid(PAID, swap(29, "pro", "max"), of=MAX), USUAL, ["0-30: 1033"]),
    "PRO to MAX on day 15, not paid": (paid(PAID, swap(15, "pro", "max", paid=None), of=MAX), USUAL, ["0-30: 1000"]),
    "up and down again": (paid(PAID, swap(10, "pro", "max"), swap(20, "max", "pro", name="3")), USUAL, ["0-30: 1333"]),
    "up and down and up": (
        paid(PAID, swap(10, "pro", "max"), swap(16, "max", "pro", name="3"), swap(22, "pro", "max", name="4"), of=MAX),
        USUAL,
        ["0-30: 1466"],
    ),
    "up and down in one moment": (
        paid(PAID, swap(15, "pro", "max", name="z"), swap(15, "max", "pro", name="a")),
        USUAL,
        ["0-30: 1000"],
    ),
    "up and down and up in one moment": (
        paid(
            PAID,
            swap(15, "pro", "max", name="z"),
            swap(15, "max", "pro", name="a"),
            swap(15, "pro", "max", name="m"),
            of=MAX,
        ),
        USUAL,
        ["0-30: 1500"],
    ),
    "month to year on day 15": (
        paid(PAID, TO_A_YEAR, of=YEAR_ITEM),
        {"pro": gives(1000), "year": gives(1000)},
        ["0-30: 500", "15-380: 1000"],
    ),
    "down to a smaller plan": (paid(invoice("1", line(price="max")), swap(15, "max", "pro")), USUAL, ["0-30: 1500"]),
    "a plan without units": (paid(invoice("1", line(price="plain")), of=item("plain")), USUAL, []),
    "from a plan without units": (
        paid(invoice("1", line(price="plain")), swap(20, "plain", "pro")),
        USUAL,
        ["0-30: 333"],
    ),
    "to a plan without units": (paid(PAID, swap(20, "pro", "plain"), of=item("plain")), USUAL, ["0-30: 666"]),
    "to a price that nobody knows": (paid(PAID, swap(20, "pro", "strange"), of=item("strange")), USUAL, ["0-30: 666"]),
    "five seats": (paid(FIVE, of=item(quantity=5)), SEATS, ["0-30: 500"]),
    "five seats, once for the subscription": (
        paid(FIVE, of=item(quantity=5)),
        {"pro": gives(100, per="subscription")},
        ["0-30: 100"],
    ),
    "5 to 8 seats on day 15": (paid(FIVE, seats(15, 5, 8), of=item(quantity=8)), SEATS, ["0-30: 650"]),
    "5 to 8 seats, once for the subscription": (
        paid(FIVE, seats(15, 5, 8), of=item(quantity=8)),
        {"pro": gives(100, per="subscription")},
        ["0-30: 100"],
    ),
    "5 to 100 seats, not paid": (
        paid(FIVE, seats(15, 5, 100, paid=None), of=item(quantity=100)),
        SEATS,
        ["0-30: 500"],
    ),
    "5 to 8 to 5 seats": (
        paid(FIVE, seats(10, 5, 8), seats(20, 8, 5, name="3"), of=item(quantity=5)),
        SEATS,
        ["0-30: 600"],
    ),
    "5 to 8 to 5 to 8 seats in one moment": (
        paid(
            FIVE,
            seats(10, 5, 8, name="z"),
            seats(10, 8, 5, name="a"),
            seats(10, 5, 8, name="m"),
            of=item(quantity=8),
        ),
        SEATS,
        ["0-30: 700"],
    ),
    "more seats that no invoice bills": (paid(FIVE, of=item(quantity=8)), SEATS, ["0-30: 500"]),
    "more seats, billed by the renewal": (
        paid(
            FIVE,
            invoice("2", change(-500, 15, 30, "pro", 5), change(800, 15, 30, "pro", 8), line(8000, 30, 60, quantity=8)),
            of=item(quantity=8, period=(30, 60)),
        ),
        SEATS,
        ["0-30: 500", "30-60: 800"],
    ),
    "a proration of one third": (
        paid(PAID, invoice("2", change(100, 20, price="more", item="si_2"))),
        USUAL | {"more": gives(90)},
        ["0-30: 1030"],
    ),
    "an item that came in mid-period, of another unit": (
        paid(PAID, invoice("2", change(100, 20, price="sms", item="si_2"))),
        USUAL | {"sms": gives(90, unit="sms")},
        ["0-30: 1000", "0-30: 30"],
    ),
    "two items of one unit": (
        paid(invoice("1", line(), line(price="more", item="si_2")), of=[item(), item("more", name="si_2")]),
        USUAL | {"more": gives(90)},
        ["0-30: 1090"],
    ),
    "two items of one product, each by its quantity": (
        paid(invoice("1", line(), line(item="si_2")), of=[item(), item(name="si_2")]),
        USUAL,
        ["0-30: 2000"],
    ),
    "two items of one product, once for the subscription": (
        paid(invoice("1", line(), line(item="si_2")), of=[item(), item(name="si_2")]),
        {"pro": gives(1000, per="subscription")},
        ["0-30: 1000"],
    ),
    "two items of two products, each once for the subscription": (
        paid(invoice("1", line(), line(price="max", item="si_2")), of=[item(), item("max", name="si_2")]),
        {"pro": gives(1000, per="subscription"), "max": gives(2000, per="subscription")},
        ["0-30: 3000"],
    ),
    "an item that came in mid-period, beside a year and a month": (
        paid(
            invoice("1", line(9000, 0, 365, "max", item="si_3"), line(price="plain")),
            invoice("2", change(100, 20, price="more", item="si_2")),
            of=[item("plain"), item("max", name="si_3", period=(0, 365)), item("more", name="si_2")],
        ),
        USUAL | {"more": gives(90)},
        ["0-30: 30", "0-365: 2000"],
    ),
    "an item that came in mid-period, beside two that end together": (
        paid(
            invoice("1", line()),
            invoice("2", line(500, 10, 30, "plain", item="si_3")),
            invoice("3", change(100, 20, price="more", item="si_2")),
            of=[item(), item("plain", name="si_3"), item("more", name="si_2")],
        ),
        USUAL | {"more": gives(90)},
        ["0-30: 1030"],
    ),
    "two items whose periods differ": (
        paid(
            invoice("1", line(), line(9000, 0, 365, "year", item="si_2")),
            of=[item(), item("year", name="si_2", period=(0, 365))],
        ),
        {"pro": gives(1000), "year": gives(12000)},
        ["0-30: 1000", "0-365: 12000"],
    ),
}


@pytest.mark.parametrize(("known", "included", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_what_the_lines_pay_for(known: Evidence, included: Included, expected: list[str]) -> None:
    assert given(known, included) == expected
    assert given(replace(known, invoices=known.invoices[::-1]), included) == expected
    assert given(replace(known, invoices=[*known.invoices]), included) == expected


def test_a_change_of_the_plan_is_no_second_window() -> None:
    before, _ = windows(paid(PAID))
    after, _ = windows(paid(PAID, UP, of=MAX))

    assert (before.key, before.product_id, before.granted) == (after.key, after.product_id, 1000)
    assert (after.granted, after.total, after.key) == (1500, 1500, "period:0")


def test_a_change_to_a_year_opens_a_window_at_once() -> None:
    found = given(paid(PAID, TO_A_YEAR, of=YEAR_ITEM))

    assert found[:2] == ["0-30: 500", "15-46: 1000"]
    assert len(found) == 13


def test_a_yearly_plan_has_twelve_windows_from_the_first_day() -> None:
    *found, _ = windows(paid(invoice("1", line(9000, 0, 365, "year")), of=item("year", period=(0, 365))))

    assert [window.granted for window in found] == [1000] * 12
    assert [window.not_before for window in found] == [None, *(window.starts_at for window in found[1:])]
    assert [window.ends_at for window in found[:-1]] == [window.starts_at for window in found[1:]]
    assert {window.product_id for window in found} == {5}


BY_EVERY: dict[str, tuple[Evidence, Included, list[str]]] = {
    "weeks of thirty days": (
        paid(PAID),
        {"pro": gives(70, "week")},
        ["0-7: 70", "7-14: 70", "14-21: 70", "21-28: 70", "28-30: 20"],
    ),
    "a month that the line does not fill": (paid(PAID), {"pro": gives(3100, "month")}, ["0-30: 3000"]),
    "an upgrade in weeks": (
        paid(PAID, UP, of=MAX),
        {"pro": gives(70, "week"), "max": gives(140, "week")},
        ["0-7: 70", "7-14: 70", "14-21: 130", "21-28: 140", "28-30: 40"],
    ),
    "an upgrade to a plan that counts in weeks": (
        paid(PAID, UP, of=MAX),
        {"pro": gives(1000), "max": gives(70, "week")},
        ["0-30: 500", "14-21: 60", "21-28: 70", "28-30: 20"],
    ),
    "an upgrade in the midst of a year": (
        paid(
            invoice("1", line(9000, 0, 365, "year")),
            swap(45, "year", "max", end=365),
            of=item("max", period=(0, 365)),
        ),
        {"year": gives(31, "month"), "max": gives(31 * 28, "month")},
        # From 1 February: 14 of 28 days of the one, 14 of the other.
        ["0-31: 31", "31-59: 449", *(f"{a}-{b}: 868" for a, b in [(59, 90), (90, 120), (120, 151), (151, 181)]),
         *(f"{a}-{b}: 868" for a, b in [(181, 212), (212, 243), (243, 273), (273, 304), (304, 334), (334, 365)])],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "included", "expected"), BY_EVERY.values(), ids=BY_EVERY.keys())
def test_windows_shorter_than_the_line(known: Evidence, included: Included, expected: list[str]) -> None:
    assert given(known, included) == expected


MONTHLY = {"interval": "month"}
STUB = invoice("1", change(333, 20, 30, "pro"), on=20)
IN_PARTS: dict[str, tuple[Evidence, list[str]]] = {
    "ten days until the anchor, by the interval": (
        paid(STUB, of=replace(item(period=(20, 30)), interval="day", interval_count=30)),
        ["0-30: 333"],
    ),
    "ten days until the anchor, by two intervals": (
        paid(STUB, of=replace(item(period=(20, 30)), interval="day", interval_count=50)),
        ["-20-30: 200"],
    ),
    "ten days of January, billed by the month": (
        paid(STUB, of=replace(item(period=(20, 30)), **MONTHLY)),
        ["-1-30: 322"],
    ),
    "by a shorter interval than the line": (
        paid(STUB, of=replace(item(period=(20, 30)), interval="week")),
        ["20-30: 1000"],
    ),
    "an interval of another price": (
        paid(invoice("1", change(333, 20, 30, "max"), on=20), of=replace(item(period=(0, 30)), **MONTHLY)),
        ["0-30: 666"],
    ),
    "without an interval, in the period that Stripe reports": (paid(STUB), ["0-30: 333"]),
    "up to the period's end": (paid(STUB, of=item(period=(20, 30))), ["20-30: 1000"]),
    "before the period that Stripe reports": (paid(STUB, of=item(period=(21, 60))), ["20-30: 1000"]),
    "beyond the period that Stripe reports": (paid(STUB, of=item(period=(0, 29))), ["20-30: 1000"]),
    "an unknown period": (paid(STUB, of=item(period=(None, None))), ["20-30: 1000"]),
    "an item that is gone": (paid(invoice("1", change(333, 20, 30, "pro", item="si_9"), on=20)), ["20-30: 1000"]),
}


@pytest.mark.parametrize(("known", "expected"), IN_PARTS.values(), ids=IN_PARTS.keys())
def test_a_proration_that_no_window_is_there_for(known: Evidence, expected: list[str]) -> None:
    assert given(known) == expected


UP_PAID = [PAID, swap(15, "pro", "max", money=1000)]
WENT_BACK: dict[str, tuple[Evidence, list[str]]] = {
    "the month": (paid(PAID, back=refunded("1", 1000, 5)), ["0-30: 0"]),
    "a part of the month": (paid(PAID, back=refunded("1", 999, 5)), ["0-30: 1000"]),
    "the upgrade": (paid(*UP_PAID, of=MAX, back=refunded("2", 1000, 20)), ["0-30: 1000"]),
    "the month under an upgrade": (paid(*UP_PAID, of=MAX, back=refunded("1", 1000, 20)), ["0-30: 0"]),
    "the month before an upgrade": (paid(*UP_PAID, of=MAX, back=refunded("1", 1000, 10)), ["0-30: 1000"]),
    "more seats after the month was refunded": (
        paid(
            invoice("1", line(1000, quantity=5)),
            invoice("2", change(-500, 15, price="pro", quantity=5), change(800, 15, price="pro", quantity=8)),
            of=item(quantity=8),
            back=refunded("1", 1000, 10),
        ),
        ["0-30: 4000"],
    ),
    "the month, lost": (paid(PAID, back=disputed("1", 1000, 5)), ["0-30: 0"]),
    "the first of two months": (
        paid(PAID, invoice("2", line(start=30, end=60)), of=item(period=(30, 60)), back=refunded("1", 1000, 40)),
        ["0-30: 0", "30-60: 1000"],
    ),
}


@pytest.mark.parametrize(("known", "expected"), WENT_BACK.values(), ids=WENT_BACK.keys())
def test_money_that_went_back_takes_what_it_gave_and_nothing_else(known: Evidence, expected: list[str]) -> None:
    found = [window for window in windows(known) if window.starts_at < (known.subscription.cancel_at or 0)]

    assert in_words(found) == expected


def test_a_dispute_that_was_won_gives_the_units_back() -> None:
    lost = disputed("1", 1000, 5)
    won = [lost[0], replace(lost[1], state=lost[1].state | {"status": "won"})]

    assert given(paid(PAID, back=lost)) == []
    assert given(paid(PAID, back=won)) == ["0-30: 1000"]


def test_a_year_that_is_refunded_loses_all_its_windows() -> None:
    year = paid(
        invoice("1", line(9000, 0, 365, "year")),
        of=item("year", period=(0, 365)),
        back=refunded("1", 9000, 100),
    )

    assert [window.granted for window in windows(year)] == [0] * 12


TRIAL = invoice("1", line(0, 0, 14))
TRIALS: dict[str, tuple[Evidence, Included, list[str]]] = {
    "no units": (paid(TRIAL, trial=(0, 14)), USUAL, []),
    "units": (paid(TRIAL, trial=(0, 14)), {"pro": gives(1000, trial_units=50)}, ["0-14: 50"]),
    "units by week": (paid(TRIAL, trial=(0, 14)), {"pro": gives(70, "week", trial_units=50)}, ["0-14: 50"]),
    "three seats": (
        paid(invoice("1", line(0, 0, 14, quantity=3)), of=item(quantity=3), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50)},
        ["0-14: 150"],
    ),
    "three seats, once for the subscription": (
        paid(invoice("1", line(0, 0, 14, quantity=3)), of=item(quantity=3), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50, per="subscription")},
        ["0-14: 50"],
    ),
    "two items of one product, once for the subscription": (
        paid(
            invoice("1", line(0, 0, 14), line(0, 0, 14, item="si_2")),
            of=[item(), item(name="si_2")],
            trial=(0, 14),
        ),
        {"pro": gives(1000, trial_units=50, per="subscription")},
        ["0-14: 50"],
    ),
    "ended early": (paid(TRIAL, trial=(0, 10)), {"pro": gives(1000, trial_units=50)}, ["0-10: 50"]),
    "extended": (
        paid(TRIAL, invoice("2", line(0, 10, 28)), trial=(0, 28)),
        {"pro": gives(1000, trial_units=50)},
        ["0-28: 50"],
    ),
    "extended, with more seats": (
        paid(TRIAL, invoice("2", line(0, 10, 28, quantity=2)), of=item(quantity=2), trial=(0, 28)),
        {"pro": gives(1000, trial_units=50)},
        ["0-28: 100"],
    ),
    "not completed": (
        paid(unpaid("1", line(0, 0, 14)), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50)},
        [],
    ),
    "a change during it": (
        paid(TRIAL, invoice("2", change(0, 5, 14, "pro"), change(0, 5, 14, "max"), on=5), of=MAX, trial=(0, 14)),
        {"pro": gives(1000, trial_units=50), "max": gives(2000, trial_units=90)},
        ["0-14: 50"],
    ),
    "and then a month": (
        paid(TRIAL, invoice("2", line(1000, 14, 44)), of=item(period=(14, 44)), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50)},
        ["0-14: 50", "14-44: 1000"],
    ),
    "and then a month for nothing": (
        paid(TRIAL, invoice("2", line(0, 14, 44)), of=item(period=(14, 44)), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50)},
        ["0-14: 50", "14-44: 1000"],
    ),
    "a period paid before it": (
        paid(invoice("1", line(1000, 0, 14)), trial=(0, 14)),
        {"pro": gives(1000, trial_units=50)},
        ["0-14: 1000"],
    ),
    "time for nothing before it": (
        paid(invoice("1", line(0, 0, 14)), trial=(1, 14)),
        {"pro": gives(1000, trial_units=50)},
        ["0-14: 1000"],
    ),
}


@pytest.mark.parametrize(("known", "included", "expected"), TRIALS.values(), ids=TRIALS.keys())
def test_trials(known: Evidence, included: Included, expected: list[str]) -> None:
    assert given(known, included) == expected


def test_a_trials_window_has_a_name_of_its_own_and_does_not_roll_over() -> None:
    terms = gives(1000, trial_units=50, rollover_units=500, rollover_windows=1)

    trial, *_ = windows(paid(TRIAL, trial=(0, 14)), {"pro": terms})

    assert (trial.key, trial.granted, trial.rollover, trial.not_before) == ("trial:0", 50, 0, None)


FREE = invoice("1", line(0))
NOTHING: dict[str, tuple[Evidence, list[str]]] = {
    "a plan that costs nothing": (paid(FREE), ["0-30: 1000"]),
    "a full discount": (paid(invoice("1", line(0, amount=1000))), ["0-30: 1000"]),
    "below the minimum": (paid(invoice("1", line(), money=0)), ["0-30: 1000"]),
    "a start without an invoice": (paid(free_until=30), ["0-30: 1000"]),
    "a session that is paid, and its invoice is not known": (
        paid(sessions=[session("1")]),
        ["0-30: 1000"],
    ),
    "a session that is paid, and its invoice is known": (paid(PAID, sessions=[session("1")]), ["0-30: 1000"]),
    "a session that names no invoice": (paid(PAID, sessions=[session("")]), ["0-30: 1000"]),
    "a session, for a start without an invoice": (paid(sessions=[session("")], free_until=30), ["0-30: 1000"]),
    "a session, refunded, for a start without an invoice": (
        paid(sessions=[session("1")], free_until=30, back=refunded("1", 1000, 5)),
        ["0-30: 1000"],
    ),
    "a start without an invoice, and the month after it": (
        paid(invoice("1", line(1000, 30, 60)), of=item(period=(30, 60)), free_until=30),
        ["0-30: 1000", "30-60: 1000"],
    ),
    "a session, and more billed beside it": (
        paid(invoice("1", change(100, 15, price="max")), sessions=[session("2")], of=item("pro")),
        ["0-30: 2000"],
    ),
    "a session that is paid, and a period without an end": (
        paid(sessions=[session("1")], of=item(period=(0, None))),
        [],
    ),
    "a plan for nothing to PRO on day 15": (
        paid(FREE, invoice("2", change(0, 15, price="pro"), change(500, 15, price="max")), of=MAX),
        ["0-30: 1500"],
    ),
    "a plan for nothing to PRO on day 15, without a word of the old one": (
        paid(FREE, invoice("2", change(500, 15, price="max")), of=MAX),
        ["0-30: 2000"],
    ),
    "PRO to a plan for nothing": (
        paid(PAID, invoice("2", change(-500, 15, price="pro"), change(0, 15, price="max")), of=MAX),
        ["0-30: 1500"],
    ),
    "more seats for nothing": (
        paid(FREE, invoice("2", change(0, 15, price="pro"), change(0, 15, price="pro", quantity=3), on=15)),
        ["0-30: 2000"],
    ),
    "more seats for nothing, and back": (
        paid(
            FREE,
            invoice("2", change(0, 15, price="pro"), change(0, 15, price="pro", quantity=3), on=15),
            invoice("3", change(0, 21, price="pro", quantity=3), change(0, 21, price="pro"), on=21),
        ),
        ["0-30: 1400"],
    ),
    "a seat that costs something, beside one for nothing": (
        paid(FREE, invoice("2", change(500, 15, price="pro"), on=15)),
        ["0-30: 1500"],
    ),
    "a session, after a time that was billed": (
        paid(PAID, created=30 * DAY, of=item(period=(30, 60)), sessions=[session("2")]),
        ["0-30: 1000", "30-60: 1000"],
    ),
    "a seat for nothing, beside one that costs something": (
        paid(PAID, invoice("2", change(0, 15, price="pro"), on=15)),
        ["0-30: 1500"],
    ),
}


@pytest.mark.parametrize(("known", "expected"), NOTHING.values(), ids=NOTHING.keys())
def test_what_costs_nothing_counts_as_it_is_billed(known: Evidence, expected: list[str]) -> None:
    assert given(known) == expected


CREDITS: dict[str, tuple[Evidence, list[str]]] = {
    "for what is not paid": (
        paid(unpaid("1", line()), invoice("2", change(-500, 15, price="pro"), change(5000, 15), money=4500), of=MAX),
        ["0-30: 1000"],
    ),
    "for what gave no units": (paid(invoice("1", line(price="plain")), swap(15, "plain", "plain", name="2")), []),
    "of another quantity, over two lines": (
        paid(
            invoice("1", line(1000, item="si")),
            invoice("2", change(500, 15, price="pro"), on=15),
            invoice("3", change(-500, 15, price="pro", quantity=2), on=16),
        ),
        ["0-30: 500"],
    ),
    "of another quantity, for more than there is": (
        paid(PAID, invoice("2", change(-500, 15, price="pro", quantity=9), on=15)),
        [],
    ),
    "twice": (
        paid(
            PAID,
            invoice("2", change(-500, 15, price="pro"), on=15),
            invoice("3", change(-300, 21, price="pro"), on=21),
        ),
        ["0-30: 200"],
    ),
    "of another quantity, after a line that ended": (
        paid(
            PAID,
            invoice("2", line(2000, 30, 60, quantity=2)),
            invoice("3", change(-500, 30, 60, price="pro"), on=31),
            of=item(quantity=2, period=(30, 60)),
        ),
        ["0-30: 1000", "30-60: 1000"],
    ),
    "for time before the line": (
        paid(invoice("1", line(1000, 30, 60), on=0), invoice("2", change(-500, 15, price="pro"), on=15)),
        ["30-60: 1000"],
    ),
    "for time after the line": (paid(PAID, invoice("2", change(-500, 30, 60, price="pro"))), ["0-30: 1000"]),
    "not paid": (paid(PAID, unpaid("2", change(-500, 15, price="pro"))), ["0-30: 1000"]),
    "for another item": (paid(PAID, invoice("2", change(-500, 15, price="pro", item="si_9"))), ["0-30: 1000"]),
}


@pytest.mark.parametrize(("known", "expected"), CREDITS.values(), ids=CREDITS.keys())
def test_a_credit_takes_at_most_what_it_credits(known: Evidence, expected: list[str]) -> None:
    assert given(known) == expected
