"""What is said of units: what is left of each, in packs and in the windows of allowances that run now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import access, usage
from licenzy_django.access import EntitlementView
from licenzy_django.models import Pack, Product
from licenzy_django.models.live_units import UnitBalance
from licenzy_django.models.usage import MOST_UNITS
from licenzy_django.testing import entitled
from tests.backend import Backend
from tests.fixtures import Costs
from tests.shelf import Shelf

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def plan_of(subject: str = "user_1", code: str = "PRO") -> EntitlementView:
    return next(view for view in access.entitlements_of(subject) if view.product_code == code)


def usage_of(view: EntitlementView) -> tuple[Any, ...]:
    return (view.unit, view.usage_granted, view.usage_remaining, view.usage_resets_at, view.usage_rolled_over)


def test_a_window_shows_what_is_left_and_when_it_resets(shelf: Shelf) -> None:
    plan = shelf.plan()
    window = shelf.window(plan, 1000, used=100)

    summary = access.summary("user_1")

    assert summary.units == {"credits": UnitBalance(900, 1000, window.ends_at)}
    assert summary.usage_remaining == 900
    assert usage_of(plan_of()) == ("credits", 1000, 900, window.ends_at, 0)


def test_windows_and_packs_of_one_unit_add_up(shelf: Shelf) -> None:
    shelf.give(500)
    window = shelf.window(shelf.plan(), 1000, used=100)

    summary = access.summary("user_1")

    assert summary.units == {"credits": UnitBalance(1400, 1500, window.ends_at)}
    assert summary.usage_remaining == 1400
    assert usage_of(plan_of(code="CREDITS")) == ("credits", 500, 500, None, None)


def test_packs_alone_never_reset(shelf: Shelf) -> None:
    shelf.give(500, until=shelf.double.now + 10 * DAY)

    assert access.summary("user_1").units == {"credits": UnitBalance(500, 500, None)}


def test_several_units_are_not_added_up(shelf: Shelf, backend: Backend) -> None:
    shelf.double.sell("SMS", kind="usage_pack", units=100, unit="sms")
    shelf.give(500)
    assert access.summary("user_1").usage_remaining is None

    row = shelf.plan("TEXTS", unit="sms")
    shelf.window(row, 100)

    body = backend.access("user_1")
    assert body["usage_remaining"] is None
    assert list(body["units"]) == ["credits", "sms"]
    assert body["units"]["credits"] == {"remaining": 500, "granted": 500, "resets_at": None}


def test_a_unit_that_is_sold_no_longer_counts_as_one(shelf: Shelf) -> None:
    shelf.double.sell("SMS", kind="usage_pack", units=100, unit="sms")
    Product.objects.filter(code="SMS").update(is_active=False)
    shelf.give(500)

    assert access.summary("user_1").usage_remaining is None


def test_a_mode_knows_its_own_units_alone(shelf: Shelf) -> None:
    Product.objects.create(
        mode="live", code="SMS", name="SMS", kind="usage_pack", units=1, unit="sms", stripe_price_id="price_sms"
    )
    shelf.give(500)

    assert access.summary("user_1").usage_remaining == 500


def test_where_no_units_are_sold_none_are_left(stripe_double: Any) -> None:
    entitled("user_1", "PRO")

    summary = access.summary("user_1")

    assert (summary.usage_remaining, summary.units) == (0, {})
    assert usage_of(plan_of()) == (None, None, None, None, None)


@pytest.mark.parametrize(
    "off", [{"day": -40}, {"day": 1}, {"is_void": True}], ids=["it is over", "it has not begun", "it is void"]
)
def test_a_window_that_is_not_on_shows_nowhere(shelf: Shelf, off: dict[str, Any]) -> None:
    shelf.window(shelf.plan(), **off)

    assert access.summary("user_1").units == {}
    assert usage_of(plan_of()) == (None, None, None, None, None)


def test_what_is_void_of_a_window_was_not_granted(shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000)
    window.units_voided, window.units_remaining = 400, 600
    window.save()

    [balance] = access.summary("user_1").units.values()

    assert (balance.granted, balance.remaining) == (600, 600)


def test_what_rolled_over_is_said_and_does_not_tell_when_the_next_window_begins(shelf: Shelf) -> None:
    plan = shelf.plan()
    shelf.window(plan, 800, day=-32)
    shelf.window(plan, 200, day=-32, rolls_for=30, used=50)
    running = shelf.window(plan, 800, day=-2)
    shelf.window(plan, 200, day=-2, rolls_for=30)

    assert usage_of(plan_of()) == ("credits", 1200, 1150, running.ends_at, 150)
    assert access.summary("user_1").units == {"credits": UnitBalance(1150, 1200, running.ends_at)}


def test_after_the_last_window_what_rolled_over_is_left_and_nothing_resets(shelf: Shelf) -> None:
    plan = shelf.plan()
    shelf.window(plan, 800, day=-32)
    shelf.window(plan, 200, day=-32, rolls_for=30)

    assert usage_of(plan_of()) == ("credits", 200, 200, None, 200)


def test_the_part_of_an_older_window_that_still_runs_has_not_come_over(shelf: Shelf) -> None:
    """A change to a yearly plan opens a window while the one before it still runs."""
    plan = shelf.plan()
    shelf.window(plan, 300, day=-15)
    shelf.window(plan, 200, day=-15, rolls_for=30)
    newest = shelf.window(plan, 1000)

    assert usage_of(plan_of()) == ("credits", 1500, 1500, newest.ends_at, 0)


def test_the_newest_window_says_when_it_resets(shelf: Shelf) -> None:
    shelf.window(shelf.plan(), 1000, day=-20, days=365)
    newest = shelf.window(shelf.plan("MORE"), 10, day=-1, days=7)

    assert access.summary("user_1").units["credits"].resets_at == newest.ends_at


def test_of_two_that_began_together_the_one_that_ends_first_says_it(shelf: Shelf) -> None:
    first = shelf.window(shelf.plan(), 1000, days=30)
    shelf.window(shelf.plan("MORE"), 10, days=365)

    assert access.summary("user_1").units["credits"].resets_at == first.ends_at


def test_an_allowance_is_that_of_its_own_subscription(shelf: Shelf) -> None:
    shelf.window(shelf.plan(), 1000)
    shelf.window(shelf.plan("MORE"), 10)

    assert (plan_of().usage_granted, plan_of(code="MORE").usage_granted) == (1000, 10)


def test_after_a_change_the_allowance_shows_on_the_plan_that_goes_on(shelf: Shelf) -> None:
    old, new = shelf.plan(), shelf.plan("MAX")
    new.source_id = "sub_1"
    new.save()
    old.source_id, old.grants_access, old.status = "sub_2", False, "canceled"
    old.save()
    window = shelf.window(old, 1000, used=100)
    assert (plan_of().usage_granted, plan_of(code="MAX").usage_granted) == (1000, None)

    Pack.objects.filter(pk=window.pk).update(source_id="sub_1")

    assert plan_of().usage_granted is None
    assert usage_of(plan_of(code="MAX")) == ("credits", 1000, 900, window.ends_at, 0)


def test_windows_open_no_gate_and_are_not_listed(shelf: Shelf) -> None:
    plan = shelf.plan()
    plan.grants_access = False
    plan.save()
    shelf.window(plan, 1000)

    summary = access.summary("user_1")

    assert (summary.has_access, summary.usage_remaining) == (False, 1000)
    assert [view.id for view in summary.entitlements] == [plan.public_id]
    assert not access.check("user_1")


def test_units_of_reservations_that_expired_are_there_again(shelf: Shelf) -> None:
    plan = shelf.plan()
    shelf.window(plan, 1000)
    usage.reserve("user_1", 400, idempotency_key="k", ttl_seconds=60, at=shelf.double.now)

    during, after = (access.summary("user_1", at=shelf.double.now + timedelta(seconds=s)) for s in (59, 61))

    assert [summary.units["credits"].remaining for summary in (during, after)] == [600, 1000]
    assert [view.usage_remaining for view in (*during.entitlements, *after.entitlements)] == [600, 1000]


def test_no_answer_is_more_than_a_column_holds(shelf: Shelf) -> None:
    for code in ("A", "B"):
        shelf.window(shelf.plan(code), MOST_UNITS)

    [balance] = access.summary("user_1").units.values()

    assert (balance.remaining, balance.granted) == (MOST_UNITS, MOST_UNITS)


def test_a_hundred_windows_of_the_past_and_twelve_to_come_cost_no_query_more(shelf: Shelf, costs: Costs) -> None:
    plan = shelf.plan()
    shelf.window(plan, 1000)
    for number in (*range(1, 13), *range(-100, 0)):
        shelf.window(plan, 1000, day=30 * number)

    with costs(3):
        assert access.summary("user_1").usage_remaining == 1000
    with costs(2):
        assert plan_of().usage_remaining == 1000


def test_a_list_without_allowances_costs_no_query_more(shelf: Shelf, costs: Costs) -> None:
    shelf.give(100)

    with costs(1):
        access.entitlements_of("user_1")


def test_the_api_says_it_as_the_contract_does(shelf: Shelf, backend: Backend) -> None:
    window = shelf.window(shelf.plan(), 1000, used=100)
    assert window.ends_at is not None
    ends_at = f"{window.ends_at:%Y-%m-%dT%H:%M:%SZ}"

    body, [listed] = backend.access("user_1"), backend.entitlements("user_1")["entitlements"]

    assert body["units"] == {"credits": {"remaining": 900, "granted": 1000, "resets_at": ends_at}}
    assert body["usage_remaining"] == 900
    assert body["entitlements"] == [listed]
    said = {"unit": "credits", "usage_granted": 1000, "usage_remaining": 900, "usage_resets_at": ends_at}
    assert listed | said | {"usage_rolled_over": 0} == listed
