"""The window after the paid time, what rolls over, and until when units are there, as tables.

A row shows windows as days and units; ``?`` stands behind one that is there provisionally, with the day of its end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from licenzy_django.entitlements.allowance import Window, derive_windows
from licenzy_django.entitlements.paid_time import Evidence, PaidTime
from licenzy_django.entitlements.terms import Allowance, Terms
from licenzy_django.stripe.objects.invoice import Invoice
from tests.entitlements.money import (
    DAY,
    change,
    days,
    evidence,
    invoice,
    item,
    line,
    refunded,
    seconds,
    session,
    subscription,
    unpaid,
)
from tests.entitlements.units import Included, gives, on, terms_of, windows

pytestmark = pytest.mark.rules

PAID = invoice("1", line())
RENEWED = invoice("2", line(1000, 30, 60))
SENT = unpaid("2", line(1000, 30, 60))
DUE = item(period=(30, 60))


def known(*invoices: Invoice, of: Any = None, **more: Any) -> Evidence:
    items = of if isinstance(of, list) else [of or item()]
    names = ("status", "trial", "cancel_at", "cancel_at_period_end", "anchor")
    told = {name: more.pop(name) for name in names if name in more}
    return evidence(subscription(*items, latest=invoices[-1].id if invoices else "", **told), *invoices, **more)


def shown(found: Sequence[Window]) -> list[str]:
    return [
        f"{days(window.starts_at)}-{days(window.ends_at)}: {window.granted}"
        + (f"? {days(window.available_until)}" if window.is_provisional else "")
        for window in found
    ]


NEXT: dict[str, tuple[Evidence, list[str]]] = {
    "before the period ends": (known(PAID), ["0-30: 1000", "30-60: 1000? 31"]),
    "Stripe has begun the next": (known(PAID, of=DUE), ["0-30: 1000", "30-60: 1000? 31"]),
    "sent": (known(PAID, SENT, of=DUE), ["0-30: 1000", "30-60: 1000? 31"]),
    "sent for fewer days": (
        known(PAID, unpaid("2", line(500, 30, 50)), of=DUE),
        ["0-30: 1000", "30-50: 1000? 31"],
    ),
    "paid": (known(PAID, RENEWED, of=DUE), ["0-30: 1000", "30-60: 1000", "60-90: 1000? 61"]),
    "trialing": (known(PAID, status="trialing"), ["0-30: 1000", "30-60: 1000? 31"]),
    "failed": (known(PAID, SENT, of=DUE, status="past_due"), ["0-30: 1000", "30-60: 0"]),
    "failed before its lines are known": (known(PAID, of=DUE, status="past_due"), ["0-30: 1000", "30-60: 0"]),
    "given up": (known(PAID, SENT, of=DUE, status="unpaid"), ["0-30: 1000", "30-60: 0"]),
    "paused": (known(PAID, status="paused"), ["0-30: 1000", "30-60: 0"]),
    "incomplete": (known(PAID, status="incomplete"), ["0-30: 1000", "30-60: 0"]),
    "canceled": (known(PAID, status="canceled"), ["0-30: 1000", "30-60: 0"]),
    "voided": (known(PAID, replace(SENT, status="void"), of=DUE), ["0-30: 1000", "30-60: 0"]),
    "uncollectible": (known(PAID, replace(SENT, status="uncollectible"), of=DUE), ["0-30: 1000", "30-60: 0"]),
    "uncollectible, and paid after all": (
        known(PAID, replace(RENEWED, status="uncollectible"), of=DUE),
        ["0-30: 1000", "30-60: 1000", "60-90: 1000? 61"],
    ),
    "refunded": (
        known(PAID, RENEWED, of=DUE, back=refunded("2", 1000, 40)),
        ["0-30: 1000", "30-60: 0"],
    ),
    "the month refunded": (known(PAID, back=refunded("1", 1000, 10)), ["0-30: 0"]),
    "the month not paid": (known(unpaid("1", line())), []),
    "to end with the period": (known(PAID, cancel_at_period_end=True), ["0-30: 1000", "30-60: 0"]),
    "to end when the period does": (known(PAID, cancel_at=30), ["0-30: 1000", "30-60: 0"]),
    "to end within the leeway": (known(PAID, cancel_at=30.5), ["0-30: 1000", "30-60: 1000? 30.5"]),
    "to end after the leeway": (known(PAID, cancel_at=45), ["0-30: 1000", "30-60: 1000? 31"]),
    "after a trial": (known(invoice("1", line(0, 0, 14)), trial=(0, 14)), ["14-28: 0"]),
    "after a trial, and Stripe has begun the month": (
        known(invoice("1", line(0, 0, 14)), of=item(period=(14, 44)), trial=(0, 14)),
        ["14-28: 0"],
    ),
    "after a trial, and the first month": (
        known(invoice("1", line(0, 0, 14)), invoice("2", line(1000, 14, 44)), of=item(period=(14, 44)), trial=(0, 14)),
        ["14-44: 1000", "44-74: 1000? 45"],
    ),
    "after more was paid": (
        known(PAID, invoice("2", change(-500, 15, price="pro"), change(1000, 15)), of=item("max")),
        ["0-30: 1500", "30-60: 2000? 31"],
    ),
    "after more was billed and not paid": (
        known(PAID, unpaid("2", change(-500, 15, price="pro"), change(1000, 15)), of=item("max")),
        ["0-30: 1000", "30-60: 1000? 31"],
    ),
    "after a change that nothing bills": (
        known(PAID, of=item("max"), seen={("max", 1): 15}),
        ["0-30: 1000", "30-60: 2000? 31"],
    ),
    "to what is not known": (known(PAID, of=item("strange")), ["0-30: 1000"]),
    "to no seats": (known(PAID, of=item(quantity=0)), ["0-30: 1000", "30-60: 0? 31"]),
    "an item that came in mid-period": (
        known(PAID, invoice("2", change(500, 15, price="max", item="si_2")), of=[item(), item("max", name="si_2")]),
        ["0-30: 2000", "30-60: 3000? 31"],
    ),
    "an item that is gone": (
        known(PAID, unpaid("2", change(-500, 15, price="pro"), change(500, 15, item="si_2"))),
        ["0-30: 1000", "30-60: 1000? 31"],
    ),
    "an item that is there until what replaced it is paid": (
        known(
            PAID,
            unpaid("2", change(-500, 15, price="pro"), change(1000, 15, item="si_2")),
            of=item("max", name="si_2", made=15),
        ),
        ["0-30: 1000"],
    ),
    "one of two items renewed": (
        known(
            invoice("1", line(), line(price="max", item="si_2")),
            invoice("2", line(1000, 30, 60)),
            unpaid("3", line(1000, 30, 60, price="max", item="si_2")),
            of=[DUE, item("max", name="si_2", period=(30, 60))],
        ),
        ["0-30: 3000", "30-60: 1000", "60-90: 1000? 61"],
    ),
    "a change paid, and the month under it not": (
        known(
            PAID,
            SENT,
            invoice("3", change(-500, 45, 60, price="pro"), change(1000, 45, 60), money=500),
            of=item("max", period=(30, 60)),
        ),
        ["0-30: 1000", "30-60: 1000"],
    ),
    "a period without an end": (known(sessions=[session("1")], of=item(period=(0, None))), []),
}


@pytest.mark.parametrize(("evidence_", "expected"), NEXT.values(), ids=NEXT.keys())
def test_the_window_after_the_paid_time(evidence_: Evidence, expected: list[str]) -> None:
    assert shown(windows(evidence_)) == expected


def test_a_window_keeps_its_name_when_its_money_comes_and_when_it_does_not() -> None:
    _, waiting = windows(known(PAID, SENT, of=DUE))
    _, came, _ = windows(known(PAID, RENEWED, of=DUE))
    _, failed = windows(known(PAID, SENT, of=DUE, status="past_due"))

    assert waiting.key == came.key == failed.key == f"period:{seconds(30)}"
    assert waiting.ends_at == came.ends_at == failed.ends_at
    assert [each.not_before for each in (waiting, came, failed)] == [seconds(30), None, seconds(30)]
    assert [each.total for each in (waiting, came, failed)] == [1000, 1000, 0]


NOT_BEFORE = {
    "paid as it began": (RENEWED, None),
    "paid later": (invoice("2", line(1000, 30, 60), paid=33), None),
    "paid before it began": (invoice("2", line(1000, 30, 60), on=29, paid=29.99), 30),
}


@pytest.mark.parametrize(("renewal", "expected"), NOT_BEFORE.values(), ids=NOT_BEFORE.keys())
def test_what_was_paid_after_it_began_is_not_held_back(renewal: Invoice, expected: float | None) -> None:
    found = windows(known(PAID, renewal, of=DUE))

    assert days(found[1].not_before) == expected


def test_a_part_that_was_paid_later_opens_what_was_paid_before() -> None:
    early = invoice("2", line(1000, 30, 60), on=29, paid=29)
    more = invoice("3", change(-500, 45, 60, price="pro"), change(1000, 45, 60), on=45)

    assert windows(known(PAID, early, more, of=item("max", period=(30, 60))))[1].not_before is None


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def by_calendar(*periods: str, every: str = "period", anchor: str = "", **more: Any) -> list[str]:
    """The windows of paid lines from one date to the next, as dates."""
    moments = [at(text) for text in periods]
    paid = [
        invoice(str(number), line(1000, start / DAY, end / DAY))
        for number, (start, end) in enumerate(itertools.pairwise(moments), 1)
    ]
    of = replace(
        subscription(item(period=(moments[-2] / DAY, moments[-1] / DAY)), latest=str(len(paid))),
        anchor=at(anchor) if anchor else None,
    )
    found = windows(evidence(of, *paid), {"pro": gives(1000, every, **more)})
    return [
        " ".join(f"{datetime.fromtimestamp(moment, UTC):%d.%m.}" for moment in (window.starts_at, window.ends_at))
        for window in found
    ]


def test_the_next_window_goes_by_the_calendar() -> None:
    assert by_calendar("2026-01-31", "2026-02-28") == ["31.01. 28.02.", "28.02. 31.03."]
    assert by_calendar("2026-02-28", "2026-03-31", anchor="2026-01-31")[-1] == "31.03. 30.04."
    assert by_calendar("2025-11-30", "2026-02-28") == ["30.11. 28.02.", "28.02. 30.05."]
    assert by_calendar("2025-11-30", "2026-02-28", anchor="2025-08-31")[-1] == "28.02. 31.05."
    assert by_calendar("2026-01-31", "2027-01-31")[-1] == "31.01. 31.01."
    assert by_calendar("2026-01-05", "2026-01-19")[-1] == "19.01. 02.02."
    assert by_calendar("2026-01-31", "2027-01-31", every="month")[-2:] == ["31.12. 31.01.", "31.01. 28.02."]
    assert by_calendar("2026-01-05", "2026-02-05", every="week")[-1] == "05.02. 12.02."


def test_months_from_the_31st_are_three_windows() -> None:
    found = by_calendar("2026-01-31", "2026-02-28", "2026-03-31")

    assert found == ["31.01. 28.02.", "28.02. 31.03.", "31.03. 30.04."]


def test_a_quarter_is_cut_by_the_anchor_whether_or_not_stripe_says_it() -> None:
    expected = ["30.11. 30.12.", "30.12. 30.01.", "30.01. 28.02.", "28.02. 30.03.", "30.03. 30.04.", "30.04. 30.05."]

    assert by_calendar("2025-11-30", "2026-02-28", "2026-05-30", every="month")[:-1] == expected
    assert by_calendar("2026-02-28", "2026-05-30", every="month", anchor="2025-11-30")[:-1] == expected[3:]
    assert by_calendar("2026-02-28", "2026-05-30", every="month")[:-1] == expected[3:]


@pytest.mark.parametrize("anchor", [-1, 2**37, 2**39])
def test_an_anchor_that_no_calendar_has_says_nothing(anchor: int) -> None:
    found = windows(evidence(replace(subscription(item(), latest="1"), anchor=anchor), PAID))

    assert shown(found) == ["0-30: 1000", "30-60: 1000? 31"]


BY_THE_INTERVAL = {
    "of days": ({"interval": "day", "interval_count": 30}, ["0-30: 500", "30-60: 1000? 31"]),
    "of weeks": ({"interval": "week", "interval_count": 4}, ["2-30: 535", "30-58: 1000? 31"]),
    "not known": ({}, ["15-30: 1000"]),
}


@pytest.mark.parametrize(("interval", "expected"), BY_THE_INTERVAL.values(), ids=BY_THE_INTERVAL.keys())
def test_after_a_part_of_a_period_the_interval_says_how_long_the_next_is(
    interval: dict[str, Any], expected: list[str]
) -> None:
    part = invoice("1", change(500, 15, price="pro"))

    assert shown(windows(known(part, of=replace(item(period=(15, 30)), **interval)))) == expected


def test_after_a_part_of_a_period_months_are_known_by_themselves() -> None:
    part = invoice("1", change(500, 15, 31, price="pro"))

    found = windows(known(part, of=item(period=(15, 31))), {"pro": gives(1000, "month")})

    assert shown(found) == ["15-31: 516", "31-59: 1000? 32"]


ROLLS = {"rollover_units": 300, "rollover_windows": 2}
ROLLOVER: dict[str, tuple[Evidence, Allowance, list[str]]] = {
    "nothing": (known(PAID, cancel_at=30), gives(1000), ["0-30: 1000", "30-60: 0"]),
    "some": (
        known(PAID, RENEWED, of=DUE, cancel_at=60),
        gives(1000, **ROLLS),
        ["0-30: 700", "0-90: 300", "30-60: 700", "30-120: 300", "60-90: 0", "60-150: 0"],
    ),
    "provisionally": (
        known(PAID),
        gives(1000, **ROLLS),
        ["0-30: 700", "0-90: 300", "30-60: 700? 31", "30-120: 300? 31"],
    ),
    "for no windows": (known(PAID, cancel_at=30), gives(1000, rollover_units=300), ["0-30: 1000", "30-60: 0"]),
    "no units": (known(PAID, cancel_at=30), gives(1000, rollover_windows=3), ["0-30: 1000", "30-60: 0"]),
    "more than what is paid": (
        known(invoice("1", line(quantity=0)), of=item(quantity=0), cancel_at=30),
        gives(1000, **ROLLS),
        ["0-30: 0", "0-90: 0", "30-60: 0", "30-120: 0"],
    ),
    "by weeks": (
        known(invoice("1", line(1000, 0, 14)), of=item(period=(0, 14)), cancel_at=14),
        gives(1000, "week", **ROLLS),
        ["0-7: 700", "0-21: 300", "7-14: 700", "7-28: 300", "14-21: 0", "14-35: 0"],
    ),
}


@pytest.mark.parametrize(("evidence_", "terms", "expected"), ROLLOVER.values(), ids=ROLLOVER.keys())
def test_what_rolls_over_is_a_part_of_its_own(evidence_: Evidence, terms: Allowance, expected: list[str]) -> None:
    found = windows(evidence_, {"pro": terms})

    assert shown(found) == expected
    assert all(window.is_rolled_over == window.key.endswith(":rollover") for window in found)
    assert {window.rollover for window in found} == {300 if len(found) > 3 else 0}


def test_a_part_that_rolls_over_has_the_name_of_its_window() -> None:
    whole, rolled, *_ = windows(known(PAID), {"pro": gives(1000, **ROLLS)})

    assert (whole.key, rolled.key) == ("period:0", "period:0:rollover")
    assert (whole.is_rolled_over, rolled.is_rolled_over) == (False, True)
    assert (whole.total, rolled.total) == (1000, 1000)
    assert whole.not_before == rolled.not_before is None


def test_what_rolls_over_ends_by_the_calendar() -> None:
    terms = {"rollover_units": 1, "rollover_windows": 1}

    assert by_calendar("2026-01-31", "2026-02-28", **terms)[:2] == ["31.01. 28.02.", "31.01. 31.03."]
    assert by_calendar("2026-01-31", "2027-01-31", every="month", **terms)[:4] == [
        "31.01. 28.02.",
        "31.01. 31.03.",
        "28.02. 31.03.",
        "28.02. 30.04.",
    ]


def test_the_product_of_the_whole_line_says_what_rolls_over() -> None:
    up = invoice("2", change(-500, 15, price="pro"), change(1000, 15))
    included: Included = {"pro": gives(1000, **ROLLS), "max": gives(2000)}

    first = known(PAID, up, of=item("max"), cancel_at=30)
    none_for_max = shown(windows(first, included))
    for_max_alone = shown(windows(first, {"pro": gives(1000), "max": gives(2000, **ROLLS)}))

    assert none_for_max[:2] == ["0-30: 1200", "0-90: 300"]
    assert for_max_alone[:1] == ["0-30: 1500"]


def test_the_line_whose_money_came_opens_the_window_before_one_that_is_not_paid() -> None:
    twice = [unpaid("1", line(price="max")), invoice("2", line(price="pro", item="si_2"), on=1)]

    found = windows(known(*twice, of=item(name="si_2"), cancel_at=30))

    assert [(window.product_id, window.granted) for window in found][:1] == [(1, 1000)]


def test_a_whole_line_opens_the_window_before_a_part() -> None:
    part = invoice("1", change(1000, 15, price="max", item="si_2"), on=0)
    whole = invoice("2", line(1000, 0, 30), on=15)

    found = windows(known(part, whole, of=[item(), item("max", name="si_2")], cancel_at=30))

    assert (found[0].product_id, found[0].granted) == (1, 2000)


ACCESS: dict[str, tuple[list[Any], list[tuple[float, bool]]]] = {
    "without an end": ([on()], [(30, True), (31, True)]),
    "until a moment": ([on(12)], [(12, True), (12, True)]),
    "until its very end": ([on(30)], [(30, True), (30, True)]),
    "until the later of two": ([on(12), on(20)], [(20, True), (20, True)]),
    "until a moment, and without an end": ([on(12), on()], [(30, True), (31, True)]),
    "until a moment, and one that is off": ([on(12), on(20, is_on=False)], [(12, True), (12, True)]),
    "none": ([on(12, is_on=False)], [(30, False), (31, False)]),
    "nothing at all": ([], [(30, False), (31, False)]),
}


@pytest.mark.parametrize(("states", "expected"), ACCESS.values(), ids=ACCESS.keys())
def test_units_are_there_while_the_subscription_gives_access_to_anything(
    states: list[Any], expected: list[tuple[float, bool]]
) -> None:
    found = windows(known(PAID), states=states)

    assert [(days(window.available_until), window.is_on) for window in found] == expected


def test_what_rolled_over_ends_with_the_access_too() -> None:
    found = windows(known(PAID), {"pro": gives(1000, **ROLLS)}, states=[on(45)])

    assert [days(window.available_until) for window in found] == [30, 45, 31, 31]


def test_two_windows_that_begin_together_have_two_names_and_the_shorter_the_plain_one() -> None:
    both = invoice("1", line(9000, 0, 365, "max", item="si_2"), line())
    of = [item(), item("max", name="si_2", period=(0, 365))]

    found = [window for window in windows(known(both, of=of)) if window.starts_at == 0]

    assert [window.key for window in found] == ["period:0", f"period:0:{seconds(365)}"]


def test_the_terms_are_those_of_the_day_on_which_the_line_began() -> None:
    def allowance_of(product_id: int, at: int) -> Allowance:
        return gives(1000 if at < seconds(10) else 3000)

    more = invoice("2", change(-500, 15, price="pro"), change(1000, 15, price="pro", quantity=2), on=15)
    of = known(PAID, more, of=item(quantity=2))

    found = derive_windows(PaidTime(of), terms_of, allowance_of, [on()], leeway=DAY)

    # A credit takes by the terms of what it credits.
    assert shown(found) == ["0-30: 3500", "30-60: 6000? 31"]


def test_the_product_is_that_which_had_the_price_when_the_item_was_made() -> None:
    asked: list[tuple[str, int | None]] = []

    def ask(price: str, made_at: int | None) -> Terms | None:
        asked.append((price, days(made_at)))
        return terms_of(price, made_at)

    gone = invoice("0", line(start=2, end=5, item="si_9"), line(start=1, end=5, item="si_9"), on=2)
    of = known(gone, invoice("1", line(start=3)), of=item("max", made=3))
    derive_windows(PaidTime(of), ask, lambda product_id, at: gives(1), [on()], leeway=DAY)

    assert set(asked) == {("pro", 3), ("max", 3), ("pro", 1)}


def test_a_line_without_its_quantity_bills_what_there_is() -> None:
    old = invoice("1", replace(line(), quantity=None))
    gone = invoice("1", replace(line(item="si_9"), quantity=None))

    assert shown(windows(known(old, of=item(quantity=4), cancel_at=30)))[0] == "0-30: 4000"
    assert shown(windows(known(gone, of=item(period=(None, None)), cancel_at=30)))[0] == "0-30: 1000"


def test_a_subscription_without_units_is_not_looked_into() -> None:
    class Unasked(PaidTime):
        def in_force(self) -> Any:
            raise AssertionError

    def nothing(product_id: int, at: int) -> None:
        return None

    assert derive_windows(Unasked(known(PAID)), terms_of, nothing, [on()], leeway=DAY) == []


@pytest.mark.parametrize("since", [30, 60])
def test_units_that_the_catalog_adds_come_with_the_next_line(since: float) -> None:
    def allowance_of(product_id: int, at: int) -> Allowance | None:
        return gives(1000) if at >= seconds(since) else None

    renewed = known(PAID, RENEWED, of=DUE)
    found = derive_windows(PaidTime(renewed), terms_of, allowance_of, [on()], leeway=DAY)

    assert shown(found)[-1] == "60-90: 1000? 61"
    assert len(found) == (2 if since == 30 else 1)


def test_of_two_whole_lines_the_first_opens_the_window() -> None:
    both = invoice("1", line(), line(price="max", item="si_2"))

    found = windows(known(both, of=[item(), item("max", name="si_2")], cancel_at=30))

    assert (found[0].product_id, found[0].granted) == (1, 3000)
