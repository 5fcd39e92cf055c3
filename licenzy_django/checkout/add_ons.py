"""Add-ons that a customer may put beside a subscription on Stripe's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from licenzy_django import clock
from licenzy_django.checkout.plan_groups import live_subscriptions
from licenzy_django.checkout.products import product_named
from licenzy_django.exceptions import InvalidRequest, ProductNotFound
from licenzy_django.models import CheckoutAttempt, Product

# https://docs.stripe.com/payments/checkout/optional-items
MOST_OPTIONAL_ITEMS = 10


def add_ons_of(attempt: CheckoutAttempt, codes: Sequence[str]) -> list[Product]:
    """The products to offer, in the order of their codes as given, without those that the subject is subscribed to.

    What is taken becomes an item of the subscription, and counts as its own product by its price.

    Raises InvalidRequest where a code is not that of an add-on on sale.
    """
    if not codes:
        return []
    if problem := problem_of(attempt.product, codes):
        raise InvalidRequest(fields={"optional_items": [problem]})
    products = [add_on(attempt, code) for code in codes]
    return list(not_subscribed_to(attempt, products))


def problem_of(product: Product, codes: Any) -> str:
    if not isinstance(codes, (list, tuple)) or not all(isinstance(code, str) for code in codes):
        return "This must be a list of product codes."
    if len(codes) > MOST_OPTIONAL_ITEMS:
        return f"Stripe's page has {MOST_OPTIONAL_ITEMS} at most."
    if len(set(codes)) < len(codes):
        return "A code is there twice."
    return "" if product.is_recurring else f"{product.code} is no subscription: nothing can be added to it."


def add_on(attempt: CheckoutAttempt, code: str) -> Product:
    try:
        known = product_named(code, attempt.mode)
    except ProductNotFound:
        problem = f"There is no active product {code[:64]} in this mode."
        raise InvalidRequest(fields={"optional_items": [problem]}) from None
    if not known.is_add_on or known == attempt.product:
        raise InvalidRequest(fields={"optional_items": [f"{code} is no add-on to {attempt.product.code}."]})
    return known


def not_subscribed_to(attempt: CheckoutAttempt, products: Sequence[Product]) -> Iterator[Product]:
    now = clock.now()
    for product in products:
        if not live_subscriptions(attempt.subject, product, now).exists():
            yield product
