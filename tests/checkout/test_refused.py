"""Stripe says no, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.exceptions import StripeRefused
from licenzy_django.models import CheckoutAttempt, Product
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of
from tests.checkouts import start

pytestmark = pytest.mark.sells("PRO_MONTHLY")

SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"


def test_a_wrong_price_is_an_operators_matter_and_stays_one(
    stripe: StripeDouble, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    wrong_price()

    answer = backend.checkout("user_1", "PRO_MONTHLY")
    again = backend.checkout("user_1", "PRO_MONTHLY")

    assert error_of(answer) == error_of(again) == (502, "stripe_error")
    assert "price_that" not in answer.content.decode()
    assert "resource_missing" in caplog.text


def wrong_price(price: str = "price_that_is_not_there") -> None:
    product = Product.objects.get()
    product.stripe_price_id = price
    product.save()


def test_once_the_price_is_right_the_same_key_opens_the_page(stripe: StripeDouble) -> None:
    wrong_price()
    for _ in range(2):
        with pytest.raises(StripeRefused):
            start()

    wrong_price("price_pro_monthly")
    opened = start()
    again = start()

    assert stripe.pay(opened.checkout_url)["status"] == "complete"
    assert (again.checkout_url, again.replayed, opened.replayed) == (opened.checkout_url, True, False)
    assert len(stripe.simulator.all("checkout.session")) == 1
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.stripe_price_id, attempt.status) == ("price_pro_monthly", "finalized")


def test_what_was_put_right_at_stripe_alone_opens_the_page_too(stripe: StripeDouble) -> None:
    wrong_price("price_made_late")
    with pytest.raises(StripeRefused):
        start()

    stripe.simulator.create_price(
        {"id": "price_made_late", "currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}}
    )

    assert start().checkout_url


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "timeout", "rate_limit", "server_error"])
def test_a_stripe_that_is_down_is_worth_a_retry(stripe: StripeDouble, backend: Backend, fault: str) -> None:
    stripe.faults.add("*", "*", fault, times=9)

    answer = backend.checkout("user_1", "PRO_MONTHLY")

    assert error_of(answer) == (503, "stripe_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_rejected_key_of_ours_is_an_operators_matter_and_never_logged(
    stripe: StripeDouble, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LICENZY = {**settings.LICENZY, "TEST_SECRET_KEY": "wrong_key_that_is_secret"}

    with pytest.raises(StripeRefused):
        start()

    assert "that_is_secret" not in caplog.text
    settings.LICENZY = {**settings.LICENZY, "TEST_SECRET_KEY": "sk_test_double"}
    assert start().checkout_url, "the same key continues once the operator has acted"
