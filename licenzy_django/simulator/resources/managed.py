"""What a schedule has to do with changes of its subscription that come from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import World
from .schedule_shapes import bounds, current, phase_of, seen

UPDATED = "subscription_schedule.updated"


def schedule_of(world: World, subscription: Json) -> Json | None:
    """The schedule that manages it now."""
    found = world.store.get("subscription_schedule", subscription["schedule"] or "")
    return found if found and found["status"] == "active" else None


def refuse_cancellation(world: World, subscription: Json) -> None:
    """Stripe's own words; only ``cancel`` now is open."""
    if schedule := schedule_of(world, subscription):
        raise RefusalError(
            f"The subscription is managed by the subscription schedule `{schedule['id']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )


def follow(world: World, subscription: Json) -> None:
    """A direct change splits the current phase in two: the phases that come are as they were.

    That Stripe does so was seen by others (bitwarden/server, pull request 7695); it is in no page that we know.
    """
    schedule = schedule_of(world, subscription)
    if schedule is None or schedule["_seen"] in (None, seen(subscription)):
        return
    with world.changing(schedule, UPDATED):
        old, at = current(schedule), schedule["phases"].index(current(schedule))
        new = old | phase_of(subscription, world.now, old["end_date"])
        new["proration_behavior"] = old["proration_behavior"]
        before = [] if old["start_date"] == world.now else [old | {"end_date": world.now}]
        schedule["phases"] = [*schedule["phases"][:at], *before, new, *schedule["phases"][at + 1 :]]
        schedule |= {"current_phase": bounds(new), "_seen": seen(subscription)}


@contextmanager
def applying(world: World, schedule: Json, subscription: Json) -> Iterator[None]:
    """What the block changes, the schedule does itself."""
    schedule["_seen"] = None
    yield
    with world.changing(schedule):
        schedule["_seen"] = seen(subscription)


def end_with(world: World, subscription: Json, reason: str) -> None:
    """The subscription ended, and its schedule with it.

    "``subscription_schedule.aborted``: Sent when a subscription schedule is canceled because payment delinquency
    terminated the related subscription" (docs.stripe.com/billing/subscriptions/webhooks).
    """
    schedule = schedule_of(world, subscription)
    if schedule is None:
        return
    with world.changing(schedule):
        schedule |= {"status": "canceled", "canceled_at": world.now, "current_phase": None}
    ended = "aborted" if reason == "payment_failed" else "canceled"
    world.emit(f"subscription_schedule.{ended}", schedule)
