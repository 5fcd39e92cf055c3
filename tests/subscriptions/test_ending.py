"""Cancel and resume, both ways of each; what is so already is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, subscriptions
from licenzy_django.exceptions import IdempotencyKeyReused, InvalidRequest, NoSubscription, NotChangeable
from licenzy_django.models import Entitlement
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(PRO={"amount": 1900}, MORE={"amount": 500, "is_add_on": True})


@pytest.fixture
def subscription(stripe: StripeDouble) -> dict[str, Any]:
    session = stripe.buy("ada", "PRO")
    stripe.advance(days=10)
    return now(stripe, session["subscription"])


def now(stripe: StripeDouble, subscription: Any) -> dict[str, Any]:
    found: dict[str, Any] = stripe.simulator.get(
        "subscription", getattr(subscription, "get", lambda _: subscription)("id")
    )
    return found


def cancel(when: str = "period_end", key: str = "cancel-1", code: str = "PRO") -> subscriptions.Canceled:
    return subscriptions.cancel("ada", code, when=when, idempotency_key=key)


def resume(key: str = "resume-1", code: str = "PRO") -> subscriptions.Resumed:
    return subscriptions.resume("ada", code, idempotency_key=key)


def row(code: str = "PRO") -> Entitlement:
    return Entitlement.objects.get(product__code=code)


def test_canceled_at_the_end_of_the_period_it_goes_on_until_then(stripe: StripeDouble, subscription: Any) -> None:
    done = cancel()

    assert done == subscriptions.Canceled("scheduled", row().current_period_end)  # type: ignore[arg-type]
    assert row().cancel_at == done.effective_at
    assert access.check("ada", "PRO")
    stripe.advance(days=25)
    assert not access.check("ada", "PRO")


def test_canceled_now_it_ends_now_and_nothing_is_billed(stripe: StripeDouble, subscription: Any) -> None:
    before = len(stripe.simulator.all("invoice"))

    done = cancel("now")

    assert done == subscriptions.Canceled("canceled", stripe.now.replace(microsecond=0))
    assert not access.check("ada")
    assert len(stripe.simulator.all("invoice")) == before
    with pytest.raises(NoSubscription):
        cancel("now", "cancel-2")
    assert cancel("now").replayed, "the first key still has its answer"


def test_what_is_to_end_already_is_left_alone(stripe: StripeDouble, subscription: Any) -> None:
    first = cancel()
    before = len(stripe.requests)

    again = cancel(key="cancel-2")

    assert (again.status, again.effective_at, again.replayed) == ("scheduled", first.effective_at, False)
    assert len(stripe.requests) == before


def test_a_cancellation_is_taken_back(stripe: StripeDouble, subscription: Any) -> None:
    cancel()

    assert resume() == subscriptions.Resumed("active")
    assert row().cancel_at is None
    stripe.advance(days=25)
    assert access.check("ada", "PRO")


def test_what_goes_on_already_is_left_alone(stripe: StripeDouble, subscription: Any) -> None:
    before = len(stripe.requests)

    assert resume() == subscriptions.Resumed("active")
    assert len(stripe.requests) == before


@pytest.mark.parametrize("way", [{"cancel_at_period_end": True}, {"cancel_at": "min_period_end"}])
def test_whichever_of_the_two_ways_is_set_is_cleared(stripe: StripeDouble, subscription: Any, way: Any) -> None:
    client.ask("test", lambda stripe: stripe.v1.subscriptions.update(subscription["id"], way))
    stripe.deliver()
    assert row().cancel_at is not None

    resume()

    after = now(stripe, subscription)
    assert (after["cancel_at"], after["cancel_at_period_end"]) == (None, False)
    assert row().cancel_at is None


def test_a_key_answers_the_same_whatever_happened_since(stripe: StripeDouble, subscription: Any) -> None:
    first = cancel()
    resume()
    before = len(stripe.requests)

    again = cancel()

    assert (again.status, again.effective_at, again.replayed) == ("scheduled", first.effective_at, True)
    assert len(stripe.requests) == before
    assert row().cancel_at is None
    with pytest.raises(IdempotencyKeyReused):
        cancel("now")
    assert resume("cancel-1").status == "active", "a key is one of its operation"


def test_an_add_on_ends_alone(stripe: StripeDouble, subscription: Any) -> None:
    subscriptions.change("ada", "PRO", add={"MORE": 2}, idempotency_key="c")

    done = cancel("now", code="MORE")

    assert done.status == "canceled"
    assert access.check("ada", "PRO")
    assert not access.check("ada", "MORE")
    assert len(now(stripe, subscription)["items"]["data"]) == 1


def test_an_add_on_that_was_bought_by_itself_is_a_whole_subscription(stripe: StripeDouble) -> None:
    stripe.buy("ada", "MORE")

    assert cancel("now", code="MORE").status == "canceled"
    assert stripe.simulator.all("subscription")[0]["status"] == "canceled"


def test_what_is_unpaid_can_be_canceled(stripe: StripeDouble, subscription: Any) -> None:
    stripe.renew(subscription, paid=False)

    assert cancel("now").status == "canceled"


def test_what_is_paused_is_left_to_whoever_paused_it(stripe: StripeDouble, subscription: Any) -> None:
    client.ask("test", lambda stripe: stripe.v1.subscriptions.pause(subscription["id"], {"type": "subscription"}))
    stripe.deliver()

    for verb in (cancel, resume):
        with pytest.raises(NotChangeable, match="paused"):
            verb()


def test_a_resumed_trial_is_a_trial(stripe: StripeDouble) -> None:
    stripe.sell("TRY", trial_days=7)
    stripe.buy("ada", "TRY")
    cancel(code="TRY")

    assert resume(code="TRY").status == "trialing"


@pytest.mark.parametrize("when", ["", "later", None, 7])
def test_an_unknown_when_is_refused(stripe: StripeDouble, subscription: Any, when: Any) -> None:
    with pytest.raises(InvalidRequest):
        cancel(when)
