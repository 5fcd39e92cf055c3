"""Subscription schedules: https://docs.stripe.com/api/subscription_schedules/object"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, State
from licenzy_django.stripe.objects.fields import Json, id_of, inside, text, whole

FINAL_STATUSES = frozenset({"released", "canceled", "completed"})
KEPT = (
    "status customer subscription released_subscription current_phase phases start_date end_date end_behavior items "
    "price quantity trial_end"
)


def parse(schedule: Json, seen_at: int | None, event_type: str) -> Fact:
    # Releasing it moves the subscription from one field to the other.
    subscription_id = id_of(schedule.get("subscription")) or id_of(schedule.get("released_subscription"))
    return Fact(
        "subscription_schedule",
        schedule["id"],
        {
            "status": text(schedule, "status"),
            "created": whole(schedule, "created"),
            "end_behavior": text(schedule, "end_behavior"),
            "current_start": whole(inside(schedule, "current_phase"), "start_date"),
            "phases": [phase_state(phase) for phase in rows_of(schedule, "phases")],
            "seen_at": seen_at,
        },
        {"customer_id": id_of(schedule.get("customer")), "subscription_id": subscription_id},
    )


def phase_state(phase: Json) -> State:
    return {
        "start": whole(phase, "start_date"),
        "end": whole(phase, "end_date"),
        "items": [item_state(item) for item in rows_of(phase, "items")],
    }


def item_state(item: Json) -> State:
    quantity = whole(item, "quantity")
    return {
        "price": id_of(item.get("price")) or id_of(item.get("plan")),
        "quantity": 1 if quantity is None else quantity,
    }


def rows_of(stripe_object: Json, name: str) -> list[Json]:
    """The objects of a plain list: phases and their items come without a page around them."""
    rows = stripe_object.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


@dataclass(frozen=True, slots=True)
class Phase:
    """What a subscription has from ``start`` to ``end`` (Unix seconds): price and quantity of each item."""

    start: int
    end: int | None
    items: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, state: State) -> Self:
        items = tuple((item["price"], item["quantity"]) for item in state["items"])
        return cls(start=state["start"] or 0, end=state["end"], items=items)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a subscription is going to be. Times are Unix seconds.

    Attributes:
        current_start: when the phase began that it is in; None before the first one.
        phases: in the order of time.
    """

    id: str
    status: str
    created: int
    end_behavior: str
    current_start: int | None
    phases: tuple[Phase, ...]

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            status=state["status"] or "",
            created=state["created"] or 0,
            end_behavior=state["end_behavior"] or "",
            current_start=state["current_start"],
            phases=tuple(sorted(map(Phase.of, state["phases"]), key=lambda phase: phase.start)),
        )

    @property
    def is_over(self) -> bool:
        """Whether it governs its subscription no longer."""
        return self.status in FINAL_STATUSES

    @property
    def phases_ahead(self) -> tuple[Phase, ...]:
        """Those that have not begun. In its last phase a schedule stays attached, and has none."""
        if self.current_start is None:
            return self.phases
        return tuple(phase for phase in self.phases if phase.start > self.current_start)

    @property
    def moments_ahead(self) -> list[int]:
        """When it changes something of its subscription."""
        ends = [] if self.cancels_at is None else [self.cancels_at]
        return [*(phase.start for phase in self.phases_ahead), *ends]

    @property
    def cancels_at(self) -> int | None:
        """When it ends the subscription; None where the subscription goes on without it."""
        return self.phases[-1].end if self.phases and self.end_behavior == "cancel" else None
