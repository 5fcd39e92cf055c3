"""A product and its prices, from the catalog to access."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import access, catalog
from licenzy_django.models import Product, ProductPrice
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db, pytest.mark.sells("PRO_MONTHLY", MAX_MONTHLY={"amount": 4900})]


def products() -> list[dict[str, Any]]:
    return catalog.dump(Product.objects.order_by("code"))


def test_subscribers_keep_their_product_when_two_products_exchange_their_prices(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(days=1)
    biggest, pro = products()

    catalog.load(
        [
            {**pro, "stripe_price_id": biggest["stripe_price_id"]},
            {**biggest, "stripe_price_id": pro["stripe_price_id"]},
        ]
    )
    stripe.renew(session)

    assert access.check("user_1", "PRO_MONTHLY")
    assert not access.check("user_1", "MAX_MONTHLY")


def test_who_buys_after_an_exchange_gets_what_is_sold_at_the_price_now(stripe: StripeDouble) -> None:
    biggest, pro = products()
    catalog.load(
        [
            {**pro, "stripe_price_id": biggest["stripe_price_id"]},
            {**biggest, "stripe_price_id": pro["stripe_price_id"]},
        ]
    )
    stripe.advance(seconds=2)

    stripe.buy("user_2", "PRO_MONTHLY")

    assert access.check("user_2", "PRO_MONTHLY")
    assert not access.check("user_2", "MAX_MONTHLY")


def test_a_subscription_at_a_former_price_made_by_hand_for_a_known_customer_counts_as_the_product(
    stripe: StripeDouble,
) -> None:
    customer = stripe.buy("user_1", "MAX_MONTHLY")["customer"]
    product = Product.objects.get(code="PRO_MONTHLY")
    product.stripe_price_id = "price_pro_2"
    product.save()
    stripe.advance(timedelta(days=1))

    stripe.simulator.subscribe(customer, [("price_pro_monthly", 1)])
    stripe.deliver()

    assert access.check("user_1", "PRO_MONTHLY")


def test_a_price_taken_out_of_the_other_prices_counts_for_items_made_before(stripe: StripeDouble) -> None:
    stripe.simulator.create_price({"id": "price_usd", "currency": "eur", "unit_amount": 2100,
                                   "recurring": {"interval": "month"}})  # fmt: skip
    _, pro = products()
    catalog.load([{**pro, "other_price_ids": ["price_usd"]}])
    customer = stripe.buy("user_1", "MAX_MONTHLY")["customer"]
    before = stripe.simulator.subscribe(customer, [("price_usd", 1)])
    stripe.deliver()
    assert access.check("user_1", "PRO_MONTHLY")
    stripe.advance(days=1)
    catalog.load([{**pro, "other_price_ids": []}])
    later_customer = stripe.buy("user_2", "MAX_MONTHLY")["customer"]

    stripe.advance(seconds=2)
    stripe.simulator.subscribe(later_customer, [("price_usd", 1)])
    stripe.renew(before["id"])

    assert access.check("user_1", "PRO_MONTHLY")
    assert not access.check("user_2", "PRO_MONTHLY")


def test_a_price_belongs_to_one_product_at_a_time(stripe: StripeDouble) -> None:
    _, pro = products()

    with pytest.raises(catalog.CatalogError, match="price_max_monthly is a price of MAX_MONTHLY"):
        catalog.load([{**pro, "other_price_ids": ["price_max_monthly"]}])

    assert ProductPrice.objects.count() == 2


def test_another_product_may_get_a_price_that_is_not_for_sale_any_more(stripe: StripeDouble) -> None:
    biggest, pro = products()
    catalog.load([{**pro, "stripe_price_id": "price_pro_2"}])

    catalog.load([{**biggest, "other_price_ids": ["price_pro_monthly"]}])

    held = ProductPrice.objects.filter(stripe_price_id="price_pro_monthly").order_by("since", "id")
    assert [(row.product.code, row.role, row.until is None) for row in held] == [
        ("PRO_MONTHLY", "former", False),
        ("MAX_MONTHLY", "listed", True),
    ]
