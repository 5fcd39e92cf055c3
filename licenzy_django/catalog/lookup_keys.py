"""Prices at Stripe by their lookup keys (https://docs.stripe.com/products-prices/manage-prices#lookup-keys)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from licenzy_django.catalog.entries import CatalogError
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Product
from licenzy_django.stripe import client

MOST_KEYS = 10
"""Stripe takes so many in one question."""
EXPANDED = ["data.product", "data.currency_options"]


def prices_by_key(mode: str, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The price that each key names, the active one if there is one. A key that names none is left out.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured.
    """
    found: dict[str, dict[str, Any]] = {}
    sought = sorted(set(keys))
    for start in range(0, len(sought), MOST_KEYS):
        params: Any = {"lookup_keys": sought[start : start + MOST_KEYS], "limit": 100, "expand": EXPANDED}
        for price in client.ask(mode, partial(list_prices, params))["data"]:
            if price["active"] or price["lookup_key"] not in found:
                found[price["lookup_key"]] = price
    return found


def list_prices(params: Any, client: Any) -> Any:
    return client.v1.prices.list(params)


Found = Mapping[tuple[str, str], dict[str, Any]]
"""Prices by mode and lookup key."""


def ask_for(entries: Iterable[dict[str, Any]]) -> Found:
    """The prices that the entries' lookup keys name at Stripe. Raises CatalogError if Stripe cannot be asked."""
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for values in entries:
        if values["stripe_lookup_key"]:
            wanted[values["mode"]][values["stripe_lookup_key"]] = values["code"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for mode, codes in wanted.items():
        try:
            prices = prices_by_key(mode, codes)
        except LicenzyError as error:
            first = next(iter(codes.values()))
            raise CatalogError(
                f"Stripe must be asked for the stripe_lookup_key of {first} ({mode}): {error}"
            ) from error
        found |= {(mode, key): price for key, price in prices.items()}
    return found


def price_id_of(values: dict[str, Any], found: Found) -> str:
    """The price of an entry. One with an amount may have none yet: it keeps its price until a push makes one.

    Raises CatalogError.
    """
    key, mode = values["stripe_lookup_key"], values["mode"]
    if not key:
        return str(values["stripe_price_id"])
    price = found.get((mode, key))
    if price is not None and price["active"]:
        return str(price["id"])
    if values["amount"] is not None:
        known = Product.objects.filter(mode=mode, code=values["code"]).values_list("stripe_price_id", flat=True)
        return known.first() or ""
    if price is not None:
        raise CatalogError(f"stripe_lookup_key: the price {price['id']} that {key} names in {mode} mode is archived.")
    raise CatalogError(f"stripe_lookup_key: Stripe has no active price with the lookup key {key} in {mode} mode.")
