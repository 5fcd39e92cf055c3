"""What Stripe is asked for a payment page."""

from __future__ import annotations

from typing import Any

from licenzy_django.models import CheckoutAttempt
from licenzy_django.stripe.objects.session import ATTEMPT_METADATA_KEY

URLS = ("success_url", "cancel_url")


def session_params(attempt: CheckoutAttempt, urls: dict[str, str]) -> dict[str, Any]:
    """What Stripe is asked, without the customer. Never changed once it was sent: a retry must be the same bytes."""
    product = attempt.product
    metadata = {ATTEMPT_METADATA_KEY: attempt.public_id}
    line: dict[str, Any] = {"price": attempt.stripe_price_id, "quantity": attempt.quantity}
    if product.rules.has_units:
        line["adjustable_quantity"] = {"enabled": True, "minimum": 1, "maximum": max(99, attempt.quantity)}
    params: dict[str, Any] = {
        "mode": "subscription" if product.is_recurring else "payment",
        "line_items": [line],
        "client_reference_id": attempt.public_id,
        "metadata": metadata,
        # Refunds and disputes inherit nothing; subscriptions and payments only what is set here.
        ("subscription_data" if product.is_recurring else "payment_intent_data"): {"metadata": metadata},
        **urls,
    }
    if attempt.trial_days:
        add_trial(params, attempt.trial_days, needs_card=product.trial_card)
    return params


def add_trial(params: dict[str, Any], days: int, *, needs_card: bool) -> None:
    """Checkout ignores a price's own trial: https://docs.stripe.com/payments/checkout/free-trials"""
    params["subscription_data"]["trial_period_days"] = days
    if not needs_card:
        params["payment_method_collection"] = "if_required"
        params["subscription_data"]["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}


def urls_in(attempt: CheckoutAttempt) -> dict[str, str]:
    """The addresses that were frozen."""
    return {name: attempt.stripe_params[name] for name in URLS}
