"""What a webhook may cost."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django.models import Pack
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells("PRO_MONTHLY", WEEK_PASS={"kind": "time_pass"})

BOOKKEEPING = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def cost(stripe: StripeDouble, event: dict[str, object]) -> tuple[int, int]:
    """Statements and Stripe calls of one delivery."""
    asked = len(stripe.requests)
    with CaptureQueriesContext(connection) as queries:
        assert stripe.deliver([event]) == [200]
    statements = [query["sql"] for query in queries if not query["sql"].startswith(BOOKKEEPING)]
    return len(statements), len(stripe.requests) - asked


@pytest.mark.django_db(transaction=True)
def test_each_event_of_a_subscription_costs_at_most_twelve_statements_and_one_call(stripe: StripeDouble) -> None:
    session = stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    first = stripe.take_events()
    costs = {event["type"]: cost(stripe, event) for event in first}
    stripe.simulator.renew(session["subscription"], paid=False)
    stripe.simulator.recover(session["subscription"])
    stripe.simulator.cancel(session["subscription"])
    costs |= {"later " + event["type"]: cost(stripe, event) for event in stripe.take_events()}

    assert max(statements for statements, _ in costs.values()) <= 12, costs
    assert max(calls for _, calls in costs.values()) <= 1, costs

    duplicates = [cost(stripe, event) for event in first]
    assert max(statements for statements, _ in duplicates) <= 2
    assert {calls for _, calls in duplicates} == {0}


@pytest.mark.django_db(transaction=True)
def test_a_subscription_event_that_comes_first_costs_no_more(stripe: StripeDouble) -> None:
    for number, first in enumerate(["checkout.session.completed", "invoice.paid", "customer.subscription.created"]):
        stripe.simulator.pay(stripe.checkout(f"user_{number}", "PRO_MONTHLY"))
        events = {event["type"]: event for event in stripe.take_events()}

        statements, calls = cost(stripe, events[first])

        assert (statements <= 12, calls) == (True, 1), (first, statements, calls)


def a_trial(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "TRIAL"))


def a_start_without_an_invoice(stripe: StripeDouble) -> None:
    customer = stripe.buy("user_1", "WEEK_PASS")["customer"]
    anchor = stripe.simulator.now + 10 * 86_400
    stripe.simulator.subscribe(
        customer, [("price_pro_monthly", 1)], billing_cycle_anchor=anchor, proration_behavior="none"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begin", [a_trial, a_start_without_an_invoice])
def test_what_is_noted_of_a_subscription_costs_no_more(stripe: StripeDouble, begin: Callable[..., None]) -> None:
    stripe.sell("TRIAL", trial_days=14)
    begin(stripe)
    [subscription] = stripe.simulator.all("subscription")
    costs = {event["type"]: cost(stripe, event) for event in stripe.take_events()}
    stripe.simulator.set_quantity(subscription, 3)
    stripe.simulator.cancel_at_period_end(subscription)
    costs |= {"later " + event["type"]: cost(stripe, event) for event in stripe.take_events()}

    assert max(statements for statements, _ in costs.values()) <= 12, costs
    assert max(calls for _, calls in costs.values()) <= 1, costs


@pytest.mark.django_db(transaction=True)
def test_a_renewal_that_opens_windows_of_units_costs_at_most_three_statements_more(stripe: StripeDouble) -> None:
    stripe.sell("PLAIN")
    stripe.sell("UNITS", units=1000, rollover_units=300)
    most: dict[str, int] = {}
    for number, code in enumerate(["PLAIN", "UNITS"]):
        session = stripe.buy(f"user_{number}", code)
        stripe.simulator.renew(session["subscription"])
        most[code] = max(cost(stripe, event)[0] for event in stripe.take_events())

    assert Pack.objects.filter(source_id=session["subscription"]).count() == 6
    assert most["UNITS"] <= most["PLAIN"] + 3
