"""Subscription schedules: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import missing
from ..resources import schedules
from ..world import World


def create_schedule(world: World, params: Json, _: str) -> Json:
    """From a subscription only. One that makes its own subscription is refused: its parameters are not simulated."""
    if not params.get("from_subscription"):
        raise missing("from_subscription")
    return schedules.create(world, world.find("subscription", params["from_subscription"], param="from_subscription"))


def update_schedule(world: World, params: Json, identifier: str) -> Json:
    return schedules.update(world, world.find("subscription_schedule", identifier), params)


def release_schedule(world: World, params: Json, identifier: str) -> Json:
    schedule = world.find("subscription_schedule", identifier)
    return schedules.release(world, schedule, preserve_cancel_date=params.get("preserve_cancel_date", False))


def cancel_schedule(world: World, params: Json, identifier: str) -> Json:
    schedule = world.find("subscription_schedule", identifier)
    return schedules.cancel(
        world, schedule, invoice_now=params.get("invoice_now", True), prorate=params.get("prorate", True)
    )
