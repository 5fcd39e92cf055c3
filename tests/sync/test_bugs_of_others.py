"""The worst reported bugs of other packages, as they would have hit us."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access
from licenzy_django.models import Entitlement
from licenzy_django.testing import StripeDouble
from tests.histories import EVERYTHING, REF, newest, sub

pytestmark = pytest.mark.sells(**EVERYTHING)

Json = dict[str, Any]


def by_type(events: list[Json], event_type: str) -> list[Json]:
    return [event for event in events if event["type"] == event_type]


def test_cashier_1201_created_after_updated_does_not_leave_it_incomplete(stripe: StripeDouble) -> None:
    """laravel/cashier#1201: ``subscription.created`` (incomplete) came after ``updated`` (active) and won."""
    session = stripe.checkout(REF, "PRO_MONTHLY")
    stripe.simulator.pay_by_bank(session)
    stripe.simulator.settle_bank(session["id"])
    events = stripe.take_events()
    late = by_type(events, "customer.subscription.created")
    assert late[0]["data"]["object"]["status"] == "incomplete"

    stripe.deliver([event for event in events if event not in late])
    stripe.deliver(late)

    assert access.check(REF)


def test_cashier_1632_a_subscription_with_several_prices_survives_an_update(stripe: StripeDouble) -> None:
    """laravel/cashier#1632: an update of a subscription with several prices lost or doubled its items."""
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.add_item(sub(stripe), "price_seats", quantity=3)
    stripe.simulator.set_quantity(sub(stripe), 5, item=sub(stripe)["items"]["data"][1])
    stripe.deliver(times=2)

    views = {view.product_code: (view.available, view.quantity) for view in access.entitlements_of(REF)}
    assert views == {"PRO_MONTHLY": (True, 1), "SEATS": (True, 5)}


def test_cashier_1714_the_same_event_at_the_same_time_creates_one_subscription(stripe: StripeDouble) -> None:
    """laravel/cashier#1714: duplicate ``subscription.created`` made a second row. See also test_races."""
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    stripe.deliver(times=5)

    assert Entitlement.objects.count() == 1


def test_cashier_1759_the_period_end_is_read_from_the_items(stripe: StripeDouble) -> None:
    """laravel/cashier#1759: since basil ``current_period_end`` stands on the items, not on the subscription."""
    stripe.buy(REF, "PRO_MONTHLY")

    (view,) = access.entitlements_of(REF)
    end = sub(stripe)["items"]["data"][0]["current_period_end"]
    assert "current_period_end" not in sub(stripe)
    assert view.current_period_end is not None
    assert view.current_period_end.timestamp() == end


def test_cashier_1760_an_old_snapshot_does_not_revert_a_newer_one(stripe: StripeDouble) -> None:
    """laravel/cashier#1760: ``created`` delivered after ``updated`` reverted the state."""
    session = stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    first = by_type(stripe.simulator.events(), "customer.subscription.created")
    stripe.take_events()
    stripe.simulator.pause(session["subscription"])
    stripe.deliver(stripe.simulator.events("checkout.session.completed", "customer.subscription.updated"))
    stripe.deliver(first)

    assert not access.check(REF)


def test_drf_stripe_subscription_35_events_a_millisecond_apart_do_not_collide(stripe: StripeDouble) -> None:
    """oscarychen/drf-stripe-subscription#35: created and updated in the same instant raised and lost one."""
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    stripe.simulator.set_quantity(sub(stripe), 2)
    events = stripe.take_events()
    stamps = {event["created"] for event in events}

    statuses = stripe.deliver(list(reversed(events)))

    assert len(stamps) == 1
    assert set(statuses) == {200}
    assert [view.quantity for view in access.entitlements_of(REF)] == [2]


def test_better_auth_10534_a_second_purchase_does_not_hijack_the_first_ones_row(stripe: StripeDouble) -> None:
    """better-auth#10534: events found "the" row of a customer and overwrote another subscription's."""
    stripe.buy(REF, "PRO_MONTHLY")
    first = sub(stripe)
    stripe.buy(REF, "SEATS")

    stripe.cancel(first["id"])

    views = {view.product_code: view.available for view in access.entitlements_of(REF)}
    assert views == {"PRO_MONTHLY": False, "SEATS": True}


def test_dj_stripe_2196_current_payloads_lose_no_state(stripe: StripeDouble) -> None:
    """dj-stripe#2196: invoices no longer name their subscription at the top level; the link was lost."""
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.renew(session)
    invoice = newest(stripe, "invoice")
    assert "subscription" not in invoice

    stripe.refund(newest(stripe, "payment_intent"))

    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_stripe_sync_engine_two_updates_in_the_same_second_are_both_seen(stripe: StripeDouble) -> None:
    """stripe-sync-engine drops what is not younger than the last sync; Stripe's ``created`` has whole seconds."""
    session = stripe.buy(REF, "SEATS")
    stripe.simulator.set_quantity(session["subscription"], 4)
    stripe.simulator.set_quantity(session["subscription"], 9)
    first, second = stripe.take_events()
    assert first["created"] == second["created"]

    stripe.deliver([second])
    stripe.deliver([first])

    assert [view.quantity for view in access.entitlements_of(REF)] == [9]


def test_dict_methods_patched_onto_stripe_objects_change_nothing(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dj-stripe in the same process patches StripeObject, so that ``subscription.items`` is a bound method."""
    from stripe import StripeObject

    for name in ("get", "items", "keys", "values", "update"):
        monkeypatch.setattr(StripeObject, name, lambda self, *args: NotImplemented, raising=False)

    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.renew(session)

    assert access.check(REF)


def test_enum_values_that_do_not_exist_yet_give_no_access_and_no_error(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.find("subscription", session["subscription"])["status"] = "hibernating"
    event = stripe.simulator.event("customer.subscription.updated", "subscription", session["subscription"])

    assert stripe.deliver([event]) == [200]
    assert not access.check(REF)
