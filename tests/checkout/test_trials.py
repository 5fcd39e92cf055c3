"""A trial reaches Stripe, and each subject gets one."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from licenzy_django import access, checkout, doctor
from licenzy_django.checkout.trials import second_trials
from licenzy_django.exceptions import AlreadySubscribed, CheckoutSessionExpired, InvalidRequest, StripeRefused
from licenzy_django.models import CheckoutAttempt, Product, Subject
from licenzy_django.testing import StripeDouble
from tests.backend import Backend
from tests.checkouts import open_pages, start

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells("PLAIN", PRO={"trial_days": 14}, TEAM={"trial_days": 7, "trial_card": False}),
]


def asked() -> dict[str, Any]:
    """What Stripe was asked for the newest page, without what belongs to every page."""
    attempt = CheckoutAttempt.objects.latest("pk")
    params = attempt.stripe_params
    subscription_data = {name: value for name, value in params["subscription_data"].items() if name != "metadata"}
    collection = {name: value for name, value in params.items() if name == "payment_method_collection"}
    return {"subscription_data": subscription_data, **collection}


def trials(allowed: str) -> override_settings:
    return override_settings(LICENZY={**settings.LICENZY, "TRIALS": allowed})


# --- it reaches Stripe ------------------------------------------------------------------------------------------------


def test_the_trial_of_the_product_is_sent_with_the_session_and_answered(stripe: StripeDouble) -> None:
    started = start("PRO")

    assert started.trial_days == 14
    assert asked() == {"subscription_data": {"trial_period_days": 14}}


def test_nothing_is_paid_until_the_trial_ends(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO")
    assert (session["payment_status"], bool(access.check("user_1", "PRO"))) == ("no_payment_required", True)

    stripe.advance(days=15)

    assert access.check("user_1", "PRO")
    assert stripe.simulator.get("subscription", session["subscription"])["status"] == "active"


def test_without_a_card_the_subscription_ends_with_its_trial(stripe: StripeDouble) -> None:
    session = stripe.checkout("user_1", "TEAM")
    assert access.check("user_1", "TEAM").reason == "no_entitlement"
    stripe.delivered(stripe.simulator.pay(session["id"], card=False))
    assert access.check("user_1", "TEAM")

    stripe.advance(days=8)

    assert access.check("user_1", "TEAM").reason == "canceled"


@pytest.mark.usefixtures("stripe")
def test_stripe_is_told_that_no_card_is_needed_and_what_then() -> None:
    start("TEAM")

    assert asked() == {
        "payment_method_collection": "if_required",
        "subscription_data": {
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        },
    }


def test_a_card_is_not_waived_where_there_is_no_trial(stripe: StripeDouble) -> None:
    start("TEAM", trial=False)

    assert asked() == {"subscription_data": {}}


def test_a_product_without_a_trial_answers_zero(stripe: StripeDouble, backend: Backend) -> None:
    assert backend.checkout("user_1", "PLAIN").json()["trial_days"] == 0


def test_the_api_answers_trial_days_the_same_when_replayed(stripe: StripeDouble, backend: Backend) -> None:
    first = backend.checkout("user_1", "PRO", key="order-1")
    product = Product.objects.get(code="PRO")
    product.trial_days = 30
    product.save()

    again = backend.checkout("user_1", "PRO", key="order-1")

    assert (first.json()["trial_days"], again.json()) == (14, first.json())


@pytest.mark.parametrize("trial", ["false", 0, 1])
def test_trial_is_true_or_false(stripe: StripeDouble, backend: Backend, trial: object) -> None:
    answer = backend.checkout("user_1", "PRO", trial=trial)

    assert (answer.status_code, "trial" in answer.json()["fields"]) == (400, True)
    with pytest.raises(InvalidRequest):
        start("PRO", trial=trial)


def test_a_request_with_another_wish_is_another_request(stripe: StripeDouble, backend: Backend) -> None:
    assert backend.checkout("user_1", "PRO", key="order-1", trial=False).json()["trial_days"] == 0
    assert backend.checkout("user_1", "PRO", key="order-1").status_code == 422


def test_a_checkout_that_stripe_refused_keeps_the_wish_when_it_is_tried_again(stripe: StripeDouble) -> None:
    price = Product.objects.get(code="PRO").stripe_price_id
    Product.objects.filter(code="PRO").update(stripe_price_id="price_gone")
    with pytest.raises(StripeRefused):
        start("PRO", trial=False)
    Product.objects.filter(code="PRO").update(stripe_price_id=price)

    assert start("PRO", trial=False).trial_days == 0


# --- once -------------------------------------------------------------------------------------------------------------


def test_who_had_a_trial_is_charged_at_once(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO")
    stripe.advance(days=3)
    stripe.cancel(session)

    again = stripe.buy("user_1", "PRO")

    assert CheckoutAttempt.objects.latest("pk").trial_days == 0
    assert (again["payment_status"], again["amount_total"]) == ("paid", 1900)


def test_a_trial_of_one_product_counts_for_every_other(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO")

    assert start("TEAM").trial_days == 0
    assert checkout.start("user_2", "TEAM", idempotency_key="order-2").trial_days == 7


def test_a_trial_that_was_made_by_hand_counts(stripe: StripeDouble) -> None:
    customer = stripe.buy("user_1", "PLAIN")["customer"]
    stripe.simulator.subscribe(customer, [("price_pro", 1)], trial_days=3)
    stripe.deliver()

    assert start("TEAM").trial_days == 0


def test_once_per_product_looks_at_the_products_that_had_one(stripe: StripeDouble) -> None:
    with trials("once_per_product"):
        session = stripe.buy("user_1", "PRO")
        stripe.cancel(session)

        assert start("PRO", "order-2").trial_days == 0
        assert start("TEAM", "order-3").trial_days == 7


def test_a_product_that_came_after_the_trial_has_had_none(stripe: StripeDouble) -> None:
    with trials("once_per_product"):
        session = stripe.buy("user_1", "PRO")
        stripe.advance(days=20)
        stripe.simulator.swap_price(session["subscription"], "price_team")
        stripe.deliver()
        stripe.cancel(session)

        assert start("PRO", "order-2").trial_days == 0
        assert start("TEAM", "order-3").trial_days == 7


def test_always_asks_no_questions(stripe: StripeDouble) -> None:
    with trials("always"):
        stripe.cancel(stripe.buy("user_1", "PRO"))

        assert start("PRO", "order-2").trial_days == 14
        assert second_trials("test") == []


# --- one page ---------------------------------------------------------------------------------------------------------


def test_a_page_with_a_trial_closes_the_other_one(stripe: StripeDouble) -> None:
    start("PRO", "order-1")

    second = start("TEAM", "order-2")

    assert (second.trial_days, open_pages(stripe)) == (7, [second.checkout_url])
    with pytest.raises(CheckoutSessionExpired):
        start("PRO", "order-1")


def test_a_page_without_a_trial_leaves_one_with_a_trial_open(stripe: StripeDouble) -> None:
    first = start("PRO", "order-1")
    second = start("TEAM", "order-2", trial=False)

    assert open_pages(stripe) == [first.checkout_url, second.checkout_url]


def test_a_page_that_was_completed_meanwhile_has_taken_the_trial(stripe: StripeDouble) -> None:
    page = start("PRO", "order-1").checkout_url
    with stripe.webhooks_held_back():
        stripe.pay(page)

        assert start("TEAM", "order-2").trial_days == 0
        with pytest.raises(AlreadySubscribed):
            start("PRO", "order-3")


def test_the_database_keeps_a_subject_to_one_page_with_a_trial(stripe: StripeDouble) -> None:
    start("PRO", "order-1")
    attempt = CheckoutAttempt.objects.get()
    attempt.pk, attempt.public_id, attempt.idempotency_key = None, "att_2", "order-2"
    attempt.stripe_session_id, attempt.page_slot = "", "product:0"

    with pytest.raises(Exception, match=r"licenzy_attempt_one_trial_page|trial_slot"):
        attempt.save(force_insert=True)


# --- two all the same -------------------------------------------------------------------------------------------------


def test_a_second_trial_runs_and_is_shown_to_the_operator(stripe: StripeDouble, admin_client: Client) -> None:
    first = stripe.buy("user_1", "PRO")
    stripe.advance(days=1)
    second = stripe.simulator.subscribe(first["customer"], [("price_team", 1)], trial_days=7)
    stripe.deliver()

    [found] = second_trials("test")

    assert (found.first.subscription_id, found.second.subscription_id) == (first["subscription"], second["id"])
    assert access.check("user_1", "PRO")
    assert access.check("user_1", "TEAM")
    [told] = doctor.examine(["billing"])
    health = admin_client.get(reverse("admin:licenzy_stripeevent_health"), {"mode": "test"}).content.decode()
    page = admin_client.get(reverse("admin:licenzy_subject_change", args=[Subject.objects.get().pk])).content.decode()
    assert f"user_1 has a second trial: {second['id']}" in told.message
    assert f"user_1 has a second trial: {second['id']}" in health
    assert f"{second['id']} has a trial, though there was one before with {first['subscription']}" in page

    stripe.cancel(second)

    assert second_trials("test") == []
