"""Products from and to JSON, so that a catalog can live in version control."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from licenzy_django import stripe_client
from licenzy_django.models import Kind, Mode, Product

KEYS_OF_KIND: dict[str, tuple[str, ...]] = {
    Kind.SUBSCRIPTION: ("grace_days",),
    Kind.TIME_PASS: ("duration_days",),
    Kind.USAGE_PACK: ("units", "valid_days"),
}
COMMON_KEYS = ("mode", "code", "name", "kind", "stripe_price_id", "features")
OPTIONAL_KEYS = frozenset({"features", "grace_days", "valid_days", "is_active"})


class CatalogError(ValueError):
    """What is wrong with a catalog file, entry by entry."""


@transaction.atomic
def load(entries: Any) -> dict[str, int]:
    """Create or update each product by mode and code; all or nothing, and repeatable.

    Returns how many were created, updated and unchanged. Raises CatalogError.
    """
    if not isinstance(entries, list):
        raise CatalogError("The file must hold a JSON list of products.")
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    for position, entry in enumerate(entries, start=1):
        try:
            counts[load_one(entry)] += 1
        except (ValidationError, CatalogError) as error:
            problems = error.messages if isinstance(error, ValidationError) else [str(error)]
            name = entry.get("code", "?") if isinstance(entry, dict) else "?"
            raise CatalogError(f"Product {position} ({name}): {' '.join(problems)}") from error
    return counts


def load_one(entry: Any) -> str:
    values = checked(entry)
    product = Product.objects.filter(mode=values["mode"], code=values["code"]).first()
    if product is not None and product.kind != values["kind"]:
        raise CatalogError(f"Its kind is {product.kind} and cannot change; choose another code.")
    before = None if product is None else entry_of(product)
    product = product or Product()
    for name, value in values.items():
        setattr(product, name, value)
    product.full_clean()
    if before == entry_of(product):
        return "unchanged"
    product.save()
    return "created" if before is None else "updated"


def checked(entry: Any) -> dict[str, Any]:
    """The entry with its defaults. Raises CatalogError for a missing, unknown or ill-typed key."""
    if not isinstance(entry, dict):
        raise CatalogError("This is not an object.")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KEYS_OF_KIND:
        raise CatalogError(f"kind must be one of {', '.join(KEYS_OF_KIND)}.")
    known = {*COMMON_KEYS, "is_active", *KEYS_OF_KIND[kind]}
    if unknown := sorted(entry.keys() - known):
        raise CatalogError(f"These keys are unknown or do not apply to a {kind}: {', '.join(unknown)}.")
    if missing := sorted(known - OPTIONAL_KEYS - entry.keys()):
        raise CatalogError(f"These keys are missing: {', '.join(missing)}.")
    features = entry.get("features", [])
    if not isinstance(features, list) or not all(isinstance(feature, str) and feature for feature in features):
        raise CatalogError("features must be a list of texts.")
    return {"features": [], "is_active": True, **({"grace_days": 0} if kind == Kind.SUBSCRIPTION else {}), **entry}


def dump(products: Iterable[Product]) -> list[dict[str, Any]]:
    """The products as ``load`` reads them."""
    return [entry_of(product) for product in products]


def entry_of(product: Product) -> dict[str, Any]:
    names = [*COMMON_KEYS, *KEYS_OF_KIND[product.kind]]
    entry = {name: getattr(product, name) for name in names}
    entry = {name: value for name, value in entry.items() if value is not None}
    return entry if product.is_active else {**entry, "is_active": False}


def misfits(mode: str) -> Iterator[tuple[Product, str]]:
    """Ask Stripe for the price of each active product of a mode, and say what does not fit its kind.

    Raises StripeUnavailable, StripeRefused (the key is bad or may not read prices), ModeNotConfigured.
    """
    for product in Product.objects.filter(mode=mode, is_active=True).order_by("code"):
        try:
            price = stripe_client.ask(mode, partial(retrieve_price, product.stripe_price_id))
        except stripe_client.StripeObjectMissing:
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
    if product.kind == Kind.SUBSCRIPTION and price["type"] != "recurring":
        yield "is paid once, but a subscription needs a recurring one"
    if product.kind != Kind.SUBSCRIPTION and price["type"] != "one_time":
        yield f"is recurring, but a {product.kind} needs one that is paid once"
    if recurring.get("usage_type") == "metered":
        yield "is metered, which is not supported: Stripe wants no quantity for it"
    if price.get("custom_unit_amount"):
        yield "lets the customer choose the amount"
