"""What the entitlements of a subscription say, by Stripe's status and by what is paid. No database, no simulator.

PRO is product 1, with three days of grace; ``plain`` and ``plain_eur`` are product 2, without; ``max`` is product 3.
Stripe is silent for at most a day (the leeway).
"""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.subscription_states import derive_subscription
from licenzy_django.entitlements.terms import PriceBook, PriceSpan, Terms
from licenzy_django.stripe.objects import Fact, merged
from tests.entitlements.money import DAY, days, refunded, seconds

pytestmark = pytest.mark.rules

PRO = Terms(product_id=1, kind="subscription", grace_days=3)
PLAIN = Terms(product_id=2, kind="subscription")
MAX = Terms(product_id=3, kind="subscription")
TERMS = {"pro": PRO, "plain": PLAIN, "plain_eur": PLAIN, "max": MAX}


def terms_of(price: str, at: int | None) -> Terms | None:
    return TERMS.get(price)


def item(
    price: str = "pro", quantity: int = 1, *, name: str = "si", made: float | None = 0, end: float | None = 30
) -> Any:
    start = None if end is None else seconds(end - 30)
    return {
        "id": name,
        "price": price,
        "quantity": quantity,
        "created": seconds(made),
        "period_start": start,
        "period_end": seconds(end),
    }


def subscription(*items: Any, status: str | None = "active", latest: str = "in_1", **more: Any) -> Fact:
    known = {
        "status": status,
        "created": 0,
        "items": list(items or [item()]),
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "latest_invoice": latest,
        "trial_start": None,
        "trial_end": None,
        "seen_at": None,
    }
    return Fact("subscription", "sub_1", known | more, {"subscription_id": "sub_1"})


def line(price: str = "pro", start: float = 0, end: float = 30, amount: int = 1000, **more: Any) -> Any:
    known = {"item": "si", "quantity": 1, "proration": False} | more
    return {"price": price, "amount": amount, "net": amount, "start": seconds(start), "end": seconds(end)} | known


def invoice(*lines: Any, name: str = "in_1", paid: bool = True, **more: Any) -> Fact:
    billed = list(lines or [line()])
    made, total = max(each["start"] for each in billed), sum(each["amount"] for each in billed)
    known = {
        "status": "paid" if paid else "open",
        "paid_at": made if paid else None,
        "created": made,
        "amount_paid": max(0, total) if paid else 0,
        "currency": "eur",
        "total": total,
        "starting_balance": 0,
        "credited_before_payment": 0,
        "credited_after_payment": 0,
        "lines": billed,
    }
    return Fact("invoice", name, known | more, {"invoice_id": name, "subscription_id": "sub_1"})


def seen(price: str, on: float, quantity: int = 1) -> Fact:
    state = {"price": price, "quantity": quantity, "seen_at": seconds(on)}
    return Fact("subscription_price", f"sub_1/{price}/{quantity}", state)


def states(of: Fact, *facts: Fact) -> list[EntitlementState]:
    return derive_subscription(of, facts, terms_of, leeway=DAY)


def state(of: Fact, *facts: Fact) -> EntitlementState:
    [only] = states(of, *facts)
    return only


def shown(one: EntitlementState) -> str:
    """Status and reason, and until which day it is on."""
    said = f"{one.status} {one.status_reason}".strip()
    return f"{said}, on until {days(one.available_until)}" if one.grants_access else f"{said}, off"


UNPAID = invoice(paid=False)
RENEWAL = invoice(line(start=30, end=60), name="in_2", paid=False)
CHANGE = invoice(
    line("pro", 15, 30, -500, proration=True), line("max", 15, 30, 1500, proration=True), name="in_2", paid=False
)
DUE = item(end=60)

