"""An operator applies the catalog to everybody who has a product, and edits its prices and its plan group."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from licenzy_django import access
from licenzy_django.models import EntitlementChange, Product
from licenzy_django.testing import StripeDouble, entitled

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(stripe_double: StripeDouble) -> Product:
    return stripe_double.sell("WEEK_PASS", kind="time_pass", features=["export"])


def test_the_operator_is_asked_why_and_everybody_gets_what_the_catalog_says(
    product: Product, configurer: Client, stripe_double: StripeDouble
) -> None:
    stripe_double.buy("user_1", "WEEK_PASS")
    product.features = ["sso"]
    product.save()
    url = reverse("admin:licenzy_product_apply", args=[product.pk])
    assert "gets these features at once, and no others: sso" in configurer.get(url).content.decode()

    answer = configurer.post(url, {"reason": "ticket 7"}, follow=True)

    assert "1 entitlement changed." in answer.content.decode()
    assert access.check("user_1", feature="sso")
    change = EntitlementChange.objects.order_by("-pk")[0]
    assert (change.reason, change.note, str(change.actor)) == ("catalog_applied", "ticket 7", "grace")


@pytest.mark.parametrize(
    ("units", "words"), [(2000, "are counted anew: 2,000 credits a month"), (None, "are counted anew: none")]
)
def test_the_operator_reads_what_becomes_of_units(
    configurer: Client, stripe_double: StripeDouble, units: int | None, words: str
) -> None:
    product = stripe_double.sell("PRO", units=1000, units_every="month")
    product.units, product.units_every = units, "month" if units else "period"
    product.save()

    page = configurer.get(reverse("admin:licenzy_product_apply", args=[product.pk])).content.decode()

    assert words in page


def test_without_a_reason_or_the_permission_nothing_is_applied(
    product: Product, configurer: Client, supporter: Client
) -> None:
    entitled("user_1", "WEEK_PASS")
    url = reverse("admin:licenzy_product_apply", args=[product.pk])

    assert "This field is required" in configurer.post(url, {"reason": ""}).content.decode()
    assert supporter.post(url, {"reason": "because"}).status_code == 403

    assert not EntitlementChange.objects.filter(reason="catalog_applied").exists()


def test_the_page_of_a_product_shows_its_former_prices(product: Product, configurer: Client) -> None:
    product.stripe_price_id = "price_2"
    product.save()

    page = configurer.get(reverse("admin:licenzy_product_change", args=[product.pk])).content.decode()

    assert "price_week_pass · was for sale" in page
    assert "price_2 · for sale" in page
