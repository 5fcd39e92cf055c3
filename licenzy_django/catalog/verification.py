"""Do the products fit their prices at Stripe?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from licenzy_django.models import Mode, Product
from licenzy_django.stripe import client


def misfits(mode: str) -> Iterator[tuple[Product, str]]:
    """Ask Stripe for the price of each active product of a mode, and say what does not fit its kind.

    Raises StripeUnavailable, StripeRefused (the key is bad or may not read prices), ModeNotConfigured.
    """
    for product in Product.objects.filter(mode=mode, is_active=True).order_by("code"):
        try:
            price = client.ask(mode, partial(retrieve_price, product.stripe_price_id))
        except client.StripeObjectMissing:
            yield product, f"Stripe has no price {product.stripe_price_id} in {mode} mode."
        else:
            for problem in problems_of_price(price, product):
                yield product, f"Its price {product.stripe_price_id} {problem}."


def retrieve_price(price_id: str, client: Any) -> Any:
    return client.v1.prices.retrieve(price_id, {"expand": ["product"]})


def problems_of_price(price: dict[str, Any], product: Product) -> Iterator[str]:
    sold = price["product"]
    recurring = price.get("recurring") or {}
    if not price["active"]:
        yield "is archived at Stripe: no checkout can be started with it"
    elif isinstance(sold, dict) and not sold.get("active", False):
        yield "belongs to a product that is archived at Stripe: no checkout can be started with it"
    if price["livemode"] != (product.mode == Mode.LIVE):
        yield "is of the other mode"
    if product.rules.is_recurring and price["type"] != "recurring":
        yield f"is paid once, but a {product.kind} needs a recurring one"
    if not product.rules.is_recurring and price["type"] != "one_time":
        yield f"is recurring, but a {product.kind} needs one that is paid once"
    if recurring.get("usage_type") == "metered":
        yield "is metered, which is not supported: Stripe wants no quantity for it"
    if recurring.get("trial_period_days"):
        yield "has a trial of its own, which Checkout ignores: set the product's trial_days"
    if price.get("custom_unit_amount"):
        yield "lets the customer choose the amount"
