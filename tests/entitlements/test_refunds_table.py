"""Whether the money of a payment went back, as tables. No database, no simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice
from licenzy_django.stripe.objects.session import Session

pytestmark = pytest.mark.rules

PAID = {"amount_total": 1000, "currency": "eur"}


def refund(amount: int | None = 1000, at: int | None = 5, status: str = "succeeded", **more: Any) -> Fact:
    """Of ``pi_1``, unless it names another ``payment``; ``name`` tells two apart."""
    links = more.pop("links", {"payment_intent_id": more.pop("payment", "pi_1")})
    name = more.pop("name", f"re_{amount}_{at}_{status}")
    return Fact("refund", name, {"amount": amount, "created": at, "status": status, "currency": "eur"} | more, links)


def charge(refunded: int | None = 0, **more: Any) -> Fact:
    links = more.pop("links", {"payment_intent_id": "pi_1", "charge_id": "ch_1"})
    state = {"amount": 1000, "amount_refunded": refunded, "refunded_at": None, "created": 1, "currency": "eur"}
    return Fact("charge", more.pop("name", "ch_1"), state | more, links)


def dispute(status: str | None, at: int | None = 5, payment: str = "pi_1") -> Fact:
    return Fact("dispute", f"dp_{status}_{at}", {"status": status, "created": at}, {"payment_intent_id": payment})


def refunded(at: int) -> Reversal:
    return Reversal("refunded", at, is_open=False)


def disputed(at: int, *, is_open: bool) -> Reversal:
    return Reversal("disputed", at, is_open=is_open)


def reversal_of(facts: list[Fact], paid: dict[str, Any] = PAID) -> Reversal | None:
    session = Fact("checkout.session", "cs_1", paid, {"payment_intent_id": "pi_1"})
    return Payments(facts).reversal_of_session(Session.of(session))


REFUNDS = {
    "nothing": ([], None),
    "the whole": ([refund()], refunded(5)),
    "a cent less": ([refund(999)], None),
    "a cent more": ([refund(1001)], refunded(5)),
    "in two parts": ([refund(400, 5), refund(600, 9)], refunded(9)),
    "in two parts, the later first": ([refund(600, 9), refund(400, 5)], refunded(9)),
    "in two parts, a cent less": ([refund(400, 5), refund(599, 9)], None),
    "under way": ([refund(status="pending")], refunded(5)),
    "failed": ([refund(status="failed")], None),
    "canceled": ([refund(status="canceled")], None),
    "failed, and made again": ([refund(status="failed"), refund(at=9)], refunded(9)),
    "made, and a later one failed": ([refund(at=5), refund(status="failed", at=9)], refunded(5)),
    "a part that failed": ([refund(400), refund(600, status="failed")], None),
    "without an amount": ([refund(None)], None),
    "without a time": ([refund(at=None)], refunded(0)),
    "one of two without a time": ([refund(400, None), refund(600, 9)], refunded(9)),
    "of another payment": ([refund(payment="pi_2")], None),
    "of nothing": ([refund(links={})], None),
}


@pytest.mark.parametrize(("facts", "expected"), REFUNDS.values(), ids=REFUNDS.keys())
def test_a_payment_is_refunded_when_all_of_it_went_back(facts: list[Fact], expected: Reversal | None) -> None:
    assert reversal_of(facts) == expected


CHARGES = {
    "nothing refunded": ([charge(0)], None),
    "the whole": ([charge(1000, refunded_at=7)], refunded(7)),
    "a cent less": ([charge(999, refunded_at=7)], None),
    "no time of the refund": ([charge(1000)], refunded(1)),
    "no time at all": ([charge(1000, created=None)], refunded(0)),
    "no amount": ([charge(None)], None),
    "more than the refunds that we know": ([charge(1000, refunded_at=7), refund(600)], refunded(7)),
    "as much as the refunds": ([charge(1000, refunded_at=7), refund()], refunded(5)),
    "less than the refunds": ([charge(0), refund()], refunded(5)),
    "what failed since is taken off": ([charge(1000, refunded_at=7), refund(status="failed")], None),
    "a part that failed too": ([charge(1000, refunded_at=7), refund(1, status="canceled")], None),
    "a failed part without an amount": ([charge(1000, refunded_at=7), refund(None, status="failed")], refunded(7)),
    "what failed is over and above": ([charge(1400, refunded_at=7), refund(400, status="failed")], refunded(7)),
    "two that add up": (
        [charge(400, refunded_at=7, name="ch_1"), charge(600, refunded_at=8, name="ch_2")],
        refunded(8),
    ),
}


@pytest.mark.parametrize(("facts", "expected"), CHARGES.values(), ids=CHARGES.keys())
def test_a_charge_knows_refunds_that_we_do_not(facts: list[Fact], expected: Reversal | None) -> None:
    assert reversal_of(facts) == expected


USD = {"currency": "usd"}
CURRENCIES = {
    "the whole of the charge": ([charge(0, amount=1100, **USD), refund(1100, **USD)], refunded(5)),
    "as many dollars as euros": ([charge(0, amount=1100, **USD), refund(1000, **USD)], None),
    "the charge alone": ([charge(1100, amount=1100, refunded_at=7, **USD)], refunded(7)),
    "the charge alone, in part": ([charge(1000, amount=1100, refunded_at=7, **USD)], None),
    "the charge is unknown": ([refund(1100, **USD)], None),
    "the charge has no amount": ([charge(1100, amount=None, **USD)], None),
    "two charges": (
        [charge(0, amount=600, name="ch_1", **USD), charge(0, amount=500, name="ch_2", **USD), refund(1100, **USD)],
        refunded(5),
    ),
    "one refund of two in it": ([charge(0, amount=1100), refund(1000), refund(99, **USD)], None),
    "no currency is ours": ([refund(currency=None)], refunded(5)),
    "no currency of the charge is ours": ([charge(0, amount=1100, currency=None), refund()], refunded(5)),
    "no currency of the charge, and a foreign refund": (
        [charge(0, amount=1100, currency=None), refund(1000, **USD)],
        None,
    ),
}


@pytest.mark.parametrize(("facts", "expected"), CURRENCIES.values(), ids=CURRENCIES.keys())
def test_in_another_currency_the_charge_says_what_the_whole_is(facts: list[Fact], expected: Reversal | None) -> None:
    assert reversal_of(facts) == expected


FREE = {"nothing to pay": 0, "unknown": None, "credit": -5}


@pytest.mark.parametrize("amount", FREE.values(), ids=FREE.keys())
def test_what_cost_nothing_is_never_refunded(amount: int | None) -> None:
    assert reversal_of([refund(0), charge(0)], PAID | {"amount_total": amount}) is None


def test_one_cent_can_be_refunded() -> None:
    assert reversal_of([refund(1)], PAID | {"amount_total": 1}) == refunded(5)


def test_an_amount_that_was_never_said_is_not_refunded() -> None:
    assert reversal_of([refund(0)], {}) is None


DISPUTES = {
    "needs_response": True,
    "under_review": True,
    "a_status_of_tomorrow": True,
    None: True,
    "lost": False,
    "charge_refunded": False,
    "won": None,
    "prevented": None,
    "warning_needs_response": None,
    "warning_under_review": None,
    "warning_closed": None,
}


@pytest.mark.parametrize(("status", "is_open"), DISPUTES.items())
def test_what_a_dispute_in_this_status_means(status: str | None, is_open: bool | None) -> None:
    assert reversal_of([dispute(status)]) == (None if is_open is None else disputed(5, is_open=is_open))


BOTH = {
    "of two open ones the first": (
        [dispute("needs_response", 6), dispute("under_review", 4)],
        disputed(4, is_open=True),
    ),
    "of two lost ones the first": ([dispute("lost", 6), dispute("charge_refunded", 4)], disputed(4, is_open=False)),
    "lost after an open one": ([dispute("needs_response", 4), dispute("lost", 6)], disputed(4, is_open=False)),
    "lost before an open one": ([dispute("lost", 4), dispute("needs_response", 6)], disputed(4, is_open=False)),
    "a won one counts for nothing": ([dispute("won", 2), dispute("lost", 6)], disputed(6, is_open=False)),
    "lost, then refunded": ([dispute("lost", 3), refund(at=5)], refunded(3)),
    "refunded, then lost": ([refund(at=5), dispute("lost", 8)], refunded(5)),
    "open, then refunded": ([dispute("needs_response", 3), refund(at=5)], refunded(3)),
    "won, and refunded": ([dispute("won", 3), refund(at=5)], refunded(5)),
    "refunded in part, and open": ([refund(999, 3), dispute("needs_response", 5)], disputed(5, is_open=True)),
    "an open one without a time": ([dispute("needs_response", None)], disputed(0, is_open=True)),
    "a lost one without a time": ([dispute("lost", None)], disputed(0, is_open=False)),
    "of another payment": ([dispute("lost", payment="pi_2")], None),
}


@pytest.mark.parametrize(("facts", "expected"), BOTH.values(), ids=BOTH.keys())
def test_refunds_and_disputes_are_read_together(facts: list[Fact], expected: Reversal | None) -> None:
    assert reversal_of(facts) == expected
    assert reversal_of(facts[::-1]) == expected


def test_a_payment_without_an_id_has_no_refunds() -> None:
    unpaid = Session.of(Fact("checkout.session", "cs_1", PAID))

    assert Payments([refund(links={}), dispute("lost", payment="")]).reversal_of_session(unpaid) is None


def invoice_payment(
    payment: str, charge_id: str = "", invoice: str = "in_1", status: str = "paid", amount: int | None = None
) -> Fact:
    links = {"invoice_id": invoice, "payment_intent_id": payment, "charge_id": charge_id}
    return Fact("invoice_payment", f"inpay_{payment}", {"status": status, "amount_paid": amount}, links)


def named_by_invoice(paid_at: int | None) -> Fact:
    """Shapes of before 2025 name the payment in the invoice itself."""
    return Fact("invoice", "in_1", {"paid_at": paid_at}, {"invoice_id": "in_1", "payment_intent_id": "pi_1"})


def credit_note(amount: int, *, by_refund: int = 0, status: str = "issued", at: int = 8) -> Fact:
    state = {"status": status, "created": at, "credited_after_payment": amount, "refunded": by_refund}
    return Fact("credit_note", f"cn_{amount}", state, {"invoice_id": "in_1"})


def invoice(amount_paid: int = 1000, *, total: int = 1000, credited: int = 0) -> Invoice:
    """Paid at second 1."""
    return Invoice("in_1", "paid", 1, 1, amount_paid, "eur", total, 0, 0, credited, ())


lost_of_the_third = dispute("lost", payment="pi_3")
TWO_HALVES = [invoice_payment("pi_1", amount=500), invoice_payment("pi_2", amount=500)]
PAID_TWICE = [invoice_payment("pi_1", amount=1000), invoice_payment("pi_2", amount=1000)]
CHARGE_AND_INTENT = {"payment_intent_id": "pi_1", "charge_id": "ch_1"}
INVOICES = {
    "by the payment intent": ([invoice_payment("pi_1"), refund()], refunded(5)),
    "by the charge": ([invoice_payment("", "ch_1"), refund(links={"charge_id": "ch_1"})], refunded(5)),
    "by both, once": ([invoice_payment("pi_1", "ch_1"), refund(600, links=CHARGE_AND_INTENT)], None),
    "of two payments": (
        [invoice_payment("pi_1"), invoice_payment("pi_2"), refund(400, 5), refund(600, 9, payment="pi_2")],
        refunded(9),
    ),
    "of one of two payments": ([invoice_payment("pi_1"), invoice_payment("pi_2"), refund(400)], None),
    "of another invoice": ([invoice_payment("pi_1", invoice="in_2"), refund()], None),
    "a dispute": ([invoice_payment("pi_1"), dispute("lost")], disputed(5, is_open=False)),
    "of no payment known": ([refund()], None),
    "of a try that failed": ([invoice_payment("pi_1", status="canceled"), refund()], None),
    "a dispute of a payment that is still open": ([invoice_payment("pi_1", status="open"), dispute("lost")], None),
    "of both halves": ([*TWO_HALVES, refund(500), refund(500, 9, payment="pi_2")], refunded(9)),
    "of one half": ([*TWO_HALVES, refund(500)], None),
    "a dispute of one half": ([*TWO_HALVES, dispute("lost", payment="pi_2")], disputed(5, is_open=False)),
    "of a payment too many": ([*PAID_TWICE, refund(1000, payment="pi_2")], None),
    "a dispute of a payment too many": ([*PAID_TWICE, dispute("lost", payment="pi_2")], None),
    "of both payments": ([*PAID_TWICE, refund(1000), refund(1000, 9, payment="pi_2")], refunded(9)),
    "a dispute of the half that is still paid twice over": (
        [*TWO_HALVES, invoice_payment("pi_3", amount=500), dispute("lost", payment="pi_3")],
        None,
    ),
    "a won dispute of one half": ([*TWO_HALVES, dispute("won", payment="pi_2")], None),
    "a dispute where a payment says no amount": (
        [invoice_payment("pi_1", amount=999), invoice_payment("pi_2"), dispute("lost", payment="pi_3")],
        None,
    ),
    "a dispute, and what is left is a cent short": (
        [
            invoice_payment("pi_1", amount=999),
            invoice_payment("pi_2"),
            invoice_payment("pi_3"),
            dispute("lost", payment="pi_3"),
        ],
        disputed(5, is_open=False),
    ),
    "more than the whole, one amount unknown": (
        [invoice_payment("pi_1", amount=2000), invoice_payment("pi_2"), refund(1000)],
        refunded(5),
    ),
    "an invoice that names its payment and is paid": ([named_by_invoice(paid_at=1), refund()], refunded(5)),
    "an invoice that names its payment and is not paid": ([named_by_invoice(paid_at=None), refund()], None),
    "a credit note over the whole, to the balance": ([invoice_payment("pi_1"), credit_note(1000)], refunded(8)),
    "a credit note over a part": ([invoice_payment("pi_1"), credit_note(999)], None),
    "a void credit note": ([invoice_payment("pi_1"), credit_note(1000, status="void")], None),
    "half by a refund, half to the balance": ([invoice_payment("pi_1"), refund(400), credit_note(600)], refunded(5)),
    "a credit note that its refund pays out": (
        [invoice_payment("pi_1"), refund(600), credit_note(600, by_refund=600)],
        None,
    ),
}


@pytest.mark.parametrize(("facts", "expected"), INVOICES.values(), ids=INVOICES.keys())
def test_an_invoice_is_refunded_by_its_payments(facts: list[Fact], expected: Reversal | None) -> None:
    assert Payments(facts).reversal_of_invoice(invoice()) == expected
    assert Payments(facts[::-1]).reversal_of_invoice(invoice()) == expected


def test_of_an_invoice_counts_what_was_paid() -> None:
    facts = [invoice_payment("pi_1"), refund(600)]

    assert Payments(facts).reversal_of_invoice(invoice(600)) == refunded(5)


def test_what_an_invoice_says_of_its_credit_notes_counts_where_they_are_not_known() -> None:
    assert Payments([]).reversal_of_invoice(invoice(credited=999)) is None
    assert Payments([]).reversal_of_invoice(invoice(credited=1000)) == refunded(1)


def test_one_cent_of_an_invoice_counts() -> None:
    one_cent = [invoice_payment("pi_1", amount=1), invoice_payment("pi_2", amount=1), dispute("lost", payment="pi_2")]

    assert Payments([]).reversal_of_invoice(invoice(1, total=1, credited=1)) == refunded(1)
    assert Payments(one_cent).reversal_of_invoice(invoice(1, total=1)) is None


def test_an_invoice_that_cost_nothing_can_be_disputed_by_its_payment() -> None:
    facts = [invoice_payment("pi_1", amount=0), dispute("lost")]

    assert Payments(facts).reversal_of_invoice(invoice(0, total=0)) == disputed(5, is_open=False)


def test_a_credit_without_a_time_counts_from_the_beginning() -> None:
    unpaid = replace(invoice(credited=1000), paid_at=None)

    assert Payments([]).reversal_of_invoice(unpaid) == refunded(0)


def test_a_refund_of_a_credit_note_that_failed_gave_nothing_back() -> None:
    failed = [invoice_payment("pi_1"), credit_note(1000, by_refund=1000), refund(status="failed")]

    assert Payments(failed).reversal_of_invoice(invoice(credited=1000)) is None


def test_of_an_invoice_that_credit_paid_counts_its_total() -> None:
    assert Payments([]).reversal_of_invoice(invoice(0, total=1000, credited=1000)) == refunded(1)
    assert Payments([]).reversal_of_invoice(invoice(0, total=0, credited=0)) is None
    assert Payments([invoice_payment("pi_1"), refund(1)]).reversal_of_invoice(invoice(0)) is None
