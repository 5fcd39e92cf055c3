"""Subscription schedules at Stripe, fed by hand: what a fetch finds, and the events that tell of them."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble

Json = dict[str, Any]
MONTH = 30 * 86_400


class Schedules:
    """The schedules that an account has."""

    def __init__(self, stripe: StripeDouble) -> None:
        self.stripe = stripe
        self.at_stripe: dict[str, Json] = {}
        self.asked: list[str] = []
        self.events: list[Json] = []

    def fetch(self, mode: str, schedule_id: str) -> Json:
        self.asked.append(schedule_id)
        if schedule_id not in self.at_stripe:
            raise client.StripeObjectMissing("schedule")
        return copy.deepcopy(self.at_stripe[schedule_id])

    def make(self, of: Json, *phases: list[tuple[str, int]], **more: Any) -> Json:
        """A schedule ``from_subscription`` with further phases of 30 days each: prices and quantities."""
        [first, *_] = of["items"]["data"]
        now = [(item["price"]["id"], item["quantity"]) for item in of["items"]["data"]]
        ends = first["current_period_end"]
        starts = [first["current_period_start"], *(ends + MONTH * number for number in range(len(phases)))]
        schedule: Json = {
            "id": f"sub_sched_{uuid4().hex[:8]}",
            "object": "subscription_schedule",
            "created": int(self.stripe.now.timestamp()),
            "current_phase": {"start_date": starts[0], "end_date": ends},
            "customer": of["customer"],
            "end_behavior": "release",
            "livemode": False,
            "metadata": {"who": "Ada Lovelace"},
            "phases": [
                {
                    "start_date": start,
                    "end_date": end,
                    "description": "for Ada Lovelace",
                    "items": [{"price": price, "plan": price, "quantity": quantity} for price, quantity in items],
                }
                for start, end, items in zip(starts, [*starts[1:], starts[-1] + MONTH], [now, *phases], strict=True)
            ],
            "released_subscription": None,
            "status": "active",
            "subscription": of["id"],
        } | more
        self.at_stripe[schedule["id"]] = schedule
        self.tell(schedule, "created")
        return schedule

    def attach(self, schedule: Json) -> None:
        """What a subscription says of its schedule."""
        world = self.stripe.simulator
        with world.unit(), world.changing(world.find("subscription", schedule["subscription"])) as subscription:
            subscription["schedule"] = schedule["id"]

    def change(self, schedule: Json, what: str, **changes: Any) -> None:
        schedule.update(changes)
        self.tell(schedule, what)

    def release(self, schedule: Json) -> None:
        """Taken off its subscription, which goes on as it is."""
        self.change(
            schedule,
            "released",
            status="released",
            subscription=None,
            released_subscription=schedule["subscription"],
            current_phase=None,
        )

    def tell(self, schedule: Json, what: str) -> None:
        self.events.append(
            {
                "id": f"evt_{uuid4().hex}",
                "object": "event",
                "type": f"subscription_schedule.{what}",
                "api_version": "2026-10-28.endive",
                "created": int(self.stripe.now.timestamp()) + len(self.events),
                "livemode": False,
                "data": {"object": copy.deepcopy(schedule)},
            }
        )

    def take(self) -> list[Json]:
        events, self.events = self.events, []
        return events

    def deliver(self) -> None:
        assert self.stripe.deliver(self.take()) != []
