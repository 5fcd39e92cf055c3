"""What time does: everything that falls due is done in its order."""

from __future__ import annotations

from datetime import timedelta

from .due import TRIAL_WARNING_SECONDS, next_change_at
from .json_tree import Json
from .refusals import RefusalError
from .resources import billing, managed, payments, pending_updates, schedules, sessions, subscriptions, trials
from .world import World

MOST_STEPS = 10_000


def advance(world: World, by: timedelta | int) -> int:
    """Moves the clock and performs what falls due on the way, each at its own time. Returns the new time."""
    seconds = int(by.total_seconds()) if isinstance(by, timedelta) else by
    target = world.now + seconds
    perform_due(world, target)
    world.shift_clock(max(0, target - world.now))
    return world.now


def perform_due(world: World, until: int) -> int:
    """Does what is due up to ``until``; returns how many things that were."""
    for step in range(MOST_STEPS):
        thing = world.store.next_due(until)
        if thing is None:
            return step
        perform(world, thing)
    raise RefusalError("Too many things fall due in this span of time")


def perform(world: World, thing: Json) -> None:
    """What time does to this thing next, at the time at which it does."""
    at = next_change_at(thing) or world.now
    world.shift_clock(max(0, at - world.now))
    {
        "checkout.session": sessions.expire,
        "invoice": billing.collect,
        "payment_intent": _settle_debit,
        "subscription": _move_subscription,
        "subscription_schedule": schedules.advance,
    }[thing["object"]](world, thing)


def _settle_debit(world: World, intent: Json) -> None:
    if session := sessions.session_of_intent(world, intent):
        sessions.settle_bank(world, session)
    else:
        payments.succeed(world, intent)


def _move_subscription(world: World, subscription: Json) -> Json:
    schedule = managed.schedule_of(world, subscription)
    if schedule and schedule["current_phase"]["end_date"] <= world.now:
        return schedules.advance(world, schedule)
    now, pending, pause = world.now, subscription["pending_update"], subscription["pause_collection"]
    if pending and pending["expires_at"] <= now:
        return pending_updates.expire(world, subscription)
    if pause and pause["resumes_at"] and pause["resumes_at"] <= now:
        return subscriptions.unpause_collection(world, subscription)
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        return subscriptions.cancel(world, subscription)
    if subscription["status"] == "incomplete":
        return subscriptions.expire_incomplete(world, subscription)
    if subscription["status"] == "trialing":
        if not subscription.get("_trial_end_told") and subscription["trial_end"] - TRIAL_WARNING_SECONDS <= now:
            return subscriptions.warn_of_trial_end(world, subscription)
        return trials.end_trial(world, subscription)
    return billing.roll_period(world, subscription)
