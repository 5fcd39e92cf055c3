"""The checker of outgoing parameters finds what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.typed_params import assert_valid_params

pytestmark = pytest.mark.once

GOOD: dict[str, Any] = {
    "mode": "subscription",
    "line_items": [{"price": "price_1", "quantity": 2, "adjustable_quantity": {"enabled": True, "maximum": 9}}],
    "success_url": "https://shop.example/?session={CHECKOUT_SESSION_ID}",
    "metadata": {"licenzy_attempt": "att_1"},
    "subscription_data": {"metadata": {"licenzy_attempt": "att_1"}, "trial_period_days": 14},
    "expires_at": 1_800_000_000,
}


def test_parameters_that_stripe_knows_pass() -> None:
    assert_valid_params("checkout.sessions.create", GOOD)
    assert_valid_params("customers.create", {"email": "a@b.example", "metadata": {}})
    assert_valid_params("billing_portal.sessions.create", {"customer": "cus_1", "return_url": "https://x.example/"})
    assert_valid_params("invoice_payments.list", {"payment": {"type": "payment_intent", "payment_intent": "pi_1"}})
    assert_valid_params("checkout.sessions.line_items.list", {"limit": 100})
    assert_valid_params("events.list", {"created": {"gte": 5}, "delivery_success": False, "types": ["invoice.paid"]})


@pytest.mark.parametrize(
    "change",
    [
        {"payment_method_types": ["card"]},
        {"mode": "subscriptions"},
        {"line_items": [{"price": "price_1", "quantity": "2"}]},
        {"line_items": [{"price": "price_1", "amount": 5}]},
        {"line_items": {"price": "price_1"}},
        {"metadata": {"n": 1}},
        {"expires_at": 1.5},
        {"expires_at": True},
        {"subscription_data": {"metadata": {}, "trial_days": 3}},
        {"subscription_data": "sub"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_found_at_any_depth(change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert_valid_params("checkout.sessions.create", GOOD | change)


def test_a_missing_required_parameter_is_found() -> None:
    with pytest.raises(AssertionError, match="missing"):
        assert_valid_params("webhook_endpoints.create", {"url": "https://x.example/"})
    with pytest.raises(AssertionError, match="missing"):
        assert_valid_params("billing_portal.sessions.create", {"customer": "c", "flow_data": {}})
