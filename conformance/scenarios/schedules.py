"""Changes that are scheduled."""

from __future__ import annotations

from typing import Any

from conformance import reading
from conformance.account import Account, Json
from conformance.scenario import Seen, scenario

PAGE = "billing/subscriptions/subscription-schedules"


def scheduled_downgrade(account: Account) -> tuple[Json, str]:
    """A subscription of 50.00 in the middle of its month that becomes one of 20.00, and the schedule's id."""
    made = account.subscribe(account.customer(), account.price(5000))
    account.advance(days=15)
    schedules = account.client.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": made["id"]})
    first = schedule.phases[0]
    phases: Any = [
        {
            "items": [{"price": account.price(5000), "quantity": 1}],
            "start_date": first.start_date,
            "end_date": first.end_date,
            "proration_behavior": "none",
        },
        {
            "items": [{"price": account.price(2000), "quantity": 1}],
            "duration": {"interval": "month", "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
    schedules.update(schedule.id, {"phases": phases, "end_behavior": "release", "proration_behavior": "none"})
    return made, schedule.id


@scenario(PAGE)
def a_downgrade_at_the_end_of_the_period(account: Account, seen: Seen) -> None:
    made, schedule_id = scheduled_downgrade(account)
    before = account.subscription(made)
    seen("price before", reading.amounts_of_items(before), [(5000, 1)])
    seen("attached", before["schedule"] == schedule_id, True)
    schedule = account.client.v1.subscription_schedules.retrieve(schedule_id)
    phases = [(reading.day(each.start_date), reading.day(each.end_date)) for each in schedule.phases]
    seen("schedule", (schedule.status, phases), ("active", [(0, 30), (30, 61)]))
    account.advance(days=15, hours=2)
    now = account.subscription(made)
    seen("price after", reading.amounts_of_items(now), [(2000, 1)])
    seen("line", reading.lines(now["latest_invoice"]), [(2000, 30, 61, False)])
    seen("still attached", now["schedule"] == schedule_id, True)
    current = account.client.v1.subscription_schedules.retrieve(schedule_id).current_phase
    seen("current phase", current and reading.day(current.start_date), 30)


@scenario(PAGE)
def a_scheduled_change_is_taken_back(account: Account, seen: Seen) -> None:
    made, schedule_id = scheduled_downgrade(account)
    released = account.client.v1.subscription_schedules.release(schedule_id)
    seen("status", released.status, "released")
    seen("its subscription", (released.subscription, released.released_subscription == made["id"]), (None, True))
    seen("attached", account.subscription(made)["schedule"], None)
    account.advance(days=15, hours=2)
    seen("price after", reading.amounts_of_items(account.subscription(made)), [(5000, 1)])


@scenario(PAGE)
def a_scheduled_subscription_is_not_canceled_beside_its_schedule(account: Account, seen: Seen) -> None:
    made, _ = scheduled_downgrade(account)
    seen.refused("cancel_at_period_end", lambda: account.change(made, cancel_at_period_end=True), 400, None)
    seen("status", account.subscription(made)["status"], "active")


@scenario("billing/subscriptions/webhooks")
def the_last_phase_ends_and_the_schedule_lets_go(account: Account, seen: Seen) -> None:
    made, schedule_id = scheduled_downgrade(account)
    account.advance(days=15, hours=2)
    account.advance(days=32)
    seen("status", account.client.v1.subscription_schedules.retrieve(schedule_id).status, "completed")
    now = account.subscription(made)
    seen("attached", now["schedule"], None)
    seen("price", reading.amounts_of_items(now), [(2000, 1)])


@scenario("api/events/types")
def what_schedules_tell(account: Account, seen: Seen) -> None:
    made, schedule_id = scheduled_downgrade(account)
    account.client.v1.subscription_schedules.release(schedule_id)
    told = {each for each in account.told(made["customer"]) if each.startswith("subscription_schedule.")}
    expected = {f"subscription_schedule.{what}" for what in ("created", "updated", "released")}
    seen("events", told, expected)
