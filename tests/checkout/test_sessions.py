"""Checkout starts a payment. It never grants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, override_settings

from licenzy_django import access
from licenzy_django.exceptions import (
    AlreadySubscribed,
    CheckoutSessionExpired,
    IdempotencyKeyReused,
    InvalidRequest,
    ProductNotFound,
)
from licenzy_django.models import CheckoutAttempt, Entitlement, Product, Subject
from licenzy_django.testing import StripeDouble, stripe_double_in_memory
from tests.backend import Backend, error_of
from tests.checkouts import asked, start

pytestmark = pytest.mark.sells("PRO_MONTHLY", CREDITS={"kind": "usage_pack"})

SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"


# --- it unlocks nothing -----------------------------------------------------------------------------------------------


def test_a_session_a_redirect_and_a_finished_form_unlock_nothing(stripe: StripeDouble, backend: Backend) -> None:
    answer = backend.checkout("user_1", "PRO_MONTHLY")
    assert answer.status_code == 201
    assert not access.check("user_1")

    stripe.simulator.pay(answer.json()["checkout_url"].rsplit("/", 1)[-1])
    Client().get("/return/", {"session_id": answer.json()["checkout_url"].rsplit("/", 1)[-1]})

    assert not access.check("user_1")
    assert not Entitlement.objects.exists()
    assert backend.access("user_1")["status"] == "none"


def test_only_what_stripe_confirmed_turns_access_on(stripe: StripeDouble) -> None:
    session = stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    assert not access.check("user_1")

    stripe.deliver()

    assert access.check("user_1", "PRO_MONTHLY")
    attempt = CheckoutAttempt.objects.get(stripe_session_id=session["id"])
    assert attempt.status == "finalized"


# --- one key, one effect ----------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_page_and_asks_stripe_nothing_more(stripe: StripeDouble) -> None:
    first = start()
    requests = len(stripe.requests)

    again = start()

    assert (again.attempt_id, again.checkout_url) == (first.attempt_id, first.checkout_url)
    assert (first.replayed, again.replayed) == (False, True)
    assert len(stripe.requests) == requests
    assert CheckoutAttempt.objects.count() == 1


def test_quoted_and_unquoted_keys_are_the_same_key(stripe: StripeDouble, backend: Backend) -> None:
    first = backend.checkout("user_1", "PRO_MONTHLY", key='"order-1"')
    again = backend.checkout("user_1", "PRO_MONTHLY", key="order-1")

    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "user_2"},
        {"product": "CREDITS"},
        {"quantity": 2},
        {"customer_email": "ada@example.com"},
        {"success_url": "https://shop.example/thanks"},
        {"cancel_url": "https://shop.example/"},
    ],
    ids=str,
)
def test_the_same_key_for_another_request_is_refused(stripe: StripeDouble, other: dict[str, Any]) -> None:
    start()

    with pytest.raises(IdempotencyKeyReused):
        start(**other)

    assert len(asked(stripe, SESSIONS)) == 1


def test_keys_are_scoped_by_mode(stripe: StripeDouble) -> None:
    price = {"id": "price_live", "currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}}
    stripe.simulator.live.create_price(price)
    Product.objects.create(
        mode="live", code="PRO_MONTHLY", name="Pro", kind="subscription", stripe_price_id="price_live"
    )

    with override_settings(LICENZY={**settings.LICENZY, "LIVE_SECRET_KEY": "sk_live_double"}):
        in_test, in_live = start(), start(mode="live")

    assert (in_test.mode, in_live.mode) == ("test", "live")
    assert in_test.attempt_id != in_live.attempt_id
    assert Subject.objects.filter(subject_ref="user_1").count() == 2


def test_a_page_that_has_expired_needs_a_new_key(stripe: StripeDouble) -> None:
    start()
    stripe.simulator.advance(timedelta(hours=25))

    with pytest.raises(CheckoutSessionExpired):
        start()

    stripe.deliver()
    with pytest.raises(CheckoutSessionExpired):
        start()
    assert start(key="order-2").status == "created"


@pytest.mark.parametrize("finish", ["pay", "pay_by_bank"])
def test_a_page_that_was_finished_is_not_given_again(stripe: StripeDouble, finish: str) -> None:
    session = stripe.checkout("user_1", "CREDITS", idempotency_key="order-1")
    getattr(stripe.simulator, finish)(session)
    stripe.deliver()

    with pytest.raises(CheckoutSessionExpired):
        start(product="CREDITS")


def test_a_second_subscription_to_the_same_product_is_refused(stripe: StripeDouble, backend: Backend) -> None:
    stripe.buy("user_1", "PRO_MONTHLY")

    with pytest.raises(AlreadySubscribed):
        start(key="order-2")
    answer = backend.checkout("user_1", "PRO_MONTHLY", key="order-3")

    assert error_of(answer) == (409, "already_subscribed")
    assert answer.json()["billing_portal"] == "/v1/billing-portal/session"
    assert backend.checkout("user_2", "PRO_MONTHLY", key="order-4").status_code == 201


def test_packs_can_be_bought_again_and_again(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "CREDITS")
    stripe.buy("user_1", "CREDITS")

    assert access.summary("user_1").usage_remaining == 2000


# --- around it --------------------------------------------------------------------------------------------------------


def test_nothing_is_started_inside_a_transaction(stripe: StripeDouble) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
        start()

    assert not stripe.requests
    assert not CheckoutAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_host_with_atomic_requests_can_use_all_endpoints() -> None:
    with stripe_double_in_memory() as stripe:
        stripe.sell("PRO_MONTHLY")
        connection.settings_dict["ATOMIC_REQUESTS"] = True
        try:
            backend = Backend()
            answer = backend.checkout("user_1", "PRO_MONTHLY")
            stripe.simulator.pay(answer.json()["checkout_url"].rsplit("/", 1)[-1])
            stripe.simulator.deliver(post=through_the_handler, secrets=["whsec_of_the_test_kit"], api_version=None)
            portal = backend.post("billing-portal/session", {"subject_ref": "user_1"})
        finally:
            connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert (answer.status_code, portal.status_code) == (201, 201)
    assert access.check("user_1", mode="test")


def through_the_handler(body: bytes, headers: dict[str, str]) -> int:
    signature = {"Stripe-Signature": headers["Stripe-Signature"]}
    answer = Client().post("/v1/webhooks/stripe", body, content_type="application/json", headers=signature)
    return answer.status_code


def test_the_settings_urls_reach_stripe_with_the_template_kept_literally(stripe: StripeDouble) -> None:
    given = "https://shop.example/return?a=1&session={CHECKOUT_SESSION_ID}"
    with override_settings(LICENZY={**settings.LICENZY, "ALLOWED_REDIRECT_HOSTS": ["shop.example"]}):
        start(success_url=given)
        start("CREDITS", "order-2")

    urls = [session["success_url"] for session in stripe.simulator.all("checkout.session")]
    assert urls[0] == given
    assert urls[1].endswith("session_id={CHECKOUT_SESSION_ID}")


@pytest.mark.parametrize("code", ["PRO_MONTHLY\x00", "PRO_MONTHLY\ud800", "", "NO_SUCH"], ids=ascii)
def test_a_code_from_a_form_that_no_product_can_have_is_product_not_found(stripe: StripeDouble, code: str) -> None:
    with pytest.raises(ProductNotFound):
        start(product=code)


def test_price_and_amount_are_never_the_callers(stripe: StripeDouble, backend: Backend) -> None:
    for field in ("price", "amount", "currency", "mode", "stripe_price_id"):
        answer = backend.checkout("user_1", "PRO_MONTHLY", **{field: "test"})
        assert error_of(answer) == (400, "invalid_request")
        assert set(answer.json()["fields"]) == {field}


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000, True, 1.0, "2", None], ids=repr)
def test_a_quantity_is_a_whole_number_in_bounds(stripe: StripeDouble, quantity: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        start(quantity=quantity)

    assert set(refused.value.extra["fields"]) == {"quantity"}
    assert not CheckoutAttempt.objects.exists()


def test_passes_that_last_a_lifetime_together_are_no_purchase(stripe: StripeDouble, backend: Backend) -> None:
    stripe.sell("YEAR", kind="time_pass", duration_days=365)

    refused = backend.checkout("user_1", "YEAR", quantity=101)

    assert error_of(refused) == (400, "invalid_request")
    assert set(refused.json()["fields"]) == {"quantity"}
    assert not CheckoutAttempt.objects.exists()
    assert start(product="YEAR", quantity=100)


def test_seats_and_packs_are_asked_for_in_the_quantity_given(stripe: StripeDouble) -> None:
    start(quantity=999_999)
    start("CREDITS", "order-2", quantity=500)

    lines = [request.params["line_items"][0] for request in stripe.requests if request.path == SESSIONS]
    assert [line["quantity"] for line in lines] == ["999999", "500"]
    assert "adjustable_quantity" not in lines[0]
    assert lines[1]["adjustable_quantity"] == {"enabled": "true", "minimum": "1", "maximum": "500"}
