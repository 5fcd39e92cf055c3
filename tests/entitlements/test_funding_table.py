"""Which invoices are proof of money, as tables. No database, no simulator.

An invoice is named by its place in the row: the first is ``1``. PRO costs 3000 for thirty days, 100 a day.
"""

from __future__ import annotations

import pytest

from licenzy_django.entitlements.funding import billed_lines
from licenzy_django.entitlements.refunds import Payments
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice, Line
from tests.entitlements.money import change, disputed, invoice, line, refunded, seconds, unpaid

pytestmark = pytest.mark.rules


def proof(invoices: list[Invoice], back: list[Fact] | None = None, confirmed: set[str] | None = None) -> set[str]:
    """The names of the invoices that are proof of money."""
    payments = Payments(back or [])
    found = set()
    for each in invoices:
        bills = billed_lines(invoices, payments, item_id_of=item_id_of, confirmed=confirmed or ())
        if any(bill.counts and any(bill.line is own for own in each.lines) for bill in bills):
            found.add(each.id)
    return found


def item_id_of(billed: Line) -> str:
    return billed.item


def month(**more: object) -> Invoice:
    return invoice("1", line(3000), **more)


SINGLE = {
    "money": (month(), True),
    "unpaid": (unpaid("1", line(3000)), False),
    "money, and written off before": (month(status="uncollectible"), True),
    "below the minimum charge": (month(money=0), True),
    "a trial": (invoice("1", line(0)), True),
    "a full discount": (invoice("1", line(0, amount=3000)), True),
    "no lines at all": (invoice("1", line(0), total=0), True),
    "the balance": (month(money=0, starting_balance=-3000), True),
    "a part of the balance": (month(money=0, starting_balance=-9000), True),
    "the balance, and the card": (month(money=1000, starting_balance=-2000), True),
    "a debt of before": (month(starting_balance=500), True),
    "a credit note before payment": (month(money=0, credited_before_payment=3000), False),
    "a credit note of more": (month(money=0, credited_before_payment=3001), False),
    "a credit note of all but a cent": (month(money=0, credited_before_payment=2999), True),
    "a credit note over the only cent": (invoice("1", line(1), money=0, credited_before_payment=1), False),
    "a credit note over a part, and the card": (month(money=1000, credited_before_payment=2000), True),
    "the balance, with a credit note on it": (
        month(money=0, starting_balance=-3000, credited_before_payment=3000),
        True,
    ),
    "a credit note over what the balance left": (
        month(money=0, starting_balance=-1000, credited_before_payment=2000),
        True,
    ),
    "unearned credit that the card tops up": (invoice("1", change(-3000, 0), line(3001)), True),
    "unearned credit, and a sum below the minimum": (invoice("1", change(-3000, 0), line(3001), money=0), False),
    "unearned credit, and the balance for the rest": (
        invoice("1", change(-3000, 0), line(3100), money=0, starting_balance=-100),
        True,
    ),
    "unearned credit for the whole": (invoice("1", change(-3000, 0), line(3000)), False),
    "unearned credit for more": (invoice("1", change(-3000, 0), line(2700)), False),
    "unearned credit for a cent": (invoice("1", change(-1, 0), line(1)), False),
    "unearned credit, and the balance for a cent": (
        invoice("1", change(-3000, 0), line(3001), money=0, starting_balance=-1),
        True,
    ),
    "unearned credit for the whole, beside a balance that is not used": (
        invoice("1", change(-3000, 0), line(3000), starting_balance=-500),
        False,
    ),
    "unearned credit for a swap to what costs nothing": (invoice("1", change(-3000, 0), line(0)), True),
}


@pytest.mark.parametrize(("one", "is_proof"), SINGLE.values(), ids=SINGLE.keys())
def test_an_invoice_by_itself(one: Invoice, is_proof: bool) -> None:
    assert proof([one]) == ({"1"} if is_proof else set())


def test_what_a_session_of_ours_confirms_is_proof_before_the_invoice_says_so() -> None:
    assert proof([unpaid("1", line(3000))], confirmed={"1"}) == {"1"}
    assert proof([unpaid("1", line(3000))], confirmed={"2"}) == set()


def down(at: float, *, credit: int, debit: int, name: str = "2", **more: object) -> Invoice:
    """A change on a day, by credit for the old price up to day 30 and a debit for the new one."""
    return invoice(name, change(credit, at, price="pro"), change(debit, at), **more)


