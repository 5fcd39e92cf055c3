"""Changes at the end of the period: scheduled, shown, refused while another one is, taken back, made."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, subscriptions
from licenzy_django.exceptions import ChangePending, NotChangeable
from licenzy_django.models import Entitlement, Product, SubscriptionChange
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(
    PRO={"amount": 1900, "group": "plans"},
    MAX={"amount": 2900, "group": "plans"},
    YEARLY={"amount": 29000, "interval": "year", "group": "plans"},
    MORE={"amount": 500, "is_add_on": True},
)


@pytest.fixture
def subscription(stripe: StripeDouble) -> dict[str, Any]:
    """Ada has MAX, ten days old."""
    session = stripe.buy("ada", "MAX")
    stripe.advance(days=10)
    found: dict[str, Any] = stripe.simulator.get("subscription", session["subscription"])
    return found


def change(to: str = "PRO", key: str = "change-1", **more: Any) -> subscriptions.Changed:
    return subscriptions.change("ada", more.pop("code", "MAX"), to_product_code=to, idempotency_key=key, **more)


def cancel(code: str = "MAX", when: str = "period_end", key: str = "cancel-1") -> subscriptions.Canceled:
    return subscriptions.cancel("ada", code, when=when, idempotency_key=key)


def resume(key: str = "resume-1", code: str = "MAX") -> subscriptions.Resumed:
    return subscriptions.resume("ada", code, idempotency_key=key)


def row(code: str = "MAX") -> Entitlement:
    return Entitlement.objects.get(product__code=code)


def posts(stripe: StripeDouble) -> int:
    return sum(request.method != "GET" for request in stripe.requests)


def last_invoice(stripe: StripeDouble) -> dict[str, Any]:
    found: dict[str, Any] = stripe.simulator.all("invoice")[-1]
    return found


def test_a_downgrade_waits_for_the_end_of_the_period_and_is_shown(stripe: StripeDouble, subscription: Any) -> None:
    before = len(stripe.simulator.all("invoice"))

    done = change()

    assert (done.status, done.effective_at, done.payment_url) == ("scheduled", row().current_period_end, None)
    shown = row()
    assert (shown.changes_at, shown.changes_to, shown.changes_quantity) == (
        done.effective_at,
        "PRO",
        1,
    )
    assert access.check("ada", "MAX")
    assert len(stripe.simulator.all("invoice")) == before
    stripe.renew(subscription)
    assert access.check("ada", "PRO")
    assert not access.check("ada", "MAX")
    assert (last_invoice(stripe)["total"], last_invoice(stripe)["status"]) == (1900, "paid")


def test_the_second_phase_has_the_discount_the_card_and_the_metadata(stripe: StripeDouble, subscription: Any) -> None:
    change()

    schedule = stripe.simulator.all("subscription_schedule")[0]
    first, second = schedule["phases"]
    for name in (
        "default_payment_method",
        "discounts",
        "metadata",
        "collection_method",
    ):
        assert first[name] == second[name], name
    assert (schedule["end_behavior"], second["proration_behavior"]) == ("release", "none")
    assert schedule["metadata"] == {"licenzy_change": SubscriptionChange.objects.get().public_id}
    assert second["end_date"] - second["start_date"] <= 31 * 86_400


def test_another_change_meanwhile_is_refused(stripe: StripeDouble, subscription: Any) -> None:
    change()
    before = posts(stripe)

    for asked in ({"to": "YEARLY"}, {"to": "", "quantity": 2}, {"to": "PRO", "key": "change-2"}):
        with pytest.raises(ChangePending):
            change(**{"key": "another", **asked})
    with pytest.raises(ChangePending):
        subscriptions.preview("ada", "MAX", to_product_code="YEARLY")
    assert posts(stripe) == before


def test_resume_takes_it_back(stripe: StripeDouble, subscription: Any) -> None:
    change()

    assert resume() == subscriptions.Resumed("active")

    assert row().changes_at is None
    assert SubscriptionChange.objects.get(verb="change").taken_back_at == stripe.now
    before = len(stripe.requests)
    assert resume("resume-2").status == "active"
    assert len(stripe.requests) == before, "what goes on already is left alone"
    stripe.renew(subscription)
    assert last_invoice(stripe)["total"] == 2900
    assert change(key="change-2").status == "scheduled", "and it may be made anew"


def test_cancel_takes_it_back_and_ends_the_subscription(stripe: StripeDouble, subscription: Any) -> None:
    change()

    done = cancel()

    assert (done.status, done.effective_at) == ("scheduled", row().current_period_end)
    assert (row().changes_at, row().cancel_at) == (None, done.effective_at)
    stripe.advance(days=25)
    assert not access.check("ada")


def test_cancel_now_needs_no_schedule_either(stripe: StripeDouble, subscription: Any) -> None:
    change()

    assert cancel(when="now").status == "canceled"
    assert not access.check("ada")


def test_the_schedule_stays_attached_after_the_change_and_is_in_nobodys_way(
    stripe: StripeDouble, subscription: Any
) -> None:
    change()
    stripe.renew(subscription)
    assert stripe.simulator.get("subscription", subscription["id"])["schedule"]
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")

    assert change("MAX", "change-2", code="PRO", change_token=shown.change_token).status == "changed"

    assert last_invoice(stripe)["amount_due"] == shown.amount_due
    assert stripe.simulator.get("subscription", subscription["id"])["schedule"] is None
    assert access.check("ada", "MAX")
    assert cancel(key="cancel-2").status == "scheduled"


def test_after_its_last_phase_stripe_releases_it(stripe: StripeDouble, subscription: Any) -> None:
    change()
    stripe.renew(subscription)
    stripe.renew(subscription)

    assert stripe.simulator.get("subscription", subscription["id"])["schedule"] is None
    assert last_invoice(stripe)["total"] == 1900
    assert access.check("ada", "PRO")


def test_a_year_may_wait_for_the_end_of_the_period_and_begins_there(stripe: StripeDouble, subscription: Any) -> None:
    done = change("YEARLY", when="period_end")
    stripe.renew(subscription)

    assert done.status == "scheduled"
    assert last_invoice(stripe)["total"] == 29000
    end = row("YEARLY").current_period_end
    assert end is not None
    assert done.effective_at is not None
    assert (end - done.effective_at).days in (365, 366)


def test_fewer_seats_at_the_end_of_the_period(stripe: StripeDouble, subscription: Any) -> None:
    change("", quantity=5)

    done = change("", "change-2", quantity=2)

    assert done.status == "scheduled"
    assert (row().quantity, row().changes_quantity) == (5, 2)
    stripe.renew(subscription)
    assert row().quantity == 2
    assert last_invoice(stripe)["total"] == 2 * 2900


def test_an_add_on_ends_with_the_period_and_may_be_kept(stripe: StripeDouble, subscription: Any) -> None:
    change("", add={"MORE": 2})

    done = cancel("MORE")

    assert (done.status, done.effective_at) == ("scheduled", row("MORE").current_period_end)
    assert (row("MORE").changes_at, row("MORE").changes_quantity) == (done.effective_at, 0)
    before = len(stripe.requests)
    assert cancel("MORE", key="cancel-2").effective_at == done.effective_at
    assert len(stripe.requests) == before, "what is to end already is left alone"
    resume(code="MORE")
    assert row("MORE").changes_at is None
    cancel("MORE", key="cancel-3")
    stripe.renew(subscription)
    assert access.check("ada", "MAX")
    assert not access.check("ada", "MORE")
    assert last_invoice(stripe)["total"] == 2900


def test_a_schedule_made_by_hand_is_left_to_whoever_made_it(stripe: StripeDouble, subscription: Any) -> None:
    asked: Any = {"from_subscription": subscription["id"]}
    client.ask("test", lambda stripe: stripe.v1.subscription_schedules.create(asked))
    stripe.deliver()

    with pytest.raises(NotChangeable, match="schedule"):
        change()
    with pytest.raises(NotChangeable, match="schedule"):
        cancel()


def test_a_change_that_waits_for_its_payment_gives_way_to_a_scheduled_one(
    stripe: StripeDouble, subscription: Any
) -> None:
    stripe.set_card(subscription, works=False)
    assert change("YEARLY", "change-0").status == "requires_payment"
    stripe.set_card(subscription, works=True)

    assert change().status == "scheduled"

    assert stripe.simulator.get("subscription", subscription["id"])["pending_update"] is None
    stripe.renew(subscription)
    assert access.check("ada", "PRO")


def test_a_trial_that_loses_an_add_on_ends_when_it_was_to_end(stripe: StripeDouble) -> None:
    Product.objects.filter(code="PRO").update(trial_days=14)
    stripe.buy("ada", "PRO")
    change("", code="PRO", add={"MORE": 1})
    ends_at = row("PRO").current_period_end

    done = cancel("MORE")

    assert done.effective_at == ends_at
    assert row("PRO").status == "trialing"
    stripe.advance(days=15)
    assert last_invoice(stripe)["total"] == 1900
