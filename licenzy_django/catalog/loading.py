"""Write the products of a file, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from licenzy_django import clock
from licenzy_django.catalog.entries import CatalogError, checked, state_of
from licenzy_django.catalog.lookup_keys import ask_for, price_id_of
from licenzy_django.db.text import storable
from licenzy_django.entitlements.catalog_changes import rebuild_waiting
from licenzy_django.models import Product
from licenzy_django.models.prices import record_prices

MAX_SHOWN = 64


Given = dict[tuple[str, str], dict[str, Any]]
"""The entries of a file by mode and code, in its order."""


def load(entries: Any) -> dict[str, int]:
    """Create or update each product by mode and code; all or nothing, and repeatable.

    Where the file names prices by their lookup keys, Stripe is asked for them first. Afterwards, one after another,
    subscriptions get what was paid at prices that the catalog knows by now.

    Returns how many were created, updated and unchanged. Raises CatalogError.
    """
    given = read(entries)
    find_prices(given)
    counts = write(given)
    rebuild_waiting()
    return counts


def read(entries: Any) -> Given:
    if not isinstance(entries, list):
        raise CatalogError("The file must hold a JSON list of products.")
    given: Given = {}
    keys: dict[tuple[str, str], str] = {}
    for position, entry in enumerate(entries, start=1):
        with named(position, entry):
            values = checked(entry)
            if (values["mode"], values["code"]) in given:
                raise CatalogError("This mode and code stand in the file before.")
            given[values["mode"], values["code"]] = values
            key = values["stripe_lookup_key"]
            first = keys.setdefault((values["mode"], key), values["code"]) if key else values["code"]
            if first != values["code"]:
                raise CatalogError(f"stripe_lookup_key: {key} is the lookup key of {first} already.")
    return given


def find_prices(given: Given) -> None:
    """Put the id of its price into each entry that has a lookup key."""
    found = ask_for(given.values())
    for position, values in enumerate(given.values(), start=1):
        with named(position, values):
            values["stripe_price_id"] = price_id_of(values, found)


@transaction.atomic
def write(given: Given) -> dict[str, int]:
    known = {key: Product.objects.filter(mode=key[0], code=key[1]).first() for key in given}
    free_prices(given, known)
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    for position, (key, values) in enumerate(given.items(), start=1):
        with named(position, values):
            counts[load_one(known[key], values)] += 1
    return counts


@contextmanager
def named(position: int, entry: Any) -> Iterator[None]:
    """Say of an error which product it is about."""
    try:
        yield
    except (ValidationError, CatalogError) as error:
        code = entry.get("code") if isinstance(entry, dict) else None
        name = storable(code)[:MAX_SHOWN] if isinstance(code, str) else "?"
        raise CatalogError(f"Product {position} ({name}): {problems_of(error)}") from error


def problems_of(error: ValidationError | CatalogError) -> str:
    if isinstance(error, CatalogError):
        return str(error)
    fields = error.message_dict.items()
    return " ".join(text if name == NON_FIELD_ERRORS else f"{name}: {text}" for name, texts in fields for text in texts)


def free_prices(given: Mapping[Any, dict[str, Any]], known: Mapping[Any, Product | None]) -> None:
    """Take each price that leaves its product off it first, so that two products can change theirs with each other."""
    now = clock.now()
    for key, product in known.items():
        if product is None:
            continue
        kept = {given[key]["stripe_price_id"], *given[key]["other_price_ids"]}
        roles = {price: role for price, role in product.price_roles().items() if price in kept}
        record_prices(product.pk, product.mode, roles, now)
        for name in ("stripe_price_id", "stripe_lookup_key"):
            if getattr(product, name) != given[key][name]:
                Product.objects.filter(pk=product.pk).update(**{name: f"moved-{product.pk}"})


def load_one(product: Product | None, values: dict[str, Any]) -> str:
    if product is not None and product.kind != values["kind"]:
        raise CatalogError(f"Its kind is {product.kind} and cannot change; choose another code.")
    before = None if product is None else state_of(product)
    product = product or Product()
    for name, value in values.items():
        setattr(product, name, value)
    product.full_clean()
    if before == state_of(product):
        return "unchanged"
    product.save()
    return "created" if before is None else "updated"