# By what is paid: the current period, nothing, the period before, the period before of a product without grace,
# the period under a change that is not paid, and what was refunded.
BY_STATUS = {
    "active": (
        "active, on until 31",
        "suspended payment_pending, off",
        "active, on until 61",
        "past_due refunded, off",
    ),
    "trialing": (
        "trialing, on until 31",
        "suspended payment_pending, off",
        "trialing, on until 61",
        "past_due refunded, off",
    ),
    "past_due": (
        "active, on until 33",
        "suspended payment_pending, off",
        "past_due past_due, on until 33",
        "past_due refunded, off",
    ),
    "unpaid": (
        "active, on until 30",
        "suspended payment_pending, off",
        "past_due past_due, off",
        "past_due refunded, off",
    ),
    "paused": (
        "suspended paused, off",
        "suspended payment_pending, off",
        "suspended paused, off",
        "past_due refunded, off",
    ),
    "incomplete": ("suspended payment_pending, off",) * 3 + ("past_due refunded, off",),
    "a_status_of_tomorrow": ("suspended payment_pending, off",) * 3 + ("past_due refunded, off",),
    None: ("suspended payment_pending, off",) * 3 + ("past_due refunded, off",),
    "canceled": ("canceled canceled, off",) * 4,
    "incomplete_expired": ("canceled canceled, off",) * 4,
}


@pytest.mark.parametrize(("status", "expected"), BY_STATUS.items(), ids=map(str, BY_STATUS))
def test_paid_time_within_what_the_status_allows(status: str | None, expected: tuple[str, ...]) -> None:
    found = (
        state(subscription(status=status), invoice()),
        state(subscription(status=status), UNPAID),
        state(subscription(DUE, status=status, latest="in_2"), invoice(), RENEWAL),
        state(subscription(status=status), invoice(), *refunded("in_1", 1000, 5)),
    )

    assert tuple(map(shown, found)) == expected


def test_without_grace_a_renewal_that_fails_ends_at_once() -> None:
    plain = item("plain", end=60)
    paid = invoice(line("plain"))

    assert shown(state(subscription(plain, status="past_due", latest="in_2"), paid)) == "past_due past_due, off"
    assert shown(state(subscription(item("plain"), status="past_due"), paid)) == "active, on until 30"


UNDER_A_CHANGE = {
    "active": ("active, on until 31", "suspended payment_pending, off"),
    "past_due": ("active, on until 33", "suspended payment_pending, off"),
    "unpaid": ("active, on until 30", "suspended payment_pending, off"),
    "paused": ("suspended paused, off", "suspended payment_pending, off"),
    "canceled": ("canceled canceled, off", "canceled canceled, off"),
}


@pytest.mark.parametrize(("status", "expected"), UNDER_A_CHANGE.items())
def test_a_change_that_is_not_paid_leaves_the_paid_time(status: str, expected: tuple[str, str]) -> None:
    pro, maximum = states(subscription(item("max"), status=status, latest="in_2"), invoice(), CHANGE)

    assert (pro.product_id, maximum.product_id) == (1, 3)
    assert (shown(pro), shown(maximum)) == expected


def test_why_a_change_is_not_there() -> None:
    paid = invoice(line("pro", 15, 30, -500, proration=True), line("max", 15, 30, 1500, proration=True), name="in_2")

    pro, maximum = states(subscription(item("max"), latest="in_2"), invoice(), paid, *refunded("in_2", 1000, 20))

    assert (shown(pro), shown(maximum)) == ("active, on until 31", "past_due refunded, off")


def test_a_change_within_a_product_shows_what_is_paid_alone() -> None:
    more = invoice(line("plain_eur", 15, 30, 500, proration=True), name="in_2", paid=False)

    only = state(subscription(item("plain_eur"), latest="in_2"), invoice(line("plain")), more)

    assert (only.price, shown(only)) == ("plain", "active, on until 31")


def test_a_paid_product_that_nobody_knows_leaves_the_change_to_be_paid() -> None:
    only = state(subscription(item("max"), latest="in_2"), invoice(line("strange")), CHANGE)

    assert (only.product_id, shown(only)) == (3, "suspended payment_pending, off")


def test_a_price_that_nobody_knows_gives_nothing() -> None:
    assert states(subscription(item("strange")), invoice(line("strange")), seen("strange", 0)) == []


ENDS = {
    "at a moment": ({"cancel_at": seconds(20)}, "active, on until 20"),
    "at the period's end": ({"cancel_at_period_end": True}, "active, on until 30"),
    "later than what is known": ({"cancel_at": seconds(90)}, "active, on until 31"),
    "not": ({}, "active, on until 31"),
}


