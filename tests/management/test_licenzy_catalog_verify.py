"""``licenzy_catalog verify``: whether Stripe's prices are what our products say."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from licenzy_django.catalog.verification import problems_of_price
from licenzy_django.models import Product
from licenzy_django.testing import StripeDouble

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells("PRO_MONTHLY", WEEK_PASS={"kind": "time_pass"}, CREDITS={"kind": "usage_pack"}),
]


def verify(*arguments: str) -> str:
    said = StringIO()
    try:
        call_command("licenzy_catalog", "verify", *arguments, stdout=said)
    except CommandError as error:
        return f"{said.getvalue()}{error}"
    return said.getvalue()


def price(stripe: StripeDouble, **wanted: Any) -> str:
    made = stripe.simulator.create_price({"currency": "eur", "unit_amount": 500, **wanted})
    return str(made["id"])


def test_prices_that_fit(stripe: StripeDouble) -> None:
    assert verify() == "3 products fit their prices at Stripe.\n"


def test_a_price_that_does_not_exist(stripe: StripeDouble) -> None:
    Product.objects.filter(code="CREDITS").update(stripe_price_id="price_nowhere")
    assert verify() == "CREDITS (test): Stripe has no price price_nowhere in test mode.\n1 to fix."


@pytest.mark.parametrize("code", ["WEEK_PASS", "CREDITS"])
def test_a_recurring_price_for_what_is_paid_once(stripe: StripeDouble, code: str) -> None:
    monthly = price(stripe, recurring={"interval": "month"})
    Product.objects.filter(code=code).update(stripe_price_id=monthly)
    assert f"{code} (test): Its price {monthly} is recurring, but a" in verify()


def test_a_price_paid_once_for_a_subscription(stripe: StripeDouble) -> None:
    Product.objects.filter(code="PRO_MONTHLY").update(stripe_price_id=price(stripe))
    assert "is paid once, but a subscription needs a recurring one" in verify()


def test_an_archived_price(stripe: StripeDouble) -> None:
    Product.objects.filter(code="CREDITS").update(stripe_price_id=price(stripe, active=False))
    assert "is archived at Stripe" in verify()


def test_a_trial_of_the_price_itself(stripe: StripeDouble) -> None:
    monthly = price(stripe, recurring={"interval": "month", "trial_period_days": 14})
    Product.objects.filter(code="PRO_MONTHLY").update(stripe_price_id=monthly)
    assert "has a trial of its own, which Checkout ignores: set the product's trial_days" in verify()


def test_what_is_no_longer_sold_may_have_an_archived_price(stripe: StripeDouble) -> None:
    Product.objects.filter(code="CREDITS").update(stripe_price_id=price(stripe, active=False), is_active=False)
    assert verify() == "2 products fit their prices at Stripe.\n"


PRICE = {"active": True, "livemode": False, "type": "recurring", "product": {"active": True}}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"livemode": True}, "is of the other mode"),
        ({"recurring": {"usage_type": "metered"}}, "is metered"),
        ({"product": {"active": False}}, "belongs to a product that is archived"),
        ({"product": {"deleted": True}}, "belongs to a product that is archived"),
        ({"custom_unit_amount": {"minimum": 100}}, "lets the customer choose the amount"),
    ],
)
def test_what_the_simulator_cannot_make(changed: Any, problem: str) -> None:
    [found] = problems_of_price(PRICE | changed, Product(mode="test", code="PRO", kind="subscription"))
    assert found.startswith(problem)


def test_a_stripe_that_is_down_is_said_in_a_sentence(stripe: StripeDouble) -> None:
    stripe.faults.add("GET", "/v1/prices/*", "drop_before", times=9)
    assert verify().startswith("test mode: Stripe could not be reached")


def test_a_mode_without_a_key_is_said_in_a_sentence(stripe: StripeDouble) -> None:
    Product.objects.filter(code="CREDITS").update(mode="live")
    assert verify("--mode", "live") == "live mode: There are no Stripe credentials for this mode."
    assert verify("--mode", "test") == "2 products fit their prices at Stripe.\n"


TAXED = {"automatic_tax": {"enabled": True}}


@pytest.mark.parametrize("where", ["settings", "product"])
def test_with_automatic_tax_a_price_without_tax_behavior_is_pointed_at(
    stripe: StripeDouble, settings: Any, where: str
) -> None:
    Product.objects.exclude(code="CREDITS").delete()
    assert verify() == "1 products fit their prices at Stripe.\n"
    if where == "settings":
        settings.LICENZY = {**settings.LICENZY, "CHECKOUT": TAXED}
    else:
        Product.objects.update(checkout=TAXED)

    said = verify()

    assert said.startswith("CREDITS (test): Its price price_credits does not say whether tax is included")
    assert said.endswith("1 products fit their prices at Stripe.\n")


def test_a_price_that_says_whether_tax_is_included_needs_no_note(stripe: StripeDouble, settings: Any) -> None:
    settings.LICENZY = {**settings.LICENZY, "CHECKOUT": TAXED}
    made = price(stripe, tax_behavior="inclusive")
    Product.objects.exclude(code="CREDITS").delete()
    Product.objects.update(stripe_price_id=made)

    assert verify() == "1 products fit their prices at Stripe.\n"