def again(name: str, credit: int) -> Invoice:
    """Another item for the rest of the month from day 10 on, by so much credit."""
    return invoice(name, change(-credit, 10), change(credit, 10, item=f"new_{name}"), on=10 + int(name) / 10)


CREDIT = {
    "for paid time": ([month(), down(10, credit=-2000, debit=2000)], {"1", "2"}),
    "for paid time, with a rest": ([month(), down(10, credit=-2000, debit=1000)], {"1", "2"}),
    "for a cent of paid time": ([invoice("1", line(30)), down(29, credit=-1, debit=1)], {"1", "2"}),
    "for paid time, and a sum below the minimum": (
        [month(), down(10, credit=-2000, debit=2030, money=0)],
        {"1", "2"},
    ),
    "for unpaid time": ([unpaid("1", line(3000)), down(10, credit=-2000, debit=2000)], set()),
    "for unpaid time, with a rest": ([unpaid("1", line(3000)), down(10, credit=-2000, debit=1000)], set()),
    "rounded": ([month(), down(10, credit=-2001, debit=2001)], {"1", "2"}),
    "rounded on both lines": ([month(), down(10, credit=-2002, debit=2002)], {"1", "2"}),
    "too much to be rounded": ([month(), down(10, credit=-2003, debit=2003)], {"1"}),
    "for half of the time": ([invoice("1", line(1500, 15)), down(0, credit=-3000, debit=3000, on=16)], {"1"}),
    "for half of the time, and enough": (
        [invoice("1", line(1500, 15)), down(0, credit=-3000, debit=1500, on=16)],
        {"1", "2"},
    ),
    "for another item's time": (
        [month(), invoice("2", change(-2000, 10, item="other"), change(2000, 10, item="other"))],
        {"1"},
    ),
    "for time before the paid time": (
        [invoice("1", line(3000, 30, 60), on=5), down(10, credit=-2000, debit=2000)],
        {"1"},
    ),
    "for time after the paid time": ([month(), down(30, credit=-2000, debit=2000)], {"1"}),
    "for time that cost nothing": ([invoice("1", line(0)), down(10, credit=-2000, debit=2000)], {"1"}),
    "twice for the same time": (
        [month(), down(10, credit=-2000, debit=2000), down(20, credit=-1000, debit=1000, name="3", on=20)],
        {"1", "2", "3"},
    ),
    "twice on one invoice": (
        [
            month(),
            invoice(
                "2",
                change(-2000, 10, item="si"),
                change(-2000, 10, item="si"),
                change(4000, 10, item="new"),
            ),
        ],
        {"1"},
    ),
    "twice for the same time of another item's": (
        [
            month(),
            invoice("2", change(-2000, 10), change(2000, 10, item="new")),
            invoice("3", change(-1000, 20), change(1000, 20, item="third")),
        ],
        {"1", "2"},
    ),
    "again, after an invoice that it did not pay": (
        [
            month(),
            invoice("2", change(-2000, 10), change(9000, 10, item="new"), total=0, money=0),
            invoice("3", change(-2000, 10), change(2000, 10, item="third"), on=11),
        ],
        {"1", "3"},
    ),
    "alone": ([unpaid("1", line(3000)), invoice("2", change(-2000, 10))], {"2"}),
    "for the only cent": ([invoice("1", line(1)), down(0, credit=-1, debit=1, on=1)], {"1", "2"}),
    "for paid time with a fee in it": (
        [invoice("1", line(3000), line(500, 15, 15), on=0), down(10, credit=-2000, debit=2000)],
        {"1", "2"},
    ),
    "for what two invoices paid, and then for the rest": (
        [month(), invoice("2", change(2000, 10)), again("3", 3000), again("4", 1000)],
        {"1", "2", "3", "4"},
    ),
    "in three parts, the last of which is too much": (
        [month(), again("2", 1000), again("3", 500), again("4", 1000)],
        {"1", "2", "3"},
    ),
    "for a cent that was credited before": ([month(), again("2", 2000), again("3", 2)], {"1", "2"}),
    "beside an invoice of the same second that has no lines": (
        [month(), invoice("0", on=0), down(10, credit=-2000, debit=2000)],
        {"1", "2"},
    ),
}


