"""What is scheduled at Stripe shows, whatever the order of the events, however often they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from licenzy_django import access
from licenzy_django.models import EntitlementChange, StripeEvent, StripeFact, Subject
from licenzy_django.stripe import client
from licenzy_django.stripe.objects import fact_of
from licenzy_django.stripe.objects.schedule import Schedule
from licenzy_django.sync import drift, repair
from licenzy_django.testing import StripeDouble, in_every_order
from tests.contract.test_example_objects import examples
from tests.sync.schedules import Schedules

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    for code in ("PRO", "MAX", "TEAM"):
        stripe_double.sell(code)
    return stripe_double


@pytest.fixture
def schedules(stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> Schedules:
    made = Schedules(stripe)
    monkeypatch.setattr(client, "fetch_schedule", made.fetch)
    return made


@pytest.fixture
def subscription(stripe: StripeDouble) -> dict[str, Any]:
    session = stripe.buy("user_1", "MAX", quantity=5)
    found: dict[str, Any] = stripe.simulator.get("subscription", session["subscription"])
    return found


def shown(ref: str = "user_1") -> dict[str, tuple[datetime | None, str | None, int | None]]:
    views = access.entitlements_of(ref)
    return {view.product_code: (view.changes_at, view.changes_to, view.changes_quantity) for view in views}


NOTHING = {"MAX": (None, None, None)}


def end_of(subscription: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(subscription["items"]["data"][0]["current_period_end"], UTC)


def test_a_scheduled_downgrade_shows(schedules: Schedules, subscription: dict[str, Any]) -> None:
    schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()

    assert shown() == {"MAX": (end_of(subscription), "PRO", 2)}
    [view] = access.entitlements_of("user_1")
    assert (view.available, view.quantity) == (True, 5)
    [change] = EntitlementChange.objects.filter(reason="change_scheduled")
    assert change.after == {"changes_at": end_of(subscription).isoformat(), "changes_to": "PRO", "changes_quantity": 2}


def test_what_was_taken_back_shows_no_more(schedules: Schedules, subscription: dict[str, Any]) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()
    schedules.release(made)
    schedules.deliver()

    assert shown() == NOTHING


def test_a_change_that_was_replaced_shows_as_it_is_now(schedules: Schedules, subscription: dict[str, Any]) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()
    [now, then] = made["phases"]
    schedules.change(made, "updated", phases=[now, {**then, "items": [{"price": "price_team", "quantity": 3}]}])
    schedules.deliver()

    assert shown() == {"MAX": (end_of(subscription), "TEAM", 3)}


def test_every_order_and_repetition_ends_alike(
    stripe: StripeDouble, schedules: Schedules, subscription: dict[str, Any]
) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.release(made)
    schedules.make(subscription, [("price_team", 1)])
    events = schedules.take()

    for order in in_every_order(events):
        StripeFact.objects.filter(object="subscription_schedule").delete()
        StripeEvent.objects.filter(type__startswith="subscription_schedule").delete()
        stripe.deliver(order, times=2)

        assert shown() == {"MAX": (end_of(subscription), "TEAM", 1)}, [event["type"] for event in order]


def test_a_schedule_that_comes_before_its_subscription_waits_for_it(stripe: StripeDouble, schedules: Schedules) -> None:
    with stripe.webhooks_held_back():
        session = stripe.buy("user_1", "MAX")
    subscription = stripe.simulator.get("subscription", session["subscription"])
    schedules.make(subscription, [("price_pro", 1)])
    schedules.deliver()
    assert shown() == {}

    stripe.deliver()

    assert shown() == {"MAX": (end_of(subscription), "PRO", 1)}


def test_one_that_has_no_subscription_yet_is_kept(schedules: Schedules, subscription: dict[str, Any]) -> None:
    schedules.make(subscription, [("price_pro", 1)], status="not_started", subscription=None, current_phase=None)
    schedules.deliver()

    assert shown() == NOTHING
    assert StripeEvent.objects.get(type="subscription_schedule.created").outcome == "stored, waits for its subscription"


def test_in_its_last_phase_it_is_attached_and_changes_nothing(
    stripe: StripeDouble, schedules: Schedules, subscription: dict[str, Any]
) -> None:
    made = schedules.make(subscription, [("price_pro", 5)])
    schedules.deliver()
    last = made["phases"][-1]
    stripe.simulator.renew(subscription["id"], paid=True)
    stripe.simulator.swap_price(subscription["id"], "price_pro")
    schedules.change(made, "updated", current_phase={name: last[name] for name in ("start_date", "end_date")})
    stripe.deliver([*schedules.take(), *stripe.take_events()])

    assert shown() == {"MAX": (None, None, None), "PRO": (None, None, None)}


def test_what_should_have_begun_is_scheduled_no_longer(schedules: Schedules, subscription: dict[str, Any]) -> None:
    schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()

    [view] = access.entitlements_of("user_1", at=end_of(subscription))

    assert (view.changes_at, view.changes_to, view.changes_quantity) == (None, None, None)


def test_one_of_a_stranger_is_ignored_without_asking_stripe(schedules: Schedules, subscription: dict[str, Any]) -> None:
    schedules.make(subscription, [("price_pro", 2)], customer="cus_stranger", subscription="sub_stranger")
    schedules.deliver()

    assert schedules.asked == []
    assert not StripeFact.objects.filter(object="subscription_schedule").exists()
    [event] = StripeEvent.objects.filter(type="subscription_schedule.created")
    assert (event.status, event.outcome) == ("ignored", "a customer of nobody we know")


def test_one_that_stripe_no_longer_has_is_known_by_its_newest_event(
    schedules: Schedules, subscription: dict[str, Any]
) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.change(made, "updated", end_behavior="cancel")
    events = schedules.take()
    schedules.at_stripe.clear()

    schedules.stripe.deliver(events[::-1])

    assert shown() == {"MAX": (end_of(subscription), "PRO", 2)}
    assert StripeFact.objects.get(object="subscription_schedule").state["end_behavior"] == "cancel"


def test_a_schedule_that_ended_by_itself_needs_no_question(schedules: Schedules, subscription: dict[str, Any]) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.change(made, "completed", status="completed")
    [created, completed] = schedules.take()

    schedules.stripe.deliver([completed, created])

    assert schedules.asked == []
    assert shown() == NOTHING


def test_nothing_that_describes_a_person_is_stored(schedules: Schedules, subscription: dict[str, Any]) -> None:
    schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()

    kept = StripeEvent.objects.get(type="subscription_schedule.created").payload
    assert "Ada" not in json.dumps(kept)
    assert kept["data"]["object"]["phases"][1]["items"] == [{"price": "price_pro", "plan": "price_pro", "quantity": 2}]


def test_sync_finds_one_whose_events_never_came(stripe: StripeDouble, schedules: Schedules, subscription: Any) -> None:
    schedules.attach(schedules.make(subscription, [("price_pro", 2)]))

    [found] = drift(Subject.objects.get())
    assert found.after["changes_to"] == "PRO"
    assert shown() == NOTHING
    repair(Subject.objects.get())

    assert shown() == {"MAX": (end_of(subscription), "PRO", 2)}
    assert drift(Subject.objects.get()) == []


def test_sync_finds_that_one_was_taken_back(stripe: StripeDouble, schedules: Schedules, subscription: Any) -> None:
    made = schedules.make(subscription, [("price_pro", 2)])
    schedules.deliver()
    schedules.release(made)

    repair(Subject.objects.get())

    assert shown() == NOTHING


def test_a_subject_without_a_schedule_costs_sync_no_question(schedules: Schedules, subscription: Any) -> None:
    assert drift(Subject.objects.get()) == []
    assert schedules.asked == []


def test_a_schedule_in_stripes_own_example_is_read() -> None:
    example = examples()["subscription_schedule"]

    fact = fact_of(example, seen_at=None)

    assert fact is not None
    [phase] = Schedule.of(fact).phases
    assert phase.items == (("price_1PgafmB7WZ01zgkW6dKueIc5", 1),)
    assert fact.links["customer_id"] == "cus_QXg1o8vcGmoR32"


def test_the_end_of_a_trial_shows_while_it_runs(stripe: StripeDouble) -> None:
    stripe.sell("TRY", trial_days=14)
    session = stripe.buy("user_2", "TRY")
    trial_end = stripe.simulator.get("subscription", session["subscription"])["trial_end"]

    [view] = access.entitlements_of("user_2")
    assert view.trial_ends_at == datetime.fromtimestamp(trial_end, UTC)

    stripe.advance(days=15)
    [view] = access.entitlements_of("user_2")
    assert (view.status, view.trial_ends_at) == ("active", None)
