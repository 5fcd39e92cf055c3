"""Test clocks: customers whose time is their own.

docs.stripe.com/billing/testing/test-clocks. The world's clock goes on without them: ``simulator.advance``
moves nothing of theirs. Bank debits and Checkout Sessions stay on the world's clock.
"""

from __future__ import annotations

from .due import next_change_at
from .json_tree import Json, snapshot
from .periods import period_end
from .refusals import invalid
from .resources import customers, subscriptions
from .timeline import MOST_STEPS, perform
from .world import DAY, World

KIND = "test_helpers.test_clock"
_MOVED = ("subscription_schedule", "subscription", "invoice")
_NAMED = ("subscription", "customer", "invoice", "from_subscription")
_KINDS = {
    "clock": KIND, "cus": "customer", "ii": "invoiceitem", "in": "invoice", "sub": "subscription",
    "sub_sched": "subscription_schedule",
}  # fmt: skip
_MOST_YEARS = 2


def create(world: World, wanted: Json) -> Json:
    if world.livemode:
        raise invalid("Test clocks are available in test mode only.", "")
    clock: Json = {
        "id": world.new_id("clock"),
        "object": KIND,
        "created": world.now,
        "deletes_after": world.now + 30 * DAY,
        "frozen_time": wanted["frozen_time"],
        "livemode": world.livemode,
        "name": wanted.get("name"),
        "status": "ready",
        "status_details": {},
    }
    return world.add(clock, "test_helpers.test_clock.created")


def advance(world: World, clock: Json, to: int) -> Json:
    """Everything that falls due on the way, each at its own time.

    Stripe does it later and says ``advancing`` meanwhile. Here it is done when the answer comes, which says the same:
    whoever asks for the clock again finds it ``ready``.
    """
    _check(world, clock, to)
    with world.changing(clock):
        clock["status"] = "advancing"
    world.emit("test_helpers.test_clock.advancing", clock)
    _move(world, clock, to)
    with world.changing(clock):
        clock |= {"frozen_time": to, "status": "ready"}
    world.emit("test_helpers.test_clock.ready", clock)
    answer: Json = snapshot(clock) | {"status": "advancing"}
    return answer


def _check(world: World, clock: Json, to: int) -> None:
    if to <= clock["frozen_time"]:
        raise invalid("`frozen_time` must be after the test clock's current frozen time.", "frozen_time")
    if to > _limit(world, clock):
        raise invalid(
            "`frozen_time` cannot be more than two intervals in the future from the shortest subscription in this test "
            "clock, or two years without a subscription.", "frozen_time",
        )  # fmt: skip


def _limit(world: World, clock: Json) -> int:
    now = clock["frozen_time"]
    rhythms = [
        item["price"]["recurring"]
        for subscription in world.store.all("subscription", test_clock=clock["id"])
        if subscription["status"] not in subscriptions.ENDED
        for item in subscription["items"]["data"]
    ]
    found = [{"interval": entry["interval"], "interval_count": 2 * entry["interval_count"]} for entry in rhythms]
    years = {"interval": "year", "interval_count": _MOST_YEARS}
    return min(period_end(now, rhythm, now) for rhythm in found or [years])


def _move(world: World, clock: Json, to: int) -> None:
    for _ in range(MOST_STEPS):
        things = [thing for kind in _MOVED for thing in world.store.all(kind, test_clock=clock["id"])]
        due = [(at, thing) for thing in things if (at := next_change_at(thing)) is not None]
        at, thing = min(due, key=lambda pair: pair[0], default=(to + 1, clock))
        if at > to:
            break
        perform(world, thing)
    world.shift_clock(to - world.now)


def delete(world: World, clock: Json) -> Json:
    """Its customers go with it, and what they have ends."""
    for customer in world.store.all("customer", test_clock=clock["id"]):
        for subscription in world.store.all("subscription", customer=customer["id"]):
            if subscription["status"] not in subscriptions.ENDED:
                subscriptions.cancel(world, subscription)
        customers.mark_deleted(world, customer)
    world.emit("test_helpers.test_clock.deleted", clock)
    world.store.remove(clock)
    return {"id": clock["id"], "object": KIND, "deleted": True}


def owner(world: World, wanted: Json, identifier: str) -> Json | None:
    """The thing whose customer's time a request is made in."""
    prefix = identifier.rpartition("_")[0]
    if prefix in _KINDS:
        return world.store.get(_KINDS[prefix], identifier)
    if prefix == "si":
        return _subscription_of_item(world, identifier)
    for name in _NAMED:
        if isinstance(wanted.get(name), str) and wanted[name]:
            return world.store.get(name.removeprefix("from_"), wanted[name])
    named = wanted.get("test_clock")
    return world.store.get(KIND, named) if isinstance(named, str) else None


def _subscription_of_item(world: World, identifier: str) -> Json | None:
    for subscription in world.store.all("subscription") if world.store.all(KIND) else []:
        if any(item["id"] == identifier for item in subscription["items"]["data"]):
            return subscription
    return None
