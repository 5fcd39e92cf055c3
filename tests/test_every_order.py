"""Law 2, exhaustively: every order of short histories, with every event once, twice or more often.

The delivery of an event is a step from one database state to another, and a state is all that the next step depends
on. So the walk below visits every state that any sequence of deliveries can reach, by trying every event in each, and
rolls back in between: no order and no repetition is left out, and none is tried twice from the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from licenzy_django.models import StripeEvent, StripeFact
from licenzy_django.testing import StripeDouble
from tests.histories import HISTORIES, History, handled, sell_everything, state

Json = dict[str, Any]


def full_state() -> str:
    """What later deliveries can depend on. Tickets are left out: a new event's is always the highest."""
    facts = StripeFact.objects.values_list(
        "stripe_id", "object", "state", "subject", "customer_id", "subscription_id", "invoice_id", "payment_intent_id",
        "charge_id",
    )  # fmt: skip
    events = StripeEvent.objects.values_list("event_id", "status")
    return repr([state(), sorted(map(repr, facts)), sorted(events)])


@contextmanager
def undone() -> Iterator[None]:
    """A bare savepoint: an atomic() block would be seen, rightly, as a transaction around a call to Stripe."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


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


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_every_order_and_any_repetition_end_in_the_same_state(history: History, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    stripe.deliver()
    history.tail(stripe)
    events = handled(stripe.take_events())
    assert 1 <= len(events) <= 9, [event["type"] for event in events]

    walk = Walk(stripe, events)
    walk.visit(frozenset())

    with undone():
        stripe.deliver(events)
        in_order = repr(state())
    assert walk.ends == {in_order}