@pytest.mark.parametrize(("invoices", "expected"), CREDIT.values(), ids=CREDIT.keys())
def test_credit_pays_as_far_as_what_it_credits_had_been_paid(invoices: list[Invoice], expected: set[str]) -> None:
    assert proof(invoices) == expected
    assert proof(invoices[::-1]) == expected


def renewal(name: str = "3", net: int = 1000, *, on: float = 30, **more: object) -> Invoice:
    """Paid by the customer's balance alone, unless it says otherwise."""
    return invoice(name, line(net, on, on + 30), **{"money": 0, "starting_balance": -net} | more)


FEWER = down(10, credit=-2000, debit=1000)
LESS = invoice("2", change(-1000, 10))
BALANCE = {
    "earned": ([month(), FEWER, renewal()], {"1", "2", "3"}),
    "unearned": ([unpaid("1", line(3000)), FEWER, renewal()], set()),
    "unearned, by credit alone": ([unpaid("1", line(3000)), LESS, renewal()], {"2"}),
    "unearned, beside enough of one's own": (
        [unpaid("1", line(3000)), FEWER, renewal(starting_balance=-2000)],
        {"3"},
    ),
    "unearned, beside nearly enough": ([unpaid("1", line(3000)), FEWER, renewal(starting_balance=-1998)], set()),
    "unearned, and the card for the rest": (
        [unpaid("1", line(3000)), FEWER, renewal(net=2000, money=1000, starting_balance=-1000)],
        {"3"},
    ),
    "unearned, used up by a renewal that does not count": (
        [unpaid("1", line(3000)), FEWER, renewal(), renewal("4", on=60)],
        {"4"},
    ),
    "unearned, used up beside the card": (
        [
            unpaid("1", line(3000)),
            FEWER,
            renewal(net=2000, money=1000, starting_balance=-1000),
            renewal("4", on=60),
        ],
        {"3", "4"},
    ),
    "unearned, used up by another subscription": (
        [unpaid("1", line(3000)), FEWER, renewal(net=500, money=500, starting_balance=0), renewal("4", on=60)],
        {"3", "4"},
    ),
    "unearned, used up beside a credit note": (
        [
            unpaid("1", line(3000)),
            FEWER,
            renewal(net=2000, credited_before_payment=1000, starting_balance=-1000),
            renewal("4", on=60),
        ],
        {"4"},
    ),
    "a part of it unearned": (
        [invoice("1", line(1500, 15)), down(0, credit=-3000, debit=1000, on=16), renewal()],
        {"1", "2"},
    ),
    "unearned twice": (
        [
            unpaid("1", line(3000)),
            LESS,
            invoice("3", change(-1000, 20), starting_balance=-1000),
            renewal("4", starting_balance=-2000),
        ],
        {"2", "3"},
    ),
    "unearned, left over by what enough of one's own paid": (
        [unpaid("1", line(3000)), FEWER, renewal(starting_balance=-2000), renewal("4", on=60)],
        {"3"},
    ),
    "unearned by rounding on two lines": (
        [
            invoice("1", line(3000), line(3000, item="other")),
            invoice("2", change(-2001, 10), change(-2001, 10, item="other")),
            renewal(net=4002),
        ],
        {"1", "2", "3"},
    ),
    "unearned by more than rounding, beside lines of nothing": (
        [month(), invoice("2", change(-2002, 10), change(0, 11), change(0, 12), on=12), renewal(net=2002)],
        {"1", "2"},
    ),
    "unearned by rounding": ([month(), down(10, credit=-2001, debit=1000), renewal(net=1001)], {"1", "2", "3"}),
}


@pytest.mark.parametrize(("invoices", "expected"), BALANCE.values(), ids=BALANCE.keys())
def test_the_balance_is_money_except_what_nobody_paid_for(invoices: list[Invoice], expected: set[str]) -> None:
    assert proof(invoices) == expected


