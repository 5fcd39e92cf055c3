"""Do the products fit their prices at Stripe?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from licenzy_django.catalog.amounts import per_interval, price_in_words, written
from licenzy_django.catalog.lookup_keys import prices_by_key
from licenzy_django.checkout_options import merged, on_page_of
from licenzy_django.conf import licenzy_settings
from licenzy_django.models import Mode, Product
from licenzy_django.stripe import client


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Stripe's price says of a product.

    Attributes:
        problems: what does not fit, each a sentence.
        notes: what is worth knowing, each a sentence.
    """

    product: Product
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def misfits(mode: str) -> Iterator[tuple[Product, str]]:
    """What does not fit, product by product. Raises as ``verdicts`` does."""
    for verdict in verdicts(mode):
        for problem in verdict.problems:
            yield verdict.product, problem


def verdicts(mode: str) -> Iterator[Verdict]:
    """Ask Stripe for the price of each active product of a mode.

    Raises StripeUnavailable, StripeRefused (the key is bad or may not read prices), ModeNotConfigured.
    """
    products = list(Product.objects.filter(mode=mode, is_active=True).order_by("code"))
    named = prices_by_key(mode, [product.stripe_lookup_key for product in products if product.stripe_lookup_key])
    for product in products:
        yield verdict_on(product, named)


def verdict_on(product: Product, named: Mapping[str, dict[str, Any]]) -> Verdict:
    if not product.stripe_price_id:
        return Verdict(product, ["It has no price at Stripe yet: run licenzy_catalog push."])
    found = Verdict(product, list(problems_of_key(product, named)))
    try:
        price = client.fetch_price(product.mode, product.stripe_price_id, expand=["product", "currency_options"])
    except client.StripeObjectMissing:
        found.problems.append(f"Stripe has no price {product.stripe_price_id} in {product.mode} mode.")
        return found
    found.problems.extend(f"Its price {price['id']} {problem}." for problem in problems_of_price(price, product))
    found.notes.extend(notes_on_price(price, is_taxed=is_taxed(product)))
    return found


def problems_of_key(product: Product, named: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Whether the lookup key still names the price that the product has."""
    key = product.stripe_lookup_key
    if not key:
        return
    price = named.get(key)
    if price is None:
        yield f"No price at Stripe has its lookup key {key} any more."
    elif price["id"] != product.stripe_price_id:
        yield f"Its lookup key {key} names the price {price['id']} by now: load the catalog again."


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
    if product.amount is not None and not costs(price, product):
        yield f"is {terms_in_words(price)}, but the catalog says {price_in_words(product)}: run licenzy_catalog push"


def costs(price: Mapping[str, Any], product: Product) -> bool:
    """Whether a price is what the catalog says that the product costs."""
    recurring = price.get("recurring") or {}
    terms = (price["unit_amount"], price["currency"], recurring.get("interval", ""))
    is_simple = recurring.get("interval_count", 1) == 1 and recurring.get("usage_type", "licensed") == "licensed"
    return is_simple and terms == (product.amount, product.currency, product.interval)


def terms_in_words(price: Mapping[str, Any]) -> str:
    recurring = price.get("recurring") or {}
    interval, count = recurring.get("interval", ""), recurring.get("interval_count", 1)
    if price["unit_amount"] is None:
        return "not one amount"
    return per_interval(price["unit_amount"], price["currency"], interval, count)


def is_taxed(product: Product) -> bool:
    """Whether its Checkout page reckons the tax, as far as the settings and the product say."""
    everywhere = on_page_of(product.session_mode, licenzy_settings().CHECKOUT or {})
    return bool((merged(everywhere, product.checkout).get("automatic_tax") or {}).get("enabled"))


def notes_on_price(price: Mapping[str, Any], *, is_taxed: bool = False) -> Iterator[str]:
    options = price.get("currency_options") or {}
    others = [
        written(option["unit_amount"], currency)
        for currency, option in sorted(options.items())
        if currency != price["currency"] and option.get("unit_amount") is not None
    ]
    if others:
        yield f"Its price {price['id']} is {terms_in_words(price)}, and also {', '.join(others)}."
    if is_taxed and price.get("tax_behavior") == "unspecified":
        yield (
            f"Its price {price['id']} does not say whether tax is included: with automatic tax Stripe takes the "
            "default of the account's tax settings, and refuses the checkout if there is none."
        )
