"""One event of a history never arrives: the dry run shows it wherever it matters, and the repair makes up for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from licenzy_django import sync
from licenzy_django.models import CheckoutAttempt, Entitlement, Subject
from licenzy_django.testing import StripeDouble
from tests.histories import HISTORIES, History, handled, sell_everything, undone
from tests.money_histories import MONEY_HISTORIES

Rows = set[tuple[object, ...]]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

QUICK = {
    "declined upgrade that is voided",
    "imported, then replaced and not paid",
    "more seats, billed at once and not paid",
    "purchase and full refund",
    "renewal that fails",
    "renewal that unpaid credit pays",
    "upgrade that is charged back and lost",
}
ALL = [
    pytest.param(history, marks=[] if history.name in QUICK else [pytest.mark.slow], id=history.name)
    for history in [*HISTORIES, *MONEY_HISTORIES]
]


ONLY_THE_EVENT_KNEW = {
    "imported, replaced without a bill, then more that is not paid": "what it was replaced with, and for how many",
    "session that Stripe no longer has": "that the page was paid",
}
"""What no object at Stripe tells any more: there only the event itself can be fetched, for 30 days."""


def what_counts() -> Rows:
    """Status and access; the second in which something became so only an event can tell."""
    columns = (
        "product__code",
        "source_id",
        "status",
        "status_reason",
        "grants_access",
        "quantity",
        "pack__units_remaining",
    )
    attempts = CheckoutAttempt.objects.values_list("public_id", "status", "failure_reason")
    return {*Entitlement.objects.values_list(*columns), *attempts}


def is_as_good(found: Rows, complete: Rows) -> bool:
    """What a subscription had and lost again meanwhile, no object at Stripe can tell: it has ended anyway."""
    return found <= complete and {row[4] for row in complete - found} <= {False}


@pytest.mark.logic
@pytest.mark.parametrize("history", ALL)
def test_whichever_event_is_lost_the_dry_run_shows_it_and_the_repair_makes_up_for_it(
    history: History, stripe_double: StripeDouble
) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    stripe.deliver()
    history.tail(stripe)
    events = handled(stripe.take_events())
    with undone():
        stripe.deliver(events)
        complete = what_counts()
        assert sync.drift(Subject.objects.get()) == []

    for number, lost in enumerate(events):
        with undone():
            stripe.deliver(events[number + 1 :])
            subject = Subject.objects.get()
            shown = sync.drift(subject)
            if not shown and history.name in ONLY_THE_EVENT_KNEW:
                assert [row.event_id for row in sync.missed_events("test", since=LONG_AGO)] == [lost["id"]]
            assert shown or is_as_good(what_counts(), complete), f"nothing differs without {lost['type']}"

            assert list(map(str, sync.repair(subject))) == list(map(str, shown))

            assert is_as_good(what_counts(), complete), (lost["type"], what_counts() ^ complete)
            assert sync.drift(subject) == []
        stripe.deliver([lost])
