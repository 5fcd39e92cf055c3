"""What the billing portal's configuration contradicts, in plain words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from licenzy_django.doctor import portal as doctor_portal
from licenzy_django.doctor.portal import MOST_PRODUCTS, Features, contradictions, portal_fits
from licenzy_django.models import Product
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble
from tests.doctor.conftest import Doctor, configure_portal

pytestmark = pytest.mark.django_db

Json = dict[str, Any]


def portal(*, cancel: Json | None = None, update: Json | None = None, card: bool = True) -> Json:
    """A configuration that fits, changed."""
    features: Json = {
        "payment_method_update": {"enabled": card},
        "subscription_cancel": {
            "enabled": True,
            "mode": "at_period_end",
            "proration_behavior": "none",
            **(cancel or {}),
        },
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "products": [
                {"product": "prod_1", "prices": ["price_pro"]},
                {"product": "prod_2", "prices": ["price_max", "price_max_old"]},
            ],
            "proration_behavior": "always_invoice",
            "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]},
            "trial_update_behavior": "continue_trial",
            **(update or {}),
        },
    }
    return {"id": "bpc_1", "object": "billing_portal.configuration", "is_default": True, "features": features}


@pytest.fixture
def shop(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO")
    stripe_double.sell("MAX", other_price_ids=["price_max_old"])
    stripe_double.sell("MORE", is_add_on=True)
    stripe_double.sell("CREDITS", kind="usage_pack")
    return stripe_double


def said(configuration: Json) -> list[tuple[str, bool]]:
    found = contradictions("test", Features.of(configuration))
    return [(finding.message.removeprefix("The billing portal (test): "), finding.is_wrong) for finding in found]


def products(*prices: str) -> Json:
    return {"products": [{"product": f"prod_{price}", "prices": [price]} for price in prices]}


def test_one_that_fits_is_well(shop: StripeDouble) -> None:
    assert said(portal()) == []


AT_ONCE = {"schedule_at_period_end": {"conditions": []}}
WRONG: dict[str, tuple[Json, str, bool]] = {
    "cancel with credit": (
        {"cancel": {"mode": "immediately", "proration_behavior": "create_prorations"}},
        "a cancellation ends access at once, with credit",
        True,
    ),
    "cancel at once": ({"cancel": {"mode": "immediately"}}, "and the time that was paid is lost.", False),
    "no cancellation": ({"cancel": {"enabled": False}}, "customers cannot cancel there.", False),
    "down with credit": ({"update": AT_ONCE}, "a change to less happens at once, with credit", True),
    "up for nothing": ({"update": {"proration_behavior": "none"}}, "costs nothing until the next renewal", True),
    "up on the next invoice": (
        {"update": {"proration_behavior": "create_prorations"}},
        "is billed only with the next renewal.",
        False,
    ),
    "no card": ({"card": False}, "customers cannot change their card there", False),
    "a price of no product": (
        {"update": products("price_pro", "price_max", "price_nobody")},
        "the price price_nobody, which no product has",
        True,
    ),
    "an add-on": ({"update": products("price_pro", "price_max", "price_more")}, "MORE (price_more), which is an", True),
    "a missing price": ({"update": products("price_pro")}, "customers cannot change to MAX there.", True),
}


@pytest.mark.parametrize(("changed", "words", "is_wrong"), WRONG.values(), ids=WRONG)
def test_a_contradiction_is_named(shop: StripeDouble, changed: Json, words: str, is_wrong: bool) -> None:
    [(message, found)] = said(portal(**changed))

    assert words in message
    assert found == is_wrong


def test_down_at_once_without_credit(shop: StripeDouble) -> None:
    down, up = said(portal(update={**AT_ONCE, "proration_behavior": "none"}))

    assert down == ("a change to less happens at once, and the time that was paid is lost.", False)
    assert up[1]


def test_a_change_that_ends_the_trial(shop: StripeDouble) -> None:
    ends = portal(update={"trial_update_behavior": "end_trial"})
    assert said(ends) == []

    Product.objects.filter(code="PRO").update(trial_days=14)

    assert said(ends) == [("a change during a trial ends the trial, and is charged at once.", False)]
    assert said(portal()) == []


@pytest.mark.parametrize(
    "nothing",
    [
        {"enabled": False},
        {"default_allowed_updates": ["quantity"]},
        {"products": None},
    ],
    ids=["no changes", "no choice of a price", "products that were not shown"],
)
def test_where_nobody_can_choose_a_price_none_is_missing(shop: StripeDouble, nothing: Json) -> None:
    assert said(portal(update={**products("price_nobody"), **nothing})) == []


def test_a_shop_of_one_plan_misses_nothing(shop: StripeDouble) -> None:
    Product.objects.filter(code="MAX").update(is_active=False)

    assert said(portal(update=products())) == []


def test_more_plans_than_fit_are_good_to_know(shop: StripeDouble) -> None:
    for number in range(MOST_PRODUCTS):
        shop.sell(f"PLAN_{number}")

    [(message, is_wrong)] = said(portal())

    assert "It takes 10 products at most." in message
    assert not is_wrong


def test_the_doctor_asks_stripe_for_the_default_configuration(ready: StripeDouble, doctor: Doctor) -> None:
    configure_portal(proration_behavior="none")
    others: Any = {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}}
    client.ask("test", lambda client: client.v1.billing_portal.configurations.create(others))

    status, said_to_us = doctor("--only", "stripe")

    assert status == 1
    assert "The billing portal (test): a change to more happens at once, and costs nothing" in said_to_us
    assert "cancellation ends access" not in said_to_us


def test_a_price_that_no_product_has_is_found_in_it(ready: StripeDouble, doctor: Doctor) -> None:
    product = ready.simulator.create_product({"name": "Other"})
    other = ready.simulator.create_price(
        {"product": product["id"], "currency": "eur", "unit_amount": 100, "recurring": {"interval": "month"}}
    )
    configure_portal(products=[{"product": product["id"], "prices": [other["id"]]}])

    assert f"the price {other['id']}, which no product has" in doctor("--only", "stripe")[1]


def test_without_one_no_page_opens(shop: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Json = {"object": "list", "data": [], "has_more": False}
    monkeypatch.setattr(doctor_portal, "client", SimpleNamespace(ask=lambda mode, call: nothing))

    [finding] = portal_fits()

    assert "has no configuration in test mode" in finding.message
    assert not finding.is_wrong


def test_a_stripe_that_does_not_answer_is_a_finding(shop: StripeDouble) -> None:
    shop.faults.add("GET", "/v1/billing_portal/configurations", "drop_before", times=9)

    [finding] = portal_fits()

    assert "could not be asked about the billing portal's configuration of test mode" in finding.message
