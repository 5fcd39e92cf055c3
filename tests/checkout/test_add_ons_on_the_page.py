"""Add-ons that the customer may put beside a subscription on Stripe's page."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, checkout
from licenzy_django.exceptions import AlreadySubscribed, InvalidRequest
from licenzy_django.models import CheckoutAttempt, Entitlement, Product
from licenzy_django.testing import StripeDouble
from tests.contract.typed_params import assert_valid_params

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO", group="plans")
    stripe_double.sell("MAX", group="plans")
    stripe_double.sell("SEATS", is_add_on=True)
    stripe_double.sell("SUPPORT", is_add_on=True)
    stripe_double.sell("CREDITS", kind="usage_pack")
    return stripe_double


def asked(code: str = "PRO", **given: Any) -> dict[str, Any]:
    given.setdefault("idempotency_key", f"of-{CheckoutAttempt.objects.count()}")
    checkout.start("user_1", code, **given)
    params: dict[str, Any] = CheckoutAttempt.objects.latest("pk").stripe_params
    assert_valid_params("checkout.sessions.create", params)
    return params


def test_they_are_offered_by_their_prices_in_the_order_given(stripe: StripeDouble) -> None:
    offered = asked(optional_items=["SUPPORT", "SEATS"])["optional_items"]

    assert [item["price"] for item in offered] == ["price_support", "price_seats"]
    assert offered[0] == {
        "price": "price_support",
        "quantity": 1,
        "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 99},
    }


def test_what_the_subject_has_already_is_not_offered_again(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "SEATS")
    stripe.buy("user_2", "SUPPORT")

    assert [item["price"] for item in asked(optional_items=["SEATS", "SUPPORT"])["optional_items"]] == ["price_support"]
    assert "optional_items" not in asked("MAX", optional_items=["SEATS"])


@pytest.mark.parametrize(
    ("code", "items", "words"),
    [
        ("PRO", ["NOTHING"], "no active product NOTHING"),
        ("PRO", ["SEATS\x00"], "no active product"),
        ("PRO", ["OFF_SALE"], "no active product OFF_SALE"),
        ("PRO", ["MAX"], "MAX is no add-on to PRO"),
        ("PRO", ["CREDITS"], "CREDITS is no add-on to PRO"),
        ("SEATS", ["SEATS"], "SEATS is no add-on to SEATS"),
        ("CREDITS", ["SEATS"], "CREDITS is no subscription"),
        ("PRO", ["SEATS", "SEATS"], "twice"),
        ("PRO", [f"A{number}" for number in range(11)], "10 at most"),
        ("PRO", "SEATS", "a list"),
        ("PRO", [5], "a list"),
        ("PRO", {"SEATS": 2}, "a list"),
    ],
)
def test_what_is_no_add_on_is_refused(stripe: StripeDouble, code: str, items: Any, words: str) -> None:
    stripe.sell("OFF_SALE", is_add_on=True)
    Product.objects.filter(code="OFF_SALE").update(is_active=False)

    with pytest.raises(InvalidRequest) as refused:
        checkout.start("user_1", code, idempotency_key="k", optional_items=items)

    assert words in refused.value.extra["fields"]["optional_items"][0]
    assert CheckoutAttempt.objects.count() == 0


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_what_the_customer_adds_counts_as_its_own_product(stripe: StripeDouble) -> None:
    session = stripe.checkout("user_1", "PRO", optional_items=["SEATS", "SUPPORT"])
    stripe.simulator.choose_optional_item(session["id"], "price_seats", 3)

    session = stripe.pay(session)

    rows = Entitlement.objects.filter(subject_ref="user_1")
    assert {(row.product.code, row.quantity, row.source_id) for row in rows} == {
        ("PRO", 1, session["subscription"]),
        ("SEATS", 3, session["subscription"]),
    }
    assert access.check("user_1", "SEATS")
    assert not access.check("user_1", "SUPPORT")


def test_what_is_offered_and_not_taken_gives_nothing(stripe: StripeDouble) -> None:
    stripe.pay(stripe.checkout("user_1", "PRO", optional_items=["SEATS"]))

    assert [row.product.code for row in Entitlement.objects.all()] == ["PRO"]


def test_what_was_added_ends_with_the_subscription_and_is_had_once(stripe: StripeDouble) -> None:
    session = stripe.checkout("user_1", "PRO", optional_items=["SEATS"])
    stripe.simulator.choose_optional_item(session["id"], "price_seats")
    session = stripe.pay(session)

    with pytest.raises(AlreadySubscribed):
        checkout.start("user_1", "SEATS", idempotency_key="again")
    stripe.renew(session)
    assert access.check("user_1", "SEATS")
    stripe.cancel(session)
    assert not access.check("user_1", "SEATS")
