"""Products and prices: made, changed, archived, found, deleted."""

from __future__ import annotations

import pytest
import stripe

from tests.simulator.conftest import Shop


def test_what_a_product_is_made_with_is_kept(stripe_client: stripe.StripeClient) -> None:
    product = stripe_client.v1.products.create(
        {
            "name": "Pro", "active": False, "description": "All of it", "url": "https://shop.example/pro",
            "default_price_data": {"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}},
        }
    )  # fmt: skip
    assert (product.active, product.description, product.url) == (False, "All of it", "https://shop.example/pro")
    price = stripe_client.v1.prices.retrieve(str(product.default_price))
    assert (price.product, price.unit_amount) == (product.id, 1900)


def test_an_archived_price_stays_and_cannot_be_sold(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    archived = stripe_client.v1.prices.update(shop.pack["id"], {"active": False, "nickname": "Old"})
    assert (archived.active, archived.nickname) == (False, "Old")
    assert shop.told() == ["price.updated"]
    assert shop.pack["id"] not in [price.id for price in stripe_client.v1.prices.list({"active": True}).data]
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        stripe_client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"price": shop.pack["id"], "quantity": 1}],
                "success_url": "https://x.example/",
            }
        )


def test_products_are_archived_renamed_and_deleted_without_prices(stripe_client: stripe.StripeClient) -> None:
    products = stripe_client.v1.products
    made = products.create({"name": "Pro", "id": "prod_pro"})
    assert products.update(made.id, {"name": "Pro 2", "active": False}).name == "Pro 2"
    assert [product.id for product in products.list({"active": False}).data] == ["prod_pro"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        products.create({"name": "Again", "id": "prod_pro"})
    assert refused.value.code == "resource_already_exists"
    assert products.delete(made.id).deleted is True
    assert products.list({"ids": ["prod_pro"]}).data == []


def test_a_product_with_prices_cannot_be_deleted(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="user-created prices"):
        stripe_client.v1.products.delete(shop.pack["product"])


def test_a_lookup_key_names_one_price(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    prices = stripe_client.v1.prices
    prices.update(shop.month["id"], {"lookup_key": "pro"})
    assert [price.id for price in prices.list({"lookup_keys": ["pro"]}).data] == [shop.month["id"]]
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        prices.update(shop.year["id"], {"lookup_key": "pro"})
    prices.update(shop.year["id"], {"lookup_key": "pro", "transfer_lookup_key": True})
    assert [price.id for price in prices.list({"lookup_keys": ["pro"]}).data] == [shop.year["id"]]


def test_prices_are_found_by_their_rhythm(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    found = stripe_client.v1.prices.list({"recurring": {"interval": "year"}}).data
    assert [price.id for price in found] == [shop.year["id"]]
