"""Subscription schedules: phases that come one after the other, on a subscription that runs already.

docs.stripe.com/billing/subscriptions/subscription-schedules. A schedule starts from a subscription and stays attached
until its last phase ends; a phase replaces everything. Schedules that make their own subscription are refused.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import World
from . import billing, cancellations, customers, managed, phases, subscriptions
from .managed import UPDATED
from .schedule_shapes import bounds, current, schedule_of


def create(world: World, subscription: Json) -> Json:
    subscriptions.require_running(subscription)
    if attached := managed.schedule_of(world, subscription):
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: `{attached['id']}`.",
            "from_subscription",
        )
    if subscription["status"] == "incomplete":
        raise invalid("You cannot migrate a subscription whose first payment is open.", "from_subscription")
    schedule = world.add(schedule_of(world, subscription), "subscription_schedule.created")
    with world.changing(subscription, subscriptions.UPDATED):
        subscription |= {"schedule": schedule["id"], "cancel_at_period_end": False}
    return schedule


def update(world: World, schedule: Json, wanted: Json) -> Json:
    """``wanted`` as in the API. The current phase applies at once, by ``proration_behavior`` of the request."""
    _require_open(schedule, "update")
    subscription = world.find("subscription", schedule["subscription"])
    planned = phases.read(world, schedule, subscription, wanted["phases"]) if wanted.get("phases") else None
    with world.changing(schedule, UPDATED):
        customers.merge_metadata(schedule, wanted)
        schedule["end_behavior"] = wanted.get("end_behavior", schedule["end_behavior"])
        schedule["default_settings"] |= wanted.get("default_settings") or {}
        if planned:
            schedule["phases"] = planned
            schedule["current_phase"] = bounds(phases.running(world, planned))
    _show_end(world, schedule, subscription)
    if planned:
        behavior = wanted.get("proration_behavior", "create_prorations")
        with managed.applying(world, schedule, subscription):
            phases.apply(world, schedule, subscription, current(schedule), behavior)
    return schedule


def _show_end(world: World, schedule: Json, subscription: Json) -> None:
    """What ends with its schedule has the date of it in ``cancel_at``."""
    ends = schedule["end_behavior"] == "cancel"
    at = schedule["phases"][-1]["end_date"] if ends else None
    if subscription["cancel_at"] == at:
        return
    with world.changing(subscription, subscriptions.UPDATED):
        subscription |= {"cancel_at": at, "canceled_at": world.now if ends else None}
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if ends else None


def release(world: World, schedule: Json, *, preserve_cancel_date: bool = False) -> Json:
    """The subscription goes on as it is. ``preserve_cancel_date``: "Keep any cancellation on the subscription that the
    schedule has set"."""
    _require_open(schedule, "release")
    subscription = world.find("subscription", schedule["subscription"])
    with world.changing(schedule):
        schedule |= {"status": "released", "released_at": world.now, "released_subscription": subscription["id"]}
        schedule |= {"subscription": None, "current_phase": None}
    with world.changing(subscription, subscriptions.UPDATED):
        subscription["schedule"] = None
        if schedule["end_behavior"] == "cancel" and not preserve_cancel_date:
            subscription |= {"cancel_at": None, "canceled_at": None}
            subscription["cancellation_details"]["reason"] = None
    world.emit("subscription_schedule.released", schedule)
    return schedule


def cancel(world: World, schedule: Json, *, invoice_now: bool = True, prorate: bool = True) -> Json:
    """Ends schedule and subscription now; other than ``subscriptions.cancel``, with the unused time given back."""
    _require_open(schedule, "cancel")
    subscription = world.find("subscription", schedule["subscription"])
    cancellations.cancel(world, subscription, prorate=prorate, invoice_now=invoice_now)
    return schedule


def _require_open(schedule: Json, verb: str) -> None:
    if schedule["status"] not in ("active", "not_started"):
        done = {"cancel": "canceled", "release": "released", "update": "updated"}[verb]
        raise RefusalError(
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status. "
            f"It must be in `not_started, active` status to be {done}."
        )


def roll_period(world: World, subscription: Json) -> Json:
    """The next period begins, in the next phase where that begins too. Returns the invoice: a draft for an hour."""
    schedule = managed.schedule_of(world, subscription)
    ends = min(item["current_period_end"] for item in subscription["items"]["data"])
    if schedule is None or schedule["current_phase"]["end_date"] > ends:
        return billing.roll_period(world, subscription)
    world.shift_clock(max(0, schedule["current_phase"]["end_date"] - world.now))
    last = subscription["latest_invoice"]
    advance(world, schedule)
    if subscription["latest_invoice"] == last and subscription["status"] not in subscriptions.ENDED:
        return billing.roll_period(world, subscription)
    return billing.latest_invoice(world, subscription)


def renew(world: World, subscription: Json, *, paid: bool = True) -> Json:
    """A period's roll, an hour of draft, and the payment or its failure. Returns the invoice.

    Of a sent invoice (``collection_method=send_invoice``) nothing is charged: it is open until somebody pays it.
    """
    return billing.collect_draft(world, roll_period(world, subscription), paid=paid)


def advance(world: World, schedule: Json) -> Json:
    """The current phase ends: the next one begins, or the schedule is over."""
    end = schedule["current_phase"]["end_date"]
    coming = [phase for phase in schedule["phases"] if phase["start_date"] >= end]
    if not coming:
        return _complete(world, schedule)
    with world.changing(schedule, UPDATED):
        schedule["current_phase"] = bounds(coming[0])
    subscription = world.find("subscription", schedule["subscription"])
    with managed.applying(world, schedule, subscription):
        phases.enter(world, schedule, subscription, coming[0])
    return schedule


def _complete(world: World, schedule: Json) -> Json:
    """ "``completed``: Sent when all phases of a subscription schedule complete" (…/subscriptions/webhooks)."""
    subscription = world.find("subscription", schedule["subscription"])
    with world.changing(schedule):
        schedule |= {"status": "completed", "completed_at": world.now, "current_phase": None}
    world.emit("subscription_schedule.completed", schedule)
    if schedule["end_behavior"] == "cancel":
        subscriptions.cancel(world, subscription)
    else:
        with world.changing(subscription, subscriptions.UPDATED):
            subscription["schedule"] = None
    return schedule
