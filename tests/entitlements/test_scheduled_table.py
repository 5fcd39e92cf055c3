"""What a schedule says of what is going to change, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.scheduled import scheduled_changes, scheduled_prices, with_what_is_scheduled
from licenzy_django.entitlements.terms import PriceBook, PriceSpan, Terms
from licenzy_django.stripe.objects import Fact
from tests.entitlements.money import days, item, seconds, subscription

pytestmark = pytest.mark.rules

PRO, MAX, MORE, SOME = 1, 2, 3, 4
CODES = {PRO: "PRO", MAX: "MAX", MORE: "MORE", SOME: "SOME"}
PRICES = {"pro": PRO, "pro_yearly": PRO, "max": MAX, "more": MORE, "some": SOME}
BOOK = PriceBook(
    [
        *(PriceSpan(price, Terms(product, "subscription"), since=0) for price, product in PRICES.items()),
        PriceSpan("moved", Terms(MAX, "subscription"), since=0, until=seconds(20)),
        PriceSpan("moved", Terms(MORE, "subscription"), since=seconds(20)),
        PriceSpan("to_move", Terms(MAX, "subscription"), since=0, until=seconds(40)),
        PriceSpan("to_move", Terms(MORE, "subscription"), since=seconds(40)),
    ]
)
Amount = tuple[str, int]


def schedule(*phases: tuple[Amount, ...], current: float | None = 0, name: str = "sched", **more: Any) -> Fact:
    """Phases of 30 days each, from day 0 on."""
    state = {
        "status": "active",
        "created": 0,
        "end_behavior": "release",
        "current_start": seconds(current),
        "phases": [
            {
                "start": seconds(30 * number),
                "end": seconds(30 * number + 30),
                "items": [{"price": price, "quantity": quantity} for price, quantity in phase],
            }
            for number, phase in enumerate(phases)
        ],
        "seen_at": None,
    } | more
    return Fact("subscription_schedule", name, state, {"subscription_id": "sub_1"})


def changes(*facts: Fact, has: tuple[Amount, ...] = (("pro", 1),), **of: Any) -> dict[str, tuple[Any, str | None, int]]:
    items = (item(price, quantity, name=f"si_{price}") for price, quantity in has)
    found = scheduled_changes(subscription(*items, **of), facts, BOOK.terms_of)
    return {
        CODES[product]: (days(change.at), CODES.get(change.product_id or 0), change.quantity)
        for product, change in found.items()
    }


BECOMES: dict[str, tuple[tuple[Amount, ...], tuple[Amount, ...], dict[str, Any]]] = {
    "another product": ((("pro", 1),), (("max", 1),), {"PRO": (30, "MAX", 1)}),
    "another product and quantity": ((("pro", 5),), (("max", 2),), {"PRO": (30, "MAX", 2)}),
    "fewer": ((("pro", 5),), (("pro", 3),), {"PRO": (30, "PRO", 3)}),
    "another price of the product": ((("pro", 1),), (("pro_yearly", 1),), {"PRO": (30, "PRO", 1)}),
    "two prices of one product": ((("pro", 1),), (("pro", 1), ("pro_yearly", 2)), {"PRO": (30, "PRO", 3)}),
    "without its add-on": ((("pro", 1), ("more", 2)), (("pro", 1),), {"MORE": (30, None, 0)}),
    "with an add-on": ((("pro", 1),), (("pro", 1), ("more", 2)), {}),
    "the plan changes, the add-on stays": (
        (("more", 2), ("pro", 1)),
        (("max", 1), ("more", 2)),
        {"PRO": (30, "MAX", 1)},
    ),
    "both change": (
        (("pro", 1), ("more", 2)),
        (("max", 1), ("some", 3)),
        {"PRO": (30, "MAX", 1), "MORE": (30, "SOME", 3)},
    ),
    "two become one": ((("pro", 1), ("more", 2)), (("max", 1),), {"PRO": (30, "MAX", 1), "MORE": (30, None, 0)}),
    "a price that no product has": ((("pro", 1),), (("strange", 4),), {"PRO": (30, None, 4)}),
    "from a price that no product has": (
        (("strange", 1), ("pro", 1)),
        (("strange", 1), ("max", 1)),
        {"PRO": (30, "MAX", 1)},
    ),
    "a price that will be another product's": ((("pro", 1),), (("moved", 1),), {"PRO": (30, "MORE", 1)}),
    "a price that becomes another product's later": ((("pro", 1),), (("to_move", 1),), {"PRO": (30, "MAX", 1)}),
    "two items of one price become one": ((("pro", 1), ("pro", 2)), (("pro", 3),), {}),
    "the same": ((("pro", 1),), (("pro", 1),), {}),
}


@pytest.mark.parametrize(("has", "will_have", "expected"), BECOMES.values(), ids=BECOMES)
def test_what_a_subscription_becomes(has: tuple[Amount, ...], will_have: tuple[Amount, ...], expected: Any) -> None:
    assert changes(schedule(has, will_have), has=has) == expected


def test_a_price_that_moved_stays_what_it_was_for_an_item_that_was_made_before() -> None:
    assert changes(schedule((("moved", 2),), (("moved", 1),)), has=(("moved", 2),)) == {"MAX": (30, "MAX", 1)}


def test_a_price_that_moved_is_what_it_is_now_for_an_item_that_was_made_since() -> None:
    of = subscription(item("moved", 2, made=25))
    found = scheduled_changes(of, [schedule((("moved", 2),), (("moved", 1),))], BOOK.terms_of)

    assert {product: (days(change.at), change.quantity) for product, change in found.items()} == {MORE: (30, 1)}


def test_of_several_changes_the_next_one_is_shown() -> None:
    phases = ((("pro", 1), ("more", 2)), (("max", 1), ("more", 2)), (("some", 1),))

    assert changes(schedule(*phases), has=phases[0]) == {"PRO": (30, "MAX", 1), "MORE": (60, None, 0)}


def test_the_order_of_the_phases_is_that_of_time() -> None:
    made = schedule((("pro", 1),), (("max", 1),), (("some", 1),))
    made.state["phases"].reverse()

    assert changes(made) == {"PRO": (30, "MAX", 1)}


def test_in_its_last_phase_a_schedule_changes_nothing() -> None:
    assert changes(schedule((("pro", 1),), (("max", 1),), current=30), has=(("max", 1),)) == {}
    assert changes(schedule((("pro", 1),), (("max", 1),), current=30), has=(("pro", 1),)) == {}


def test_one_that_ends_the_subscription_shows_the_end() -> None:
    assert changes(schedule((("pro", 1),), end_behavior="cancel")) == {"PRO": (30, None, 0)}
    both = schedule((("pro", 1), ("more", 1)), (("max", 1), ("more", 1)), end_behavior="cancel")
    assert changes(both, has=(("pro", 1), ("more", 1))) == {"PRO": (30, "MAX", 1), "MORE": (60, None, 0)}


def test_before_its_first_phase_all_phases_lie_ahead() -> None:
    assert changes(schedule((("max", 1),), current=None)) == {"PRO": (0, "MAX", 1)}


@pytest.mark.parametrize("status", ["released", "canceled", "completed"])
def test_one_that_is_over_changes_nothing(status: str) -> None:
    assert changes(schedule((("pro", 1),), (("max", 1),), status=status)) == {}


def test_of_several_schedules_the_one_in_force_counts_in_any_order() -> None:
    released = schedule((("pro", 1),), (("some", 1),), name="a", status="released", created=9)
    older = schedule((("pro", 1),), (("some", 1),), name="b", created=5)
    newer = schedule((("pro", 1),), (("max", 1),), name="c", created=7)

    assert changes(released, older, newer) == changes(newer, older, released) == {"PRO": (30, "MAX", 1)}


def test_a_subscription_that_is_over_changes_no_more() -> None:
    assert changes(schedule((("pro", 1),), (("max", 1),)), status="canceled") == {}
    assert changes() == {}


def state(**more: Any) -> EntitlementState:
    known = {"source_id": "sub_1", "product_id": PRO, "price": "pro", "status": "active"} | more
    return EntitlementState(**known)


def test_a_state_says_what_is_scheduled_and_which_trial_it_is_in() -> None:
    of = subscription(item(), trial=(0, 14))
    found = scheduled_changes(of, [schedule((("pro", 1),), (("max", 2),))], BOOK.terms_of)

    def said(one: EntitlementState) -> tuple[Any, ...]:
        with_it = with_what_is_scheduled(one, of, found, CODES)
        return days(with_it.trial_ends_at), days(with_it.changes_at), with_it.changes_to, with_it.changes_quantity

    assert said(state(status="trialing")) == (14, 30, "MAX", 2)
    assert said(state()) == (None, 30, "MAX", 2)
    assert said(state(status="canceled")) == (None, None, "", None)
    assert said(state(product_id=MORE)) == (None, None, "", None)


def test_a_state_that_becomes_no_product_names_none() -> None:
    found = scheduled_changes(subscription(item()), [schedule((("pro", 1),), (("strange", 2),))], BOOK.terms_of)

    with_it = with_what_is_scheduled(state(), subscription(item()), found, CODES)

    assert (with_it.changes_to, with_it.changes_quantity) == ("", 2)


def test_every_price_of_every_phase_is_looked_up() -> None:
    other = Fact("invoice", "in_1", {})

    assert scheduled_prices([schedule((("pro", 1),), (("max", 1), ("more", 1))), other]) == {"pro", "max", "more"}