@pytest.mark.parametrize(("ends", "expected"), ENDS.values(), ids=ENDS.keys())
def test_what_is_to_end_has_no_leeway(ends: dict[str, Any], expected: str) -> None:
    found = state(subscription(**ends), invoice())

    assert shown(found) == expected
    assert found.cancel_at == (ends.get("cancel_at") or (seconds(30) if ends else None))


def test_grace_ends_where_the_subscription_is_to_end() -> None:
    due = subscription(DUE, status="past_due", latest="in_2", cancel_at=seconds(31))

    assert shown(state(due, invoice())) == "past_due past_due, on until 31"


def test_a_renewal_that_is_paid_reaches_to_its_end_before_stripe_reports_it() -> None:
    renewed = state(subscription(), invoice(), invoice(line(start=30, end=60), name="in_2"))

    assert shown(renewed) == "active, on until 61"
    assert (days(renewed.current_period_end), days(renewed.terms_at)) == (60, 30)


def test_no_seats_are_no_right_and_may_come_back() -> None:
    paid, none = invoice(line()), item(quantity=0)

    assert shown(state(subscription(none), paid)) == "suspended canceled, off"
    assert shown(state(subscription(none), UNPAID)) == "suspended canceled, off"
    assert shown(state(subscription(none, status="canceled"), UNPAID)) == "canceled canceled, off"


def two(*, amount: int = 1000, second: str = "plain_eur", paid: bool = True) -> list[EntitlementState]:
    """Three seats at one price and four at another, of which the second is paid or not."""
    of = subscription(item("plain", 3), item(second, 4, name="si_2"))
    return states(
        of, invoice(line("plain", quantity=3)), invoice(line(second, quantity=4, item="si_2"), name="in_2", paid=paid)
    )


def test_several_prices_of_one_product_add_up() -> None:
    assert [(one.product_id, one.quantity, shown(one)) for one in two()] == [(2, 7, "active, on until 31")]
    assert [(one.product_id, one.quantity, shown(one)) for one in two(paid=False)] == [(2, 3, "active, on until 31")]
    assert [(one.product_id, one.quantity) for one in two(second="max")] == [(2, 3), (3, 4)]


def test_of_several_that_are_off_the_one_that_may_come_back_says_why() -> None:
    of = subscription(item("plain_eur"))

    found = state(of, seen("plain", 0), seen("plain_eur", 5), invoice(line("plain_eur"), paid=False))

    assert (found.price, shown(found)) == ("plain_eur", "suspended payment_pending, off")


def test_a_product_that_was_swapped_away_has_ended() -> None:
    of = subscription(item("max"))

    pro, maximum = states(of, seen("pro", 0), seen("pro", 3, 2), seen("max", 10), invoice(line("max")))

    assert (pro.product_id, pro.price, shown(pro)) == (1, "pro", "canceled canceled, off")
    assert (days(pro.starts_at), days(pro.canceled_at)) == (0, 10)
    assert shown(maximum) == "active, on until 31"


def test_what_was_seen_last_and_is_gone_ended_with_the_subscription() -> None:
    [pro, _] = states(subscription(item("max"), ended_at=seconds(12)), seen("pro", 11), seen("max", 1), invoice())

    assert days(pro.canceled_at) == 12


def test_a_former_product_began_with_its_first_paid_line() -> None:
    of = subscription(item("max", end=60), latest="in_2", created=seconds(1))
    paid = [invoice(line("pro", start=2)), invoice(line("max", 30, 60), name="in_2")]

    pro, maximum = states(of, seen("pro", 2), seen("max", 30), *paid)

    assert (days(pro.starts_at), days(maximum.starts_at)) == (2, 30)
    assert days(states(of, seen("pro", 2), seen("max", 30), *paid[1:])[0].starts_at) == 1


