"""Has this subject had a trial? The facts say so, in whatever order they came."""

from __future__ import annotations

import random

import pytest
from django.contrib.auth.models import AnonymousUser, User

from licenzy_django import access
from licenzy_django.access.trials import trials_of
from licenzy_django.models import StripeFact
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db, pytest.mark.sells("TEAM", PRO={"trial_days": 14})]


def test_who_never_had_one(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "TEAM")

    assert not access.has_had_trial("user_1")
    assert not access.has_had_trial("user_nobody")
    assert not access.has_had_trial(None)
    assert not access.has_had_trial(AnonymousUser())


def test_an_open_page_is_no_trial(stripe: StripeDouble) -> None:
    stripe.checkout("user_1", "PRO")

    assert not access.has_had_trial("user_1")


def test_a_trial_that_runs_and_one_that_is_over(stripe: StripeDouble, ada: User) -> None:
    stripe.buy(ada, "PRO")
    assert access.has_had_trial(ada)

    stripe.advance(days=40)

    assert access.has_had_trial(ada)
    assert not access.has_had_trial(ada, mode="live")


def test_one_that_was_canceled_on_its_first_day(stripe: StripeDouble) -> None:
    with stripe.webhooks_held_back():
        stripe.cancel(stripe.buy("user_1", "PRO"))
    stripe.deliver()

    assert access.has_had_trial("user_1")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_order_the_events_come_in(stripe: StripeDouble, seed: int) -> None:
    with stripe.webhooks_held_back():
        session = stripe.buy("user_1", "PRO")
        stripe.advance(days=20)
        stripe.simulator.swap_price(session["subscription"], "price_team")
        stripe.cancel(session)

    stripe.deliver(times=2, shuffled=random.Random(seed))

    [trial] = trials_of("user_1", "test")
    assert "price_pro" in trial.prices


def test_it_is_not_forgotten_when_stripe_shows_it_no_longer(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO")
    fact = StripeFact.objects.get(stripe_id=session["subscription"])
    fact.state |= {"trial_start": None, "trial_end": None}
    fact.save()

    assert access.has_had_trial("user_1")


def test_one_from_before_trials_were_kept_counts_for_what_the_subscription_has(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO")
    StripeFact.objects.filter(object="trial").delete()

    [trial] = trials_of("user_1", "test")

    assert trial.prices == {"price_pro"}
