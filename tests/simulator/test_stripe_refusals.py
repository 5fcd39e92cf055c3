"""What the real stripe library raises where Stripe would refuse."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import Shop

URL = "https://shop.example/?session={CHECKOUT_SESSION_ID}"


def wanted(shop: Shop, **more: Any) -> Any:
    lines = [{"price": shop.pack["id"], "quantity": 2}]
    return {"mode": "payment", "line_items": lines, "success_url": URL} | more


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"line_items": [{"price": "price_1", "count": 3}]}, "parameter_unknown", "line_items[0][count]"),
        ({"mode": "rent"}, None, "mode"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 41}]"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"metadata": {str(n): "v" for n in range(1, 52)}}, None, "metadata"),
        ({"adaptive_pricing": {"enabled": "maybe"}}, None, "adaptive_pricing[enabled]"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_stripe_does_not_know_is_refused(
    shop: Shop, stripe_client: stripe.StripeClient, change: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.checkout.sessions.create(wanted(shop, **change))
    assert (refused.value.code, refused.value.param, refused.value.http_status) == (code, param, 400)


def test_what_would_be_ignored_is_refused_instead(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    asked: list[Any] = [
        lambda: stripe_client.v1.checkout.sessions.create(
            wanted(shop, after_expiration={"recovery": {"enabled": True}})
        ),
        lambda: stripe_client.v1.checkout.sessions.list({"customer_details": {"email": "a@b.example"}}),
        lambda: stripe_client.v1.subscriptions.list({"collection_method": "send_invoice"}),
        lambda: stripe_client.v1.subscriptions.update(shop.subscription(), {"days_until_due": 3}),
    ]
    for ask in asked:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            ask()
        assert refused.value.code == "not_simulated"


def test_what_is_not_there_is_404(stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.subscriptions.retrieve("sub_nobody")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert refused.value.user_message == "No such subscription: 'sub_nobody'"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        stripe_client.raw_request("get", "/v1/horoscopes")
    assert unknown.value.http_status == 404


@pytest.mark.parametrize("key", ["", "sk_prod_1", "pk_test_1", "sk_test_"])
def test_a_malformed_key_is_401(shop: Shop, stripe_client: stripe.StripeClient, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        stripe_client.v1.prices.retrieve(shop.pack["id"], options={"api_key": key or "x"})
