"""Law 2, exhaustively: every order of short histories, with every event once, twice or more often.

The delivery of an event is a step from one database state to another, and a state is all that the next step depends
on. So the walk below visits every state that any sequence of deliveries can reach, by trying every event in each, and
rolls back in between: no order and no repetition is left out, and none is tried twice from the same state.
"""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.models import StripeEvent, StripeFact
from licenzy_django.testing import StripeDouble
from tests.histories import HISTORIES, History, handled, sell_everything, state, undone
from tests.money_histories import MONEY_HISTORIES

pytestmark = [pytest.mark.logic, pytest.mark.slow]

Json = dict[str, Any]


def full_state() -> str:
    """What later deliveries can depend on. Tickets are left out: a new event's is always the highest."""
    facts = StripeFact.objects.values_list(
        "stripe_id", "object", "state", "subject", "customer_id", "subscription_id", "invoice_id", "payment_intent_id",
        "charge_id",
    )  # fmt: skip
    events = StripeEvent.objects.values_list("event_id", "status")
    return repr([state(), sorted(map(repr, facts)), sorted(events)])


class Walk:
    """Every state that deliveries of these events can reach."""

    def __init__(self, stripe: StripeDouble, events: list[Json]) -> None:
        self.stripe, self.events = stripe, events
        self.seen: set[str] = set()
        self.ends: set[str] = set()

    def visit(self, delivered: frozenset[str]) -> None:
        here = full_state()
        if here in self.seen:
            return
        self.seen.add(here)
        if len(delivered) == len(self.events):
            self.ends.add(repr(state()))
        for event in self.events:
            with undone():
                assert self.stripe.deliver([event]) == [200]
                self.visit(delivered | {event["id"]})


# Of five to seven events: up to 128 states and 900 deliveries each. `make test-orders` and CI walk them too.
LONG = {
    "cancel now",
    "current period disputed and won",
    "dispute lost",
    "dispute won",
    "first period refunded at once",
    "pause and resume",
    "purchase and two refunds that make a whole",
    "refund that fails",
    "refund that fails and is made again",
    "renewal that fails and recovers",
    "renewal that is written off",
    "two disputes on one charge",
    "update that is never paid",
    "two subscriptions to one product",
    "update that waits for its payment",
}
WALKS = [
    pytest.param(history, marks=[pytest.mark.exhaustive] if history.name in LONG else [], id=history.name)
    for history in [*HISTORIES, *MONEY_HISTORIES]
]


@pytest.mark.parametrize("history", WALKS)
def test_every_order_and_any_repetition_end_in_the_same_state(history: History, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    stripe.deliver()
    history.tail(stripe)
    events = handled(stripe.take_events())
    assert 1 <= len(events) <= (7 if history.name in LONG else 4)

    walk = Walk(stripe, events)
    walk.visit(frozenset())

    with undone():
        stripe.deliver(events)
        in_order = repr(state())
    assert walk.ends == {in_order}