STARTS = {
    "with its first paid line": (subscription(item(made=3)), [invoice(line(start=2))], 2),
    "with its item": (subscription(item(made=3)), [UNPAID], 3),
    "with itself": (subscription(item(made=None), created=seconds(1)), [UNPAID], 1),
    "with the first of two lines": (
        subscription(item(end=60), latest="in_2"),
        [invoice(line(start=4)), invoice(line(start=30, end=60), name="in_2")],
        4,
    ),
}


@pytest.mark.parametrize(("of", "facts", "expected"), STARTS.values(), ids=STARTS.keys())
def test_when_it_began(of: Fact, facts: list[Fact], expected: float) -> None:
    assert days(state(of, *facts).starts_at) == expected


def test_the_terms_are_asked_for_as_of_the_day_on_which_the_item_was_made() -> None:
    asked: list[tuple[str, Any]] = []

    def ask(price: str, at: int | None) -> Terms | None:
        asked.append((price, days(at)))
        return None

    of = subscription(item(made=3), item("max", name="si_2", made=None), created=seconds(1))
    derive_subscription(of, [seen("plain", 7), seen("pro", 4)], ask, leeway=0)

    assert asked == [("pro", 3), ("max", 1), ("plain", 7)]


CANCELED = {
    "as Stripe says": ({"status": "canceled", "canceled_at": seconds(5), "ended_at": seconds(9)}, 5),
    "when it ended": ({"status": "canceled", "ended_at": seconds(9)}, 9),
    "with its customer": ({}, 7),
}
DELETED = Fact("customer", "cus_1", {"is_deleted": True, "deleted_at": seconds(7)})


@pytest.mark.parametrize(("more", "expected"), CANCELED.values(), ids=CANCELED.keys())
def test_a_subscription_that_is_over(more: dict[str, Any], expected: float) -> None:
    found = state(subscription(**more), invoice(), DELETED)

    assert (shown(found), days(found.canceled_at)) == ("canceled canceled, off", expected)


def test_a_customer_that_is_there_ends_nothing() -> None:
    there = Fact("customer", "cus_1", {"is_deleted": False, "deleted_at": None})

    assert shown(state(subscription(), invoice(), there)) == "active, on until 31"


def test_everything_that_a_state_says() -> None:
    of = subscription(item(quantity=2), canceled_at=seconds(3), cancel_at=seconds(30))

    assert state(of, invoice(line(quantity=2))) == EntitlementState(
        source_id="sub_1",
        product_id=1,
        price="pro",
        status="active",
        grants_access=True,
        quantity=2,
        starts_at=0,
        current_period_end=seconds(30),
        cancel_at=seconds(30),
        canceled_at=seconds(3),
        available_until=seconds(30),
        terms_at=0,
    )


def free_start_fact(until: float) -> Fact:
    shown = {"seen_at": 0, "items": [["si", "pro", 2]]}
    return Fact("free_start", "sub_1/free_start", {"until": seconds(until), "shown": shown})


FREE = free_start_fact(30)
PAID_SESSION = Fact(
    "checkout.session", "cs_1", {"paid_at": 0, "amount_total": 1000, "currency": "eur"}, {"invoice_id": "in_1"}
)
ON, OFF = "active, on until 31", "suspended payment_pending, off"

EVIDENCE = {
    "an invoice whose lines are not known": ([invoice(lines=None)], OFF),
    "a free start": ([FREE], ON),
    "a free start, and the first invoice came after all": ([FREE, invoice(line(quantity=2), paid=False)], OFF),
    "a free start, and an invoice that may be the first": ([FREE, invoice(lines=None)], OFF),
    "a free start, and something else is billed": ([FREE, invoice(line("setup", end=0), paid=False)], ON),
    "a free start, and more seats are billed": ([FREE, invoice(line(quantity=9, proration=True), paid=False)], ON),
    "a free start, and the first invoice came an hour late": (
        [FREE, invoice(line(quantity=2), paid=False, created=3600)],
        OFF,
    ),
    "a free start, and an invoice came later than that": (
        [FREE, invoice(line(quantity=2), paid=False, created=3601)],
        ON,
    ),
    "a free start, and an invoice of nobody knows when": (
        [FREE, invoice(line(quantity=2), paid=False, created=None)],
        OFF,
    ),
    "a free start, and its renewal is open": ([FREE, invoice(line(quantity=2, start=30, end=60), paid=False)], ON),
    "a session of ours": ([PAID_SESSION], ON),
}