UP = invoice("2", change(-2000, 10, price="pro"), change(6000, 10), on=10)
SIDEWAYS = down(10, credit=-2000, debit=2000)
BY_BALANCE = invoice("2", change(-2000, 10), change(2500, 10), money=0, starting_balance=-500)
WENT_BACK = {
    "the money itself": ([month()], refunded("1", 3000, 5), set()),
    "a part of it": ([month()], refunded("1", 2999, 5), {"1"}),
    "the money itself, lost": ([month()], disputed("1", 3000, 5), set()),
    "that of the upgrade": ([month(), UP], refunded("2", 4000, 12), {"1"}),
    "what an upgrade's credit rests on, later": ([month(), UP], refunded("1", 3000, 12), set()),
    "what an upgrade's credit rests on, before": ([month(), UP], refunded("1", 3000, 9), {"2"}),
    "what an upgrade's credit rests on, as it was paid": ([month(), UP], refunded("1", 3000, 10), {"2"}),
    "what an upgrade's credit rests on, while it was not paid yet": (
        [month(), invoice("2", change(-2000, 10, price="pro"), change(6000, 10), on=10, paid=12)],
        refunded("1", 3000, 11),
        {"2"},
    ),
    "what credit alone rests on, later": ([month(), SIDEWAYS], refunded("1", 3000, 12), set()),
    "what credit alone rests on, before": ([month(), SIDEWAYS], refunded("1", 3000, 9), set()),
    "what credit beside the balance rests on, before": ([month(), BY_BALANCE], refunded("1", 3000, 9), {"2"}),
    "what the balance rests on": ([month(), FEWER, renewal()], refunded("1", 3000, 12), set()),
    "what the balance rests on, beside one's own": (
        [month(), FEWER, renewal(starting_balance=-2000)],
        refunded("1", 3000, 12),
        {"3"},
    ),
    "a part of what the balance rests on": (
        [
            invoice("1", line(3000)),
            invoice("2", line(3000, item="other")),
            invoice("3", change(-2000, 10), change(-2000, 10, item="other")),
            renewal("4", starting_balance=-4000),
        ],
        refunded("2", 3000, 12),
        {"1"},
    ),
    "what a credit of a cent rests on": (
        [month(), invoice("2", change(-1, 29), change(4, 29), on=29)],
        refunded("1", 3000, 29.5),
        {"2"},
    ),
    "nothing that the credit rests on": (
        [month(), invoice("2", change(-2000, 10, item="other"), change(6000, 10, item="other"))],
        refunded("1", 3000, 12),
        {"2"},
    ),
    "what the credit of the credit rests on": (
        [month(), SIDEWAYS, invoice("3", change(-1000, 20), change(1000, 20, price="mini"))],
        refunded("1", 3000, 25),
        set(),
    ),
}


@pytest.mark.parametrize(("invoices", "back", "expected"), WENT_BACK.values(), ids=WENT_BACK.keys())
def test_what_rests_on_money_that_went_back_is_no_proof(
    invoices: list[Invoice], back: list[Fact], expected: set[str]
) -> None:
    assert proof(invoices, back) == expected


def test_why_and_since_when_money_does_not_count_any_more() -> None:
    both = [month(), SIDEWAYS]

    bills = billed_lines(both, Payments(refunded("1", 3000, 12)), item_id_of=item_id_of)

    reversals = {bill.reversal for bill in bills}
    assert [(reversal.reason, reversal.at) for reversal in reversals if reversal] == [("refunded", seconds(12))]
    assert all(bill.was_proof for bill in bills)
    assert not any(
        bill.was_proof for bill in billed_lines([unpaid("1", line(3000))], Payments([]), item_id_of=item_id_of)
    )


GONE_BY = {
    "a change that the renewal bills": (change(500, 10, 30), 30, False),
    "a change that an invoice of its own bills": (change(500, 10, 30), 29, True),
    "a month billed in arrears": (line(500, 0, 30), 30, True),
    "no time at all": (line(500, 10, 10), 10, False),
}


@pytest.mark.parametrize(("billed", "on", "is_there"), GONE_BY.values(), ids=GONE_BY.keys())
def test_lines_for_time_gone_by_neither_give_nor_take(billed: Line, on: float, is_there: bool) -> None:
    bills = billed_lines([invoice("1", billed, on=on)], Payments([]), item_id_of=item_id_of)

    assert [bill.line for bill in bills] == ([billed] if is_there else [])


def test_lines_come_in_the_order_of_the_time_that_they_bill() -> None:
    first, second, third = line(3000, 0), change(1000, 10), line(3000, 30, 60)

    bills = billed_lines([invoice("1", third, second, on=0), invoice("2", first)], Payments([]), item_id_of=item_id_of)

    assert [bill.line for bill in bills] == [first, second, third]
    assert {bill.item_id for bill in bills} == {"si"}
