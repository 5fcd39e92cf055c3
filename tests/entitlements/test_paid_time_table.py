"""What of a subscription is in force, by which paid time, as tables. No database, no simulator.

A row is a subscription, its invoices and what is in force of each item: price, quantity and the days of the line that
pays for it; ``kept`` where Stripe reports something else, ``renews`` where the line pays for an earlier period.
"""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.entitlements.paid_time import Coverage, Evidence, PaidTime, Uncovered
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice
from tests.entitlements.money import (
    change,
    days,
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

pytestmark = pytest.mark.rules


def in_force(known: Evidence) -> list[str]:
    return [shown(one) for one in PaidTime(known).in_force()]


def shown(one: Coverage | Uncovered) -> str:
    if isinstance(one, Uncovered):
        return f"{one.item.id}: {one.reason}"
    assert {one.is_reported, one.is_current} <= {True, False}
    kept = "" if one.is_reported else f" kept, {one.why_not_reported}"
    renews = "" if one.is_current else " renews"
    return f"{one.item.id}: {one.price} x{one.quantity} {days(one.starts_at)}-{days(one.ends_at)}{kept}{renews}"


def with_newest(*invoices: Invoice, of: Any = None, **more: Any) -> Evidence:
    """Of an item (PRO unless named) whose newest invoice is the last one of these."""
    items = of if isinstance(of, list) else [of or item()]
    latest = more.pop("latest", invoices[-1].id if invoices else "")
    known = {name: more.pop(name) for name in ("status", "trial", "created") if name in more}
    return evidence(subscription(*items, latest=latest, **known), *invoices, **more)


PAID = invoice("in_1", line(1000))
NEXT = (30, 60)
RENEWED = invoice("in_2", line(1000, 30, 60))
SENT = unpaid("in_2", line(1000, 30, 60))

WHOLE_PERIODS = {
    "paid": (with_newest(PAID), "si: pro x1 0-30"),
    "unpaid": (with_newest(unpaid("in_1", line())), "si: payment_pending"),
    "no invoice known": (with_newest(latest="in_1"), "si: payment_pending"),
    "no invoice at all": (with_newest(), "si: payment_pending"),
    "a trial": (with_newest(invoice("in_1", line(0, 0, 7)), of=item(period=(0, 7))), "si: pro x1 0-7"),
    "three seats": (with_newest(invoice("in_1", line(quantity=3)), of=item(quantity=3)), "si: pro x3 0-30"),
    "renewed": (with_newest(PAID, RENEWED, of=item(period=NEXT)), "si: pro x1 30-60"),
    "renewed, and Stripe's word of it is not here": (with_newest(PAID, RENEWED), "si: pro x1 30-60"),
    "renewed twice since": (with_newest(PAID, RENEWED, invoice("in_3", line(1000, 60, 90))), "si: pro x1 60-90"),
    "unpaid once, and paid since": (
        with_newest(unpaid("in_1", line()), RENEWED, of=item(period=NEXT)),
        "si: pro x1 30-60",
    ),
    "the period is not known": (with_newest(PAID, of=item(period=(None, None))), "si: pro x1 0-30"),
    "refunded": (with_newest(PAID, back=refunded("in_1", 1000, 5)), "si: refunded"),
    "lost": (with_newest(PAID, back=disputed("in_1", 1000, 5)), "si: disputed"),
    "the period before refunded": (
        with_newest(PAID, RENEWED, of=item(period=NEXT), back=refunded("in_1", 1000, 35)),
        "si: pro x1 30-60",
    ),
    "the next one is sent already": (with_newest(PAID, SENT), "si: pro x1 0-30"),
    "a fee by hand, paid": (
        with_newest(PAID, invoice("in_2", line(500, 10, 10, price="fee", item=""))),
        "si: pro x1 0-30",
    ),
    "a fee by hand for some time, paid": (
        with_newest(PAID, invoice("in_2", line(500, 10, 20, price="fee", item=""))),
        "si: pro x1 0-30",
    ),
    "a fee by hand, and nothing else paid": (
        with_newest(unpaid("in_1", line()), invoice("in_2", line(500, 10, 20, price="fee", item=""))),
        "si: payment_pending",
    ),
    "an invoice by hand for the price itself": (
        with_newest(unpaid("in_1", line()), invoice("in_2", line(500, 10, 20, item=""))),
        "si: pro x1 10-20",
    ),
}


@pytest.mark.parametrize(("known", "expected"), WHOLE_PERIODS.values(), ids=WHOLE_PERIODS.keys())
def test_whole_periods(known: Evidence, expected: str) -> None:
    assert in_force(known) == [expected]


MAX = item("max")
UPGRADE = (change(-500, 15, price="pro"), change(1500, 15))
UP = invoice("in_2", *UPGRADE)
UP_UNPAID = unpaid("in_2", *UPGRADE)
SEATS = (change(-500, 15, price="pro"), change(2500, 15, price="pro", quantity=5))
UP_AGAIN = (change(-750, 22, price="max"), change(2000, 22, price="ultra"))
FIRST_UNPAID = unpaid("in_1", line())

CHANGES = {
    "paid": (with_newest(PAID, UP, of=MAX), "si: max x1 15-30"),
    "billed and unpaid": (with_newest(PAID, UP_UNPAID, of=MAX), "si: pro x1 0-30 kept, payment_pending"),
    "waiting for its payment at Stripe": (with_newest(PAID, UP_UNPAID), "si: pro x1 0-30"),
    "billed, and the invoice is not here": (
        with_newest(PAID, of=MAX, latest="in_2"),
        "si: pro x1 0-30 kept, payment_pending",
    ),
    "not billed": (with_newest(PAID, of=MAX), "si: max x1 0-30"),
    "not billed, of what nobody paid": (with_newest(FIRST_UNPAID, of=MAX), "si: payment_pending"),
    "not billed, of what was refunded": (with_newest(PAID, of=MAX, back=refunded("in_1", 1000, 5)), "si: refunded"),
    "paid, and refunded": (
        with_newest(PAID, UP, of=MAX, back=refunded("in_2", 1000, 20)),
        "si: pro x1 0-30 kept, refunded",
    ),
    "paid, and lost": (
        with_newest(PAID, UP, of=MAX, back=disputed("in_2", 1000, 20)),
        "si: pro x1 0-30 kept, disputed",
    ),
    "paid after the month was refunded": (
        with_newest(PAID, UP, of=MAX, back=refunded("in_1", 1000, 5)),
        "si: max x1 15-30",
    ),
    "paid, and then both refunded": (
        with_newest(PAID, UP, of=MAX, back=[*refunded("in_1", 1000, 20), *refunded("in_2", 1000, 20)]),
        "si: refunded",
    ),
    "unpaid, of a month that was refunded": (
        with_newest(PAID, UP_UNPAID, of=MAX, back=refunded("in_1", 1000, 5)),
        "si: refunded",
    ),
    "unpaid, of a month that nobody paid": (with_newest(FIRST_UNPAID, UP_UNPAID, of=MAX), "si: payment_pending"),
    "more seats, paid": (with_newest(PAID, invoice("in_2", *SEATS), of=item(quantity=5)), "si: pro x5 15-30"),
    "more seats, unpaid": (
        with_newest(PAID, unpaid("in_2", *SEATS), of=item(quantity=5)),
        "si: pro x1 0-30 kept, payment_pending",
    ),
    "more seats, not billed": (with_newest(PAID, of=item(quantity=5)), "si: pro x5 0-30"),
    "fewer seats by credit": (
        with_newest(
            invoice("in_1", line(5000, quantity=5)),
            invoice("in_2", change(-2500, 15, price="pro", quantity=5), change(500, 15, price="pro")),
        ),
        "si: pro x1 15-30",
    ),
    "fewer seats of what nobody paid": (
        with_newest(
            unpaid("in_1", line(5000, quantity=5)),
            invoice("in_2", change(-2500, 15, price="pro", quantity=5), change(500, 15, price="pro")),
        ),
        "si: payment_pending",
    ),
    "paid, then another one unpaid": (
        with_newest(PAID, UP, unpaid("in_3", *UP_AGAIN), of=item("ultra")),
        "si: max x1 15-30 kept, payment_pending",
    ),
    "unpaid, then another one paid": (
        with_newest(PAID, UP_UNPAID, invoice("in_3", *UP_AGAIN), of=item("ultra")),
        "si: ultra x1 22-30",
    ),
    "unpaid, then another one not billed": (with_newest(PAID, UP_UNPAID, of=item("ultra")), "si: ultra x1 0-30"),
    "unpaid, and taken back": (with_newest(PAID, UP_UNPAID, of=item()), "si: pro x1 0-30"),
    "paid, then another one not billed": (with_newest(PAID, UP, of=item("ultra")), "si: ultra x1 15-30"),
    "back to what was paid before, unpaid": (
        with_newest(PAID, UP, unpaid("in_3", change(-750, 22), change(250, 22, price="pro"))),
        "si: max x1 15-30 kept, payment_pending",
    ),
    "to a year that begins at once, unpaid": (
        with_newest(
            PAID,
            unpaid("in_2", change(-500, 15, price="pro"), line(9000, 15, 380, price="year")),
            of=item("year", period=(15, 380)),
        ),
        "si: pro x1 0-30 kept, payment_pending",
    ),
    "to a year that begins at once, paid": (
        with_newest(
            PAID,
            invoice("in_2", change(-500, 15, price="pro"), line(9000, 15, 380, price="year")),
            of=item("year", period=(15, 380)),
        ),
        "si: year x1 15-380",
    ),
    "from a year to a month, by credit": (
        with_newest(
            invoice("in_1", line(9000, 0, 365, price="year")),
            invoice("in_2", change(-6000, 100, 365, price="year"), line(1000, 100, 130)),
            of=item(period=(100, 130)),
        ),
        "si: pro x1 100-130",
    ),
    "billed by the renewal for the time before": (
        with_newest(
            PAID,
            unpaid("in_2", *UPGRADE, line(3000, 30, 60, price="max"), on=30),
            of=item("max", period=NEXT),
            seen={("pro", 1): 0, ("max", 1): 15},
        ),
        "si: max x1 0-30 renews",
    ),
    "paid where Stripe does not name the item": (
        with_newest(
            PAID, invoice("in_2", change(-500, 15, price="pro", item=""), change(1500, 15, item="")), of=item("max")
        ),
        "si: max x1 15-30",
    ),
    "not billed, and the next month is sent already": (
        with_newest(PAID, unpaid("in_2", line(3000, 30, 60, price="max")), of=MAX),
        "si: max x1 0-30",
    ),
    "of a price that only the line knows": (
        with_newest(PAID, invoice("in_2", change(1500, 15, price="old", item=""))),
        "si: pro x1 15-30",
    ),
}


@pytest.mark.parametrize(("known", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_changes(known: Evidence, expected: str) -> None:
    assert in_force(known) == [expected]


RENEWING = item(period=NEXT)
RENEWING_MAX = item("max", period=NEXT)
UP_IN_GAP = (change(-500, 45, 60, price="pro"), change(1500, 45, 60))

RENEWALS = {
    "still a draft": (with_newest(PAID, of=RENEWING, latest="in_2"), "si: pro x1 0-30 renews"),
    "sent": (with_newest(PAID, SENT, of=RENEWING), "si: pro x1 0-30 renews"),
    "written off": (
        with_newest(PAID, unpaid("in_2", line(1000, 30, 60), status="uncollectible"), of=RENEWING),
        "si: pro x1 0-30 renews",
    ),
    "the second one written off": (
        with_newest(PAID, SENT, unpaid("in_3", line(1000, 60, 90)), of=item(period=(60, 90))),
        "si: pro x1 0-30 renews",
    ),
    "refunded": (with_newest(PAID, RENEWED, of=RENEWING, back=refunded("in_2", 1000, 35)), "si: refunded"),
    "sent, and the period before refunded": (
        with_newest(PAID, SENT, of=RENEWING, back=refunded("in_1", 1000, 5)),
        "si: refunded",
    ),
    "sent, and its upgrade refunded": (
        with_newest(PAID, UP, unpaid("in_3", line(1000, 30, 60)), of=RENEWING, back=refunded("in_2", 1000, 20)),
        "si: pro x1 0-30 renews",
    ),
    "sent after an upgrade": (
        with_newest(PAID, UP, unpaid("in_3", line(3000, 30, 60, price="max")), of=RENEWING_MAX),
        "si: max x1 15-30 renews",
    ),
    "sent after an upgrade that is unpaid": (
        with_newest(
            PAID,
            UP_UNPAID,
            unpaid("in_3", line(3000, 30, 60, price="max")),
            of=RENEWING_MAX,
            seen={("pro", 1): 0, ("max", 1): 15},
        ),
        "si: pro x1 0-30 kept, payment_pending renews",
    ),
    "sent after a change that was not billed": (
        with_newest(
            PAID,
            unpaid("in_2", line(3000, 30, 60, price="max")),
            of=RENEWING_MAX,
            seen={("pro", 1): 0, ("max", 1): 15},
        ),
        "si: max x1 0-30 renews",
    ),
    "sent after a change that was not billed, and one before that is unpaid": (
        with_newest(
            PAID,
            UP_UNPAID,
            unpaid("in_3", line(4000, 30, 60, price="ultra")),
            of=item("ultra", period=NEXT),
            seen={("pro", 1): 0, ("max", 1): 15, ("ultra", 1): 20},
        ),
        "si: ultra x1 0-30 renews",
    ),
    "a draft after a change that was not billed": (
        with_newest(PAID, of=RENEWING_MAX, latest="in_2", seen={("pro", 1): 0, ("max", 1): 15}),
        "si: max x1 0-30 renews",
    ),
    "sent, of an upgrade with it": (
        with_newest(
            PAID,
            unpaid("in_2", line(3000, 30, 60, price="max")),
            of=RENEWING_MAX,
            seen={("pro", 1): 0, ("max", 1): 30},
        ),
        "si: pro x1 0-30 kept, payment_pending renews",
    ),
    "sent, of a downgrade with it": (
        with_newest(PAID, unpaid("in_2", line(500, 30, 60, price="mini")), of=item("mini", period=NEXT)),
        "si: mini x1 0-30 renews",
    ),
    "sent, of a change at the same price": (
        with_newest(PAID, unpaid("in_2", line(1000, 30, 60, price="mini")), of=item("mini", period=NEXT)),
        "si: mini x1 0-30 renews",
    ),
    "never paid anything": (
        with_newest(FIRST_UNPAID, SENT, of=RENEWING),
        "si: payment_pending",
    ),
    "sent, and an upgrade since that is paid": (
        with_newest(PAID, SENT, invoice("in_3", *UP_IN_GAP), of=RENEWING_MAX),
        "si: max x1 45-30 renews",
    ),
    "sent, and more seats as it began that are paid": (
        with_newest(PAID, SENT, invoice("in_3", change(500, 30, 60, "pro", 2)), of=item(quantity=2, period=NEXT)),
        "si: pro x2 30-30 renews",
    ),
    "sent, and an upgrade since that is unpaid": (
        with_newest(PAID, SENT, unpaid("in_3", *UP_IN_GAP), of=RENEWING_MAX, seen={("pro", 1): 0, ("max", 1): 45}),
        "si: pro x1 0-30 kept, payment_pending renews",
    ),
    "sent, and an upgrade since that is unpaid, to what was there once": (
        with_newest(PAID, SENT, unpaid("in_3", *UP_IN_GAP), of=RENEWING_MAX, seen={("pro", 1): 0, ("max", 1): 15}),
        "si: pro x1 0-30 kept, payment_pending renews",
    ),
    "sent, and an upgrade since that was refunded": (
        with_newest(PAID, SENT, invoice("in_3", *UP_IN_GAP), of=RENEWING_MAX, back=refunded("in_3", 1000, 50)),
        "si: pro x1 0-30 kept, refunded renews",
    ),
    "sent, and an upgrade since that was not billed": (
        with_newest(PAID, SENT, of=RENEWING_MAX, seen={("pro", 1): 0, ("max", 1): 45}),
        "si: max x1 0-30 renews",
    ),
    "a draft, and an upgrade since that is unpaid": (
        with_newest(PAID, unpaid("in_3", *UP_IN_GAP), of=RENEWING_MAX, seen={("pro", 1): 0, ("max", 1): 45}),
        "si: pro x1 0-30 kept, payment_pending renews",
    ),
    "paid, and an upgrade since that is paid": (
        with_newest(PAID, RENEWED, invoice("in_3", *UP_IN_GAP), of=RENEWING_MAX),
        "si: max x1 45-60",
    ),
}


@pytest.mark.parametrize(("known", "expected"), RENEWALS.values(), ids=RENEWALS.keys())
def test_renewals_that_are_not_paid_end_nothing(known: Evidence, expected: str) -> None:
    assert in_force(known) == [expected]


TRIAL = invoice("in_1", line(0, 0, 14))
TRIALS = {
    "running": (with_newest(TRIAL, of=item(period=(0, 14)), trial=(0, 14)), "si: pro x1 0-14"),
    "cut short, and paid": (
        with_newest(TRIAL, invoice("in_2", line(1000, 5, 35)), of=item(period=(5, 35)), trial=(0, 5)),
        "si: pro x1 5-35",
    ),
    "cut short, and unpaid": (
        with_newest(TRIAL, unpaid("in_2", line(1000, 5, 35)), of=item(period=(5, 35)), trial=(0, 5)),
        "si: pro x1 0-5 renews",
    ),
    "over, and unpaid": (
        with_newest(TRIAL, unpaid("in_2", line(1000, 14, 44)), of=item(period=(14, 44)), trial=(0, 14)),
        "si: pro x1 0-14 renews",
    ),
    "later than the month that was paid": (
        with_newest(PAID, trial=(31, 40), of=item()),
        "si: pro x1 0-30",
    ),
    "before the month that a coupon paid": (
        with_newest(invoice("in_1", line(0, 14, 44)), of=item(period=(14, 44)), trial=(0, 14)),
        "si: pro x1 14-44",
    ),
}


@pytest.mark.parametrize(("known", "expected"), TRIALS.values(), ids=TRIALS.keys())
def test_a_trial_ends_when_stripe_says_so(known: Evidence, expected: str) -> None:
    assert in_force(known) == [expected]


NEW = item("max", name="si_new", made=15)
ADD_ON = item("extra", name="si_extra", made=15)
SWAP = (change(-500, 15, price="pro"), change(1500, 15, item="si_new"))
WITH_YEAR = [item("year", name="si_year", period=(0, 365)), item("pro", period=NEXT)]
YEAR = line(9000, 0, 365, price="year", item="si_year")

BOTH_SENT = unpaid("in_2", line(1000, 30, 60), line(200, 30, 60, price="extra", item="si_extra"))

ITEMS = {
    "two, both paid": (
        with_newest(invoice("in_1", line(), line(200, price="extra", item="si_extra")), of=[item(), ADD_ON]),
        ["si: pro x1 0-30", "si_extra: extra x1 0-30"],
    ),
    "a paid year and a month that is not renewed": (
        with_newest(invoice("in_1", YEAR, line()), unpaid("in_2", line(1000, 30, 60)), of=WITH_YEAR, status="past_due"),
        ["si_year: year x1 0-365", "si: pro x1 0-30 renews"],
    ),
    "one added, paid": (
        with_newest(PAID, invoice("in_2", change(100, 15, price="extra", item="si_extra")), of=[item(), ADD_ON]),
        ["si: pro x1 0-30", "si_extra: extra x1 15-30"],
    ),
    "one added, unpaid": (
        with_newest(PAID, unpaid("in_2", change(100, 15, price="extra", item="si_extra")), of=[item(), ADD_ON]),
        ["si: pro x1 0-30", "si_extra: payment_pending"],
    ),
    "one added, not billed": (
        with_newest(PAID, of=[item(), ADD_ON]),
        ["si: pro x1 0-30", "si_extra: extra x1 0-30"],
    ),
    "one added, the invoice is not here": (
        with_newest(PAID, of=[item(), ADD_ON], latest="in_2"),
        ["si: pro x1 0-30", "si_extra: payment_pending"],
    ),
    "one added, not billed, to what nobody paid": (
        with_newest(FIRST_UNPAID, of=[item(), ADD_ON]),
        ["si: payment_pending", "si_extra: payment_pending"],
    ),
    "one added, not billed, to what was refunded": (
        with_newest(PAID, of=[item(), ADD_ON], back=refunded("in_1", 1000, 5)),
        ["si: refunded", "si_extra: refunded"],
    ),
    "one added after the paid time": (
        with_newest(PAID, of=[item(), item("extra", name="si_extra", made=30)]),
        ["si: pro x1 0-30", "si_extra: payment_pending"],
    ),
    "one added, not billed, and the renewal is sent": (
        with_newest(
            PAID,
            SENT,
            of=[item(period=NEXT), item("extra", name="si_extra", made=15, period=NEXT)],
            seen={("extra", 1): 15},
        ),
        ["si: pro x1 0-30 renews", "si_extra: extra x1 0-30 renews"],
    ),
    "one added as the month began, not billed": (
        with_newest(PAID, of=[item(), item("extra", name="si_extra")]),
        ["si: pro x1 0-30", "si_extra: extra x1 0-30"],
    ),
    "one added, not billed, and its own renewal is sent": (
        with_newest(
            PAID,
            BOTH_SENT,
            of=[RENEWING, item("extra", name="si_extra", made=15, period=NEXT)],
            seen={("extra", 1): 15},
        ),
        ["si: pro x1 0-30 renews", "si_extra: extra x1 0-30 renews"],
    ),
    "one added with the renewal that is sent": (
        with_newest(
            PAID,
            BOTH_SENT,
            of=[RENEWING, item("extra", name="si_extra", made=30, period=NEXT)],
            seen={("extra", 1): 30},
        ),
        ["si: pro x1 0-30 renews", "si_extra: payment_pending"],
    ),
    "one added while renewals are written off": (
        with_newest(
            PAID,
            SENT,
            unpaid("in_3", line(1000, 60, 90)),
            of=[item(period=(60, 90)), item("extra", name="si_extra", made=50, period=(60, 90))],
            seen={("extra", 1): 50},
        ),
        ["si: pro x1 0-30 renews", "si_extra: extra x1 0-30 renews"],
    ),
    "added and removed at once, with credit": (
        with_newest(
            PAID,
            invoice("in_2", change(100, 15, price="extra", item="si_extra")),
            invoice("in_3", change(-100, 15, price="extra", item="si_extra"), on=16),
        ),
        ["si: pro x1 0-30"],
    ),
    "added and replaced at once, unpaid": (
        with_newest(
            PAID,
            invoice("in_2", change(100, 15, price="extra", item="si_extra")),
            unpaid("in_3", change(-100, 15, price="extra", item="si_extra"), change(900, 15), on=16),
        ),
        ["si: pro x1 0-30", "si_extra: extra x1 15-30 kept, payment_pending"],
    ),
    "replaced, paid": (with_newest(PAID, invoice("in_2", *SWAP), of=[NEW]), ["si_new: max x1 15-30"]),
    "replaced, unpaid": (
        with_newest(PAID, unpaid("in_2", *SWAP), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "three seats replaced, unpaid": (
        with_newest(invoice("in_1", line(quantity=3)), unpaid("in_2", *SWAP), of=[NEW]),
        ["si_new: payment_pending", "si: pro x3 0-30 kept, payment_pending"],
    ),
    "replaced, unpaid, and an earlier version kept no quantity": (
        with_newest(invoice("in_1", line(quantity=None)), unpaid("in_2", *SWAP), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "replaced, and the payment refunded": (
        with_newest(PAID, invoice("in_2", *SWAP), of=[NEW], back=refunded("in_2", 1000, 20)),
        ["si_new: refunded", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "replaced, not billed": (with_newest(PAID, of=[NEW]), ["si_new: max x1 0-30"]),
    "replaced, not billed, beside a year": (
        with_newest(invoice("in_1", YEAR, line(1000, 5, 35)), of=[NEW, WITH_YEAR[0]]),
        ["si_new: max x1 5-35", "si_year: year x1 0-365"],
    ),
    "replaced, not billed, of what was refunded": (
        with_newest(PAID, invoice("in_2", YEAR), of=[NEW, WITH_YEAR[0]], latest="in_1", back=refunded("in_1", 1000, 5)),
        ["si_new: refunded", "si_year: year x1 0-365"],
    ),
    "removed, with credit": (
        with_newest(
            invoice("in_1", line(), line(200, price="extra", item="si_extra")),
            invoice("in_2", change(-100, 15, price="extra", item="si_extra")),
        ),
        ["si: pro x1 0-30"],
    ),
    "removed, without credit": (
        with_newest(invoice("in_1", line(), line(200, price="extra", item="si_extra"))),
        ["si: pro x1 0-30"],
    ),
    "removed, then one added without a bill": (
        with_newest(
            invoice("in_1", line(), line(200, price="extra", item="si_extra")),
            invoice("in_2", change(-100, 15, price="extra", item="si_extra")),
            of=[item(), item("other", name="si_other", made=20)],
        ),
        ["si: pro x1 0-30", "si_other: other x1 0-30"],
    ),
    "a replaced one that nobody paid": (
        with_newest(FIRST_UNPAID, unpaid("in_2", *SWAP), of=[NEW]),
        ["si_new: payment_pending"],
    ),
    "of the same price, made as the line begins": (
        with_newest(
            PAID,
            invoice("in_2", change(500, 15, price="pro", item="", quantity=2)),
            of=[item(name="si_late", made=15, quantity=2), item()],
        ),
        ["si_late: pro x2 15-30", "si: pro x1 0-30"],
    ),
    "of the same price, each by the time it was made": (
        with_newest(
            PAID,
            invoice("in_2", change(500, 15, price="pro", item="")),
            invoice("in_3", change(400, 20, price="pro", item="", quantity=2)),
            of=[item(name="si_late", made=18, quantity=2), item()],
        ),
        ["si_late: pro x2 20-30", "si: pro x1 15-30"],
    ),
}


@pytest.mark.parametrize(("known", "expected"), ITEMS.values(), ids=ITEMS.keys())
def test_several_items(known: Evidence, expected: list[str]) -> None:
    assert in_force(known) == expected


OF_UNKNOWN_AMOUNT = Fact("invoice_payment", "inpay_in_1", {"status": "paid", "amount_paid": None},
                         {"invoice_id": "in_1", "payment_intent_id": "pi_in_1"})  # fmt: skip
BY_SESSION = {
    "paid, and its invoice is not here": (with_newest(sessions=[session("in_1")], latest="in_1"), "si: pro x1 0-30"),
    "paid, without an invoice": (with_newest(sessions=[session()]), "si: pro x1 0-30"),
    "paid, and its invoice is here, unpaid": (
        with_newest(FIRST_UNPAID, sessions=[session("in_1")]),
        "si: pro x1 0-30",
    ),
    "unpaid": (with_newest(FIRST_UNPAID, sessions=[session("in_1", paid=None)]), "si: payment_pending"),
    "unpaid, and its invoice is not here": (
        with_newest(sessions=[session("in_1", paid=None)], latest="in_1"),
        "si: payment_pending",
    ),
    "paid, and refunded": (
        with_newest(sessions=[session("in_1")], latest="in_1", back=refunded("in_1", 1000, 5)),
        "si: refunded",
    ),
    "paid, and a part refunded": (
        with_newest(sessions=[session("in_1", amount=1001)], latest="in_1", back=refunded("in_1", 1000, 5)[1:]),
        "si: pro x1 0-30",
    ),
    "paid, and refunded, and how much was paid only the session knows": (
        with_newest(sessions=[session("in_1")], latest="in_1", back=[OF_UNKNOWN_AMOUNT, refunded("in_1", 1000, 5)[1]]),
        "si: refunded",
    ),
    "paid nothing, and something went back": (
        with_newest(
            sessions=[session("in_1", amount=0)], latest="in_1", back=[OF_UNKNOWN_AMOUNT, refunded("in_1", 1, 5)[1]]
        ),
        "si: pro x1 0-30",
    ),
    "paid nothing, for a trial": (
        with_newest(sessions=[session("in_1", amount=0)], latest="in_1", trial=(0, 14)),
        "si: pro x1 0-14",
    ),
    "nothing, and the start is a trial": (with_newest(free_until=30, trial=(0, 14)), "si: pro x1 0-14"),
    "paid, and the next period has begun": (
        with_newest(sessions=[session("in_1")], latest="in_2", of=item(period=NEXT)),
        "si: pro x1 0-30 renews",
    ),
    "paid, and the period began a little late": (
        with_newest(sessions=[session("in_1")], latest="in_1", of=item(period=(1 / 24, 30))),
        "si: pro x1 0-30",
    ),
    "paid, and the period is not known": (
        with_newest(sessions=[session("in_1")], latest="in_1", of=item(period=(None, None))),
        f"si: pro x1 0-{days(2**40)}",
    ),
    "nothing, but the start is free": (with_newest(free_until=12, of=item(period=(0, 12))), "si: pro x1 0-12"),
    "nothing, and the free start is over": (
        with_newest(unpaid("in_1", line(1000, 12, 42)), free_until=12, of=item(period=(12, 42))),
        "si: pro x1 0-12 renews",
    ),
    "nothing, the start is free, and a change is unpaid": (
        with_newest(unpaid("in_1", change(800, 5, 12)), free_until=12, free=[item()], of=item("max", period=(0, 12))),
        "si: pro x1 0-12 kept, payment_pending",
    ),
    "nothing, the start is free, and more seats are unpaid": (
        with_newest(
            unpaid("in_1", change(800, 5, 12, price="pro", quantity=3)),
            free_until=12, free=[item()], of=item(quantity=3, period=(0, 12)),
        ),
        "si: pro x1 0-12 kept, payment_pending",
    ),
    "nothing, the start is free, and a change is paid": (
        with_newest(invoice("in_1", change(800, 5, 12)), free_until=12, free=[item()], of=item("max", period=(0, 12))),
        "si: max x1 5-12",
    ),
    "nothing, the start is free, and a change is not billed": (
        with_newest(free_until=12, free=[item()], of=item("max", period=(0, 12))),
        "si: max x1 0-12",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), BY_SESSION.values(), ids=BY_SESSION.keys())
def test_a_session_or_a_free_start_stands_for_an_invoice(known: Evidence, expected: str) -> None:
    assert in_force(known) == [expected]


FOR_FREE = {"free_until": 12, "free": [item()], "of": [item("max", name="si_new", made=5, period=(0, 12))]}
SUCCESSOR = change(800, 5, 12, item="si_new")
ZERO = invoice("in_1", line(0))
DISCOUNTED = invoice("in_1", line(0, amount=1000))

NO_CREDIT = {
    "a free start, replaced and unpaid": (
        with_newest(unpaid("in_1", SUCCESSOR), **FOR_FREE),
        ["si_new: payment_pending", "si: pro x1 0-12 kept, payment_pending"],
    ),
    "a free start, replaced and paid": (with_newest(invoice("in_1", SUCCESSOR), **FOR_FREE), ["si_new: max x1 5-12"]),
    "a free start, replaced, paid and refunded": (
        with_newest(invoice("in_1", SUCCESSOR), **FOR_FREE, back=refunded("in_1", 800, 6)),
        ["si_new: refunded", "si: pro x1 0-12 kept, payment_pending"],
    ),
    "a free start, replaced without a bill": (with_newest(**FOR_FREE), ["si_new: max x1 0-12"]),
    "a free start, replaced and paid, and that unpaid": (
        with_newest(
            invoice("in_1", SUCCESSOR),
            unpaid("in_2", change(-400, 8, 12, item="si_new"), change(900, 8, 12, price="ultra", item="si_3")),
            **FOR_FREE | {"of": [item("ultra", name="si_3", made=8, period=(0, 12))]},
        ),
        ["si_3: payment_pending", "si_new: max x1 5-12 kept, payment_pending"],
    ),
    "a free start, and its renewal is sent": (
        with_newest(
            unpaid("in_1", SUCCESSOR),
            unpaid("in_2", line(3000, 12, 42, price="max", item="si_new")),
            **FOR_FREE | {"of": [item("max", name="si_new", made=5, period=(12, 42))]},
        ),
        ["si_new: payment_pending", "si: pro x1 0-12 kept, payment_pending"],
    ),
    "a price of zero, replaced and unpaid": (
        with_newest(ZERO, unpaid("in_2", change(1500, 15, item="si_new")), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "a full discount, replaced and unpaid": (
        with_newest(DISCOUNTED, unpaid("in_2", change(1500, 15, item="si_new")), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "a full discount, replaced and unpaid, and its credit is discounted too": (
        with_newest(DISCOUNTED, unpaid("in_2", change(0, 15, price="pro", amount=-500), SWAP[1]), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "a full discount, replaced and unpaid, and its credit is zero": (
        with_newest(DISCOUNTED, unpaid("in_2", change(0, 15, price="pro"), SWAP[1]), of=[NEW]),
        ["si_new: payment_pending", "si: pro x1 0-30 kept, payment_pending"],
    ),
    "a full discount, replaced and paid, and its credit is zero": (
        with_newest(DISCOUNTED, invoice("in_2", change(0, 15, price="pro"), SWAP[1]), of=[NEW]),
        ["si_new: max x1 15-30"],
    ),
    "a price of zero, replaced and paid": (
        with_newest(ZERO, invoice("in_2", change(1500, 15, item="si_new")), of=[NEW]),
        ["si_new: max x1 15-30"],
    ),
    "a cent, replaced without a credit": (
        with_newest(invoice("in_1", line(1)), unpaid("in_2", change(1500, 15, item="si_new")), of=[NEW]),
        ["si_new: payment_pending"],
    ),
    "a price of zero, removed": (
        with_newest(
            invoice("in_1", line(0), line(200, price="extra", item="si_extra")),
            of=[item("extra", name="si_extra")],
        ),
        ["si_extra: extra x1 0-30"],
    ),
    "a trial, cut short by what replaced it": (
        with_newest(
            invoice("in_1", line(0, 0, 14)),
            unpaid("in_2", line(1500, 5, 35, price="max", item="si_new")),
            of=[item("max", name="si_new", made=5, period=(5, 35))],
            trial=(0, 5),
        ),
        ["si_new: payment_pending"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), NO_CREDIT.values(), ids=NO_CREDIT.keys())
def test_what_cost_nothing_is_replaced_without_a_credit(known: Evidence, expected: list[str]) -> None:
    assert in_force(known) == expected


def test_a_former_item_is_as_its_paid_line_says() -> None:
    _, former = PaidTime(with_newest(PAID, unpaid("in_2", *SWAP), of=[NEW])).in_force()

    assert former.item == item()
