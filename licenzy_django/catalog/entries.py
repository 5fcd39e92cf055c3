"""What an entry of a catalog file may say: its keys, their types, and what the admin and the database refuse too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from licenzy_django.catalog.pricing import PRICE_TYPES, UNPRICED, conflict_of_price, missing_price_keys, with_lookup_key
from licenzy_django.db.text import storable
from licenzy_django.models import Product
from licenzy_django.models.catalog import ADD_ON_WITHOUT_GROUP
from licenzy_django.models.kinds import RULES, TERMS, KindRules
from licenzy_django.models.limits import are_limits
from licenzy_django.models.product_units import DEFAULT_UNIT, ZERO_IS_NONE, UnitsEvery, UnitsPer

COMMON_KEYS = ("mode", "code", "name", "kind", "stripe_price_id", "stripe_lookup_key", "amount", "currency")
LEFT_OUT: dict[str, Any] = UNPRICED | {
    "is_active": True,
    "other_price_ids": [],
    "group": "",
    "is_add_on": False,
    "trial_card": True,
    "checkout": {},
    "limits": {},
    "units_every": TERMS["units_every"],
    "units_per": TERMS["units_per"],
}
"""What a key that is left out means, and ``dump`` leaves out."""
OPTIONAL_KEYS = frozenset({"features", *LEFT_OUT})


class CatalogError(ValueError):
    """What is wrong with a catalog file, entry by entry."""


def checked(entry: Any) -> dict[str, Any]:
    """The entry with its defaults. Raises CatalogError for a missing, unknown or ill-typed key."""
    if not isinstance(entry, dict):
        raise CatalogError("This is not an object.")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in RULES:
        raise CatalogError(f"kind must be one of {', '.join(RULES)}.")
    rules = RULES[kind]
    entry = without_zeros(with_lookup_key(entry))
    check_keys(entry, rules)
    check_types(entry, rules)
    if conflict := conflict_of_price(entry):
        raise CatalogError(conflict)
    if entry.get("is_add_on") and entry.get("group"):
        raise CatalogError(f"group: {ADD_ON_WITHOUT_GROUP}")
    unset = {name: TERMS[name] for name in rules.may_have}
    if entry.get("units") is None:
        unset.pop("unit", None)  # what it was counted in before stays
    return {"features": [], **LEFT_OUT, **unset, **entry}


def without_zeros(entry: dict[str, Any]) -> dict[str, Any]:
    """0 says the same as null where it means that there are none."""
    zeros = {name: None for name in ZERO_IS_NONE if type(entry.get(name)) is int and entry[name] == 0}
    return entry | zeros


def check_keys(entry: dict[str, Any], rules: KindRules) -> None:
    known = keys_of(rules)
    if unknown := sorted(entry.keys() - {*known}):
        raise CatalogError(f"These keys are unknown or do not apply to a {entry['kind']}: {', '.join(unknown)}.")
    absent = {*known} - OPTIONAL_KEYS - {*rules.may_have} - entry.keys()
    if missing := sorted({*absent, *missing_price_keys(entry, is_recurring=rules.is_recurring)}):
        raise CatalogError(f"These keys are missing: {', '.join(missing)}.")


def check_types(entry: dict[str, Any], rules: KindRules) -> None:
    for name, value in entry.items():
        is_right, what = TYPES.get(name, WHOLE_NUMBER)
        is_left_out = value is None and name in rules.may_have and TERMS[name] is None
        if not is_right(value) and not is_left_out:
            raise CatalogError(f"{name} must be {what}.")
        if name in rules.terms and TERMS[name] is None and not is_left_out and value < 1:
            raise CatalogError(f"{name}: it must be at least 1.")


def keys_of(rules: KindRules) -> list[str]:
    """The keys of a kind, in the order of a dump."""
    interval, plan, trial_card = (
        (["interval"], ["group", "is_add_on"], ["trial_card"]) if rules.is_recurring else ([], [], [])
    )
    return [
        *COMMON_KEYS,
        *interval,
        "features",
        "limits",
        "other_price_ids",
        *plan,
        *rules.terms,
        *trial_card,
        "checkout",
        "is_active",
    ]


def is_text(value: Any) -> bool:
    """Something to read, that every database can store."""
    return isinstance(value, str) and bool(value.strip()) and storable(value) == value


def is_price_id(value: Any) -> bool:
    return is_text(value) and value.isascii() and value.isprintable() and " " not in value


def is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(is_text(each) for each in value)


def is_list_of_price_ids(value: Any) -> bool:
    return isinstance(value, list) and all(is_price_id(each) for each in value)


TEXT = (is_text, "a text")
LIMITS = 'an object of names, each with a whole number from 0 to 1,000,000,000,000, null for unlimited, or "quantity"'
WHOLE_NUMBER = (lambda value: type(value) is int, "a whole number")
TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("mode", "code", "name", "kind"), TEXT),
    "stripe_price_id": (is_price_id, "the id of a price at Stripe"),
    "features": (is_list_of_texts, "a list of texts"),
    "limits": (are_limits, LIMITS),
    "other_price_ids": (is_list_of_price_ids, "a list of ids of prices at Stripe"),
    "group": (is_text, "a text"),
    "unit": (is_text, "a text"),
    "units_every": (lambda value: value in UnitsEvery.values, f"one of {', '.join(UnitsEvery.values)}"),
    "units_per": (lambda value: value in UnitsPer.values, f"one of {', '.join(UnitsPer.values)}"),
    **PRICE_TYPES,
    "checkout": (lambda value: isinstance(value, dict), "an object of Stripe's Checkout parameters"),
    **dict.fromkeys(("is_add_on", "trial_card", "is_active"), (lambda value: isinstance(value, bool), "true or false")),
}


def dump(products: Iterable[Product]) -> list[dict[str, Any]]:
    """The products as ``load`` reads them."""
    return [entry_of(product) for product in products]


def entry_of(product: Product) -> dict[str, Any]:
    """Of a product with a lookup key without the price id: ``load`` finds it again."""
    entry = state_of(product) | ({"stripe_price_id": ""} if product.stripe_lookup_key else {})
    left_out = LEFT_OUT | {"unit": product.unit if product.units is None else DEFAULT_UNIT}
    return {name: value for name, value in entry.items() if value is not None and left_out.get(name, ...) != value}


def state_of(product: Product) -> dict[str, Any]:
    """All that a file can say of the product."""
    return {name: getattr(product, name) for name in keys_of(product.rules)}
