"""What Stripe is asked for a payment page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from licenzy_django.models import CheckoutAttempt, Product
from licenzy_django.stripe.objects.session import ATTEMPT_METADATA_KEY

URLS = ("success_url", "cancel_url")
MOST_ADJUSTED = 99


def session_params(
    attempt: CheckoutAttempt, urls: Mapping[str, str], options: Mapping[str, Any], add_ons: Sequence[Product] = ()
) -> dict[str, Any]:
    """What Stripe is asked, without the customer. Never changed once it was sent: a retry must be the same bytes.

    Args:
        options: what the host has set, checked. What is ours goes before it.
        add_ons: what the customer may add on the page.
    """
    product = attempt.product
    metadata = {ATTEMPT_METADATA_KEY: attempt.public_id}
    line: dict[str, Any] = {"price": attempt.stripe_price_id, "quantity": attempt.quantity}
    if product.rules.has_units:
        line["adjustable_quantity"] = adjustable(attempt.quantity)
    # Refunds and disputes inherit nothing; subscriptions and payments only what is set here.
    made = "subscription_data" if product.is_recurring else "payment_intent_data"
    params: dict[str, Any] = {
        **options,
        "mode": product.session_mode,
        "line_items": [line],
        "client_reference_id": attempt.public_id,
        "metadata": metadata,
        made: {**options.get(made, {}), "metadata": metadata},
        **urls,
    }
    if add_ons:
        params["optional_items"] = [
            {"price": add_on.stripe_price_id, "quantity": 1, "adjustable_quantity": adjustable(1)} for add_on in add_ons
        ]
    if attempt.trial_days:
        add_trial(params, attempt.trial_days, needs_card=product.trial_card)
    return params


def adjustable(quantity: int) -> dict[str, Any]:
    return {"enabled": True, "minimum": 1, "maximum": max(MOST_ADJUSTED, quantity)}


def add_trial(params: dict[str, Any], days: int, *, needs_card: bool) -> None:
    """Checkout ignores a price's own trial: https://docs.stripe.com/payments/checkout/free-trials"""
    params["subscription_data"]["trial_period_days"] = days
    if not needs_card:
        params["payment_method_collection"] = "if_required"
        params["subscription_data"]["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}


def take_out_trial(params: dict[str, Any]) -> None:
    """Stripe is asked to charge at once."""
    params.pop("payment_method_collection", None)
    for name in ("trial_period_days", "trial_settings"):
        params["subscription_data"].pop(name, None)


def urls_in(attempt: CheckoutAttempt) -> dict[str, str]:
    """The addresses that were frozen."""
    return {name: attempt.stripe_params[name] for name in URLS}
