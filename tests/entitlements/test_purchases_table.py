"""What is bought once, as tables: passes stacked end to end, packs, what refunds and revocations do to them.

Days are counted from the first purchase. No database, no simulator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from licenzy_django.entitlements.derive import EntitlementState, Purchase, derive_purchases
from licenzy_django.entitlements.terms import Terms
from licenzy_django.stripe.objects import Fact

pytestmark = pytest.mark.rules

DAY = 86_400
FIRST = 1_700_000_000
WEEK = Terms(product_id=1, kind="time_pass", duration_days=7)
PACK = Terms(product_id=2, kind="usage_pack", units=1000)
YEAR_PACK = replace(PACK, valid_days=365)


def day(number: float | None) -> int | None:
    return None if number is None else int(FIRST + number * DAY)


def purchase(number: int, paid: float | None, quantity: int = 1, *, terms: Terms = WEEK, **more: Any) -> Purchase:
    """The purchase ``cs_<number>``, paid by ``pi_<number>`` on day ``paid``; ``revoked`` is a day too."""
    revoked = day(more.pop("revoked", None))
    lines = [{"price": "price_1", "quantity": quantity}]
    state = {"paid_at": day(paid), "found_paid_at": None, "lines": lines, "amount_total": 700, "currency": "eur"}
    session = Fact("checkout.session", f"cs_{number}", state | more, {"payment_intent_id": f"pi_{number}"})
    return Purchase(session, "price_1", terms, revoked)


def refund(number: int, on: float) -> Fact:
    state = {"status": "succeeded", "amount": 700, "currency": "eur", "created": day(on)}
    return Fact("refund", f"re_{number}", state, {"payment_intent_id": f"pi_{number}"})


def dispute(number: int, on: float, status: str) -> Fact:
    return Fact(
        "dispute", f"dp_{number}", {"status": status, "created": day(on)}, {"payment_intent_id": f"pi_{number}"}
    )


def spans(states: list[EntitlementState]) -> list[tuple[str, float, float, float | None]]:
    """Of each pass its session, its first and last day, and the day up to which it is held back."""

    def days(at: int | None) -> float | None:
        return None if at is None else (at - FIRST) / DAY

    assert [state.available_until for state in states] == [state.expires_at for state in states]
    return [
        (state.source_id, days(state.starts_at), days(state.expires_at), days(state.not_before)) for state in states
    ]


STACKED = {
    "one": ([(1, 0, 1)], [("cs_1", 0, 7, None)]),
    "two at once": ([(1, 0, 1), (2, 0, 1)], [("cs_1", 0, 7, None), ("cs_2", 7, 14, 7)]),
    "in any order": ([(2, 0, 1), (1, 0, 1)], [("cs_1", 0, 7, None), ("cs_2", 7, 14, 7)]),
    "by the time of payment": ([(2, 0, 1), (1, 1, 1)], [("cs_2", 0, 7, None), ("cs_1", 7, 14, 7)]),
    "while the first runs": ([(1, 0, 1), (2, 3, 1)], [("cs_1", 0, 7, None), ("cs_2", 7, 14, 7)]),
    "as the first ends": ([(1, 0, 1), (2, 7, 1)], [("cs_1", 0, 7, None), ("cs_2", 7, 14, None)]),
    "after a gap": ([(1, 0, 1), (2, 10, 1)], [("cs_1", 0, 7, None), ("cs_2", 10, 17, None)]),
    "two of a kind": ([(1, 0, 2), (2, 3, 1)], [("cs_1", 0, 14, None), ("cs_2", 14, 21, 14)]),
    "three": ([(1, 0, 1), (2, 1, 1), (3, 2, 1)], [("cs_1", 0, 7, None), ("cs_2", 7, 14, 7), ("cs_3", 14, 21, 14)]),
    "unpaid": ([(1, None, 1), (2, 0, 1)], [("cs_2", 0, 7, None)]),
    "none of it": ([(1, 0, 0), (2, 1, 1)], [("cs_2", 1, 8, None)]),
}


@pytest.mark.parametrize(("bought", "expected"), STACKED.values(), ids=STACKED.keys())
def test_passes_are_stacked(bought: list[tuple[int, float | None, int]], expected: list[Any]) -> None:
    assert spans(derive_purchases([purchase(*each) for each in bought], [])) == expected


FREED = {
    "refunded": ({}, [refund(1, 3)], 3),
    "disputed": ({}, [dispute(1, 3, "needs_response")], 3),
    "a dispute that was lost": ({}, [dispute(1, 3, "lost")], 3),
    "a dispute that was won": ({}, [dispute(1, 3, "won")], 7),
    "revoked": ({"revoked": 3}, [], 3),
    "revoked, then refunded": ({"revoked": 3}, [refund(1, 4)], 3),
    "refunded, then revoked": ({"revoked": 4}, [refund(1, 3)], 3),
    "refunded when it was over": ({}, [refund(1, 9)], 7),
    "revoked when it was over": ({"revoked": 9}, [], 7),
    "revoked a second after it began": ({"revoked": 1 / DAY}, [], 1),
    "revoked as it began": ({"revoked": 0}, [], 1),
}


@pytest.mark.parametrize(("first", "facts", "free"), FREED.values(), ids=FREED.keys())
def test_a_pass_makes_room_from_the_moment_it_is_taken_away(first: Any, facts: list[Fact], free: float) -> None:
    bought = [purchase(1, 0, **first), purchase(2, 1)]

    _, (_, starts, ends, held_back) = spans(derive_purchases(bought, facts))

    assert (starts, ends, held_back) == (free, free + 7, free if free > 1 else None)


def test_a_pass_that_is_taken_away_before_it_begins_holds_nothing_up() -> None:
    bought = [purchase(1, 0), purchase(2, 1, revoked=2), purchase(3, 3)]

    assert [span[1] for span in spans(derive_purchases(bought, []))] == [0, 7, 7]


def test_a_pass_that_is_taken_away_as_it_begins_holds_nothing_up() -> None:
    bought = [purchase(1, 0), purchase(2, 1, revoked=7), purchase(3, 3)]

    assert [span[1] for span in spans(derive_purchases(bought, []))] == [0, 7, 7]


def test_a_pass_that_is_taken_away_under_way_makes_room_for_the_third() -> None:
    bought = [purchase(1, 0), purchase(2, 1, revoked=8), purchase(3, 3)]

    assert [span[1] for span in spans(derive_purchases(bought, []))] == [0, 7, 8]


def test_all_that_a_pass_is() -> None:
    assert derive_purchases([purchase(1, 0, terms=replace(WEEK, features=("api",)))], []) == [
        EntitlementState(
            source_id="cs_1",
            product_id=1,
            price="price_1",
            status="active",
            grants_access=True,
            starts_at=day(0),
            expires_at=day(7),
            available_until=day(7),
            features=("api",),
        )
    ]


def test_a_pass_without_a_duration_is_over_at_once() -> None:
    [state] = derive_purchases([purchase(1, 0, terms=replace(WEEK, duration_days=None))], [])

    assert state.expires_at == state.available_until == day(0)


PACKS = {
    "a pack": ([(1, 0, 1)], PACK, [(1000, 1, 0, None)]),
    "three of a kind": ([(1, 0, 3)], PACK, [(3000, 3, 0, None)]),
    "two are side by side": ([(1, 0, 1), (2, 1, 1)], PACK, [(1000, 1, 0, None), (1000, 1, 1, None)]),
    "valid for a year": ([(1, 0, 1)], YEAR_PACK, [(1000, 1, 0, 365)]),
    "three of them no longer": ([(1, 2, 3)], YEAR_PACK, [(3000, 3, 2, 367)]),
    "two for a year": ([(1, 0, 1), (2, 1, 1)], YEAR_PACK, [(1000, 1, 0, 365), (1000, 1, 1, 366)]),
    "without units": ([(1, 0, 1)], replace(PACK, units=None), [(0, 1, 0, None)]),
    "days of a pass mean nothing": ([(1, 0, 1)], replace(PACK, duration_days=7), [(1000, 1, 0, None)]),
    "unpaid": ([(1, None, 1)], PACK, []),
}


@pytest.mark.parametrize(("bought", "terms", "expected"), PACKS.values(), ids=PACKS.keys())
def test_packs_stand_side_by_side(bought: list[tuple[int, float, int]], terms: Terms, expected: list[Any]) -> None:
    states = derive_purchases([purchase(*each, terms=terms) for each in bought], [])

    assert [(state.units_granted, state.quantity, state.starts_at, state.expires_at) for state in states] == [
        (units, quantity, day(starts), day(ends)) for units, quantity, starts, ends in expected
    ]
    assert [state.available_until for state in states] == [state.expires_at for state in states]
    assert {state.not_before for state in states} <= {None}


def test_a_pack_waits_for_no_pass() -> None:
    states = derive_purchases([purchase(1, 0), purchase(2, 1, terms=replace(PACK, product_id=1))], [])

    assert [(state.starts_at, state.not_before) for state in states] == [(day(0), None), (day(1), None)]


TAKEN_AWAY = {
    "refunded": ([refund(1, 3)], ("canceled", "refunded", False, 3)),
    "disputed": ([dispute(1, 3, "needs_response")], ("suspended", "disputed", False, None)),
    "a dispute that was lost": ([dispute(1, 3, "lost")], ("canceled", "disputed", False, 3)),
    "a dispute that was won": ([dispute(1, 3, "won")], ("active", "", True, None)),
    "another payment's refund": ([refund(2, 3)], ("active", "", True, None)),
}


@pytest.mark.parametrize("terms", [WEEK, PACK], ids=["pass", "pack"])
@pytest.mark.parametrize(("facts", "expected"), TAKEN_AWAY.values(), ids=TAKEN_AWAY.keys())
def test_what_a_payment_that_went_back_leaves(facts: list[Fact], expected: Any, terms: Terms) -> None:
    [untouched] = derive_purchases([purchase(1, 0, terms=terms)], [])

    [state] = derive_purchases([purchase(1, 0, terms=terms)], facts)

    status, reason, grants, canceled = expected
    assert state == replace(
        untouched, status=status, status_reason=reason, grants_access=grants, canceled_at=day(canceled)
    )


QUANTITIES = {
    "two lines of the price": ([("price_1", 2), ("price_1", 3)], 5),
    "a line of another price": ([("price_1", 2), ("price_other", 3)], 2),
    "another price alone": ([("price_other", 3)], None),
    "no lines": ([], None),
    "lines unknown": (None, None),
}


@pytest.mark.parametrize(("lines", "expected"), QUANTITIES.values(), ids=QUANTITIES.keys())
def test_the_quantity_is_what_stripe_lists_of_the_price(lines: Any, expected: int | None) -> None:
    listed = None if lines is None else [{"price": price, "quantity": quantity} for price, quantity in lines]

    states = derive_purchases([purchase(1, 0, lines=listed, terms=PACK)], [])

    assert [(state.quantity, state.units_granted) for state in states] == (
        [] if expected is None else [(expected, expected * 1000)]
    )


def test_a_session_that_was_found_paid_counts_from_then() -> None:
    assert spans(derive_purchases([purchase(1, None, found_paid_at=day(2))], [])) == [("cs_1", 2, 9, None)]
