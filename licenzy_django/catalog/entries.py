"""What an entry of a catalog file may say: its keys, their types, and what the admin and the database refuse too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from licenzy_django.db.text import storable
from licenzy_django.models import Product
from licenzy_django.models.catalog import ADD_ON_WITHOUT_GROUP
from licenzy_django.models.kinds import RULES, TERMS, KindRules

COMMON_KEYS = ("mode", "code", "name", "kind", "stripe_price_id", "features")
LEFT_OUT: dict[str, Any] = {
    "is_active": True,
    "other_price_ids": [],
    "group": "",
    "is_add_on": False,
    "trial_card": True,
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
    known = keys_of(rules)
    if unknown := sorted(entry.keys() - {*known}):
        raise CatalogError(f"These keys are unknown or do not apply to a {kind}: {', '.join(unknown)}.")
    if missing := sorted({*known} - OPTIONAL_KEYS - {*rules.may_have} - entry.keys()):
        raise CatalogError(f"These keys are missing: {', '.join(missing)}.")
    for name, value in entry.items():
        is_right, what = TYPES.get(name, WHOLE_NUMBER)
        is_left_out = value is None and name in rules.may_have and TERMS[name] is None
        if not is_right(value) and not is_left_out:
            raise CatalogError(f"{name} must be {what}.")
    if entry.get("is_add_on") and entry.get("group"):
        raise CatalogError(f"group: {ADD_ON_WITHOUT_GROUP}")
    unset = {name: TERMS[name] for name in rules.may_have}
    return {"features": [], **LEFT_OUT, **unset, **entry}


def keys_of(rules: KindRules) -> list[str]:
    """The keys of a kind, in the order of a dump."""
    plan, trial_card = (["group", "is_add_on"], ["trial_card"]) if rules.is_recurring else ([], [])
    return [*COMMON_KEYS, "other_price_ids", *plan, *rules.terms, *trial_card, "is_active"]


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
WHOLE_NUMBER = (lambda value: type(value) is int, "a whole number")
TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("mode", "code", "name", "kind"), TEXT),
    "stripe_price_id": (is_price_id, "the id of a price at Stripe"),
    "features": (is_list_of_texts, "a list of texts"),
    "other_price_ids": (is_list_of_price_ids, "a list of ids of prices at Stripe"),
    "group": (is_text, "a text"),
    **dict.fromkeys(("is_add_on", "trial_card", "is_active"), (lambda value: isinstance(value, bool), "true or false")),
}


def dump(products: Iterable[Product]) -> list[dict[str, Any]]:
    """The products as ``load`` reads them."""
    return [entry_of(product) for product in products]


def entry_of(product: Product) -> dict[str, Any]:
    entry = {name: getattr(product, name) for name in keys_of(product.rules)}
    return {name: value for name, value in entry.items() if value is not None and LEFT_OUT.get(name, ...) != value}
