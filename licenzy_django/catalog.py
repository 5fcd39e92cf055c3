"""Products from and to JSON, so that a catalog can live in version control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from licenzy_django.models import Kind, Product

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
