"""Products and prices: made, changed, archived, found, deleted."""

from __future__ import annotations

from typing import Any

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


# --- currencies -------------------------------------------------------------------------------------------------------


def test_amounts_in_other_currencies_are_shown_when_they_are_asked_for(stripe_client: stripe.StripeClient) -> None:
    prices = stripe_client.v1.prices
    made = prices.create(
        {
            "currency": "eur", "unit_amount": 1900, "product_data": {"name": "Pro"},
            "currency_options": {"usd": {"unit_amount": 2100, "tax_behavior": "inclusive"}},
        }
    )  # fmt: skip
    assert "currency_options" not in made

    shown = prices.retrieve(made.id, {"expand": ["currency_options"]}).currency_options

    assert shown is not None
    assert {
        currency: (option["unit_amount"], option["tax_behavior"]) for currency, option in shown.to_dict().items()
    } == {
        "eur": (1900, "unspecified"),
        "usd": (2100, "inclusive"),
    }


def test_amounts_in_other_currencies_are_added_changed_and_taken_away(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    prices, month = stripe_client.v1.prices, shop.month["id"]

    def amounts() -> dict[str, int]:
        options = prices.list({"expand": ["data.currency_options"], "limit": 100}).data
        [found] = [price.currency_options for price in options if price.id == month]
        return {currency: option["unit_amount"] for currency, option in (found.to_dict() if found else {}).items()}

    own = amounts()
    prices.update(month, {"currency_options": {"usd": {"unit_amount": 2100}, "gbp": {"unit_amount": 1700}}})
    prices.update(month, {"currency_options": {"usd": {"unit_amount": 2200}}})
    assert amounts() == own | {"usd": 2200, "gbp": 1700}

    prices.update(month, {"currency_options": ""})

    assert amounts() == own


@pytest.mark.parametrize(
    "options", [{"usd": {"custom_unit_amount": {"enabled": True}}}, {"eur": {"unit_amount": 5}}], ids=["custom", "own"]
)
def test_currency_options_that_are_not_simulated_are_refused_by_name(
    stripe_client: stripe.StripeClient, options: Any
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not do") as refused:
        stripe_client.v1.prices.create(
            {
                "currency": "eur",
                "unit_amount": 1900,
                "product_data": {"name": "Pro"},
                "currency_options": options,
            }
        )
    assert refused.value.code == "not_simulated"


def test_there_is_no_search(stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="no search") as refused:
        stripe_client.v1.products.search({"query": "active:'true'"})
    assert refused.value.code == "not_simulated"