@pytest.mark.parametrize(("known", "expected"), EVIDENCE.values(), ids=EVIDENCE.keys())
def test_what_counts_as_evidence(known: list[Fact], expected: str) -> None:
    assert shown(state(subscription(item(quantity=2)), *known)) == expected


SENT_FOR_THREE = invoice(line(start=30, end=60, amount=3000, quantity=3), name="in_2", paid=False)
SENT_FOR_MAX = invoice(line("max", start=30, end=60, amount=3000), name="in_2", paid=False)
SEEN = {
    "more seats, before the renewal": ("pro", 3, [SENT_FOR_THREE, seen("pro", 0), seen("pro", 10, 3)], (1, 3)),
    "more seats, with the renewal": ("pro", 3, [SENT_FOR_THREE, seen("pro", 0), seen("pro", 30, 3)], (1, 1)),
    "another plan, before the renewal": ("max", 1, [SENT_FOR_MAX, seen("pro", 0), seen("max", 10)], (3, 1)),
    "another plan, by a version that kept no quantity": (
        "max",
        1,
        [SENT_FOR_MAX, Fact("subscription_price", "sub_1/max", {"price": "max", "seen_at": seconds(10)})],
        (1, 1),
    ),
}


@pytest.mark.parametrize(("price", "quantity", "known", "on"), SEEN.values(), ids=SEEN.keys())
def test_what_was_seen_before_an_unpaid_renewal_is_there_with_its_quantity(
    price: str, quantity: int, known: list[Fact], on: tuple[int, int]
) -> None:
    found = states(subscription(item(price, quantity, end=60), latest="in_2"), invoice(), *known)

    assert [(one.product_id, one.quantity) for one in found if one.grants_access] == [on]


def test_each_price_counts_as_the_product_that_had_it_when_the_item_was_made() -> None:
    book = PriceBook(
        [
            PriceSpan("pro", PRO, since=0, until=seconds(10)),
            PriceSpan("max", MAX, since=0, until=seconds(10)),
            PriceSpan("pro", PLAIN, since=seconds(10)),
            PriceSpan("max", PLAIN, since=seconds(10)),
        ]
    )

    found = derive_subscription(
        subscription(item("max"), latest="in_2"), [invoice(), CHANGE], book.terms_of, leeway=DAY
    )

    assert [(one.product_id, one.grants_access) for one in found] == [(1, True), (3, False)]


def test_an_unpaid_change_to_a_price_that_nobody_knows_leaves_what_was_paid() -> None:
    change = invoice(line("strange", 15, 30, 1500, proration=True), name="in_2", paid=False)

    assert shown(state(subscription(item("strange"), latest="in_2"), invoice(), change)) == ON


def test_what_an_unpaid_change_leaves_ends_with_its_own_paid_time() -> None:
    year = invoice(line("max", 15, 380, 9000), name="in_2", paid=False)

    restarted = item("max", end=380) | {"period_start": seconds(15)}
    found = {one.product_id: one for one in states(subscription(restarted), invoice(), year)}

    assert (shown(found[1]), shown(found[3])) == (ON, OFF)


def test_a_period_that_was_made_longer_without_a_bill_is_there_to_its_end() -> None:
    assert shown(state(subscription(item(end=32)), invoice())) == "active, on until 33"


def test_an_invoice_that_an_earlier_version_kept_is_no_evidence() -> None:
    old = invoice()
    del old.state["total"]

    assert shown(state(subscription(), old)) == "suspended payment_pending, off"


def test_a_free_start_is_until_its_latest_end_with_the_items_that_were_seen_last() -> None:
    one, other = free_start_fact(5).state, free_start_fact(30).state
    later = {"seen_at": 9, "items": [["si", "max", 1]]}

    assert merged("free_start", {**one, "shown": later}, other) == {"until": seconds(30), "shown": later}
    assert merged("free_start", other, {**one, "shown": later}) == {"until": seconds(30), "shown": later}
