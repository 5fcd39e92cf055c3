"""Products from and to JSON, so that a catalog can live in version control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from licenzy_django import clock
from licenzy_django.db.text import storable
from licenzy_django.entitlements.catalog_changes import rebuild_waiting
from licenzy_django.models import Mode, Product
from licenzy_django.models.kinds import RULES, TERMS, KindRules
from licenzy_django.models.prices import record_prices
from licenzy_django.stripe import client

COMMON_KEYS = ("mode", "code", "name", "kind", "stripe_price_id", "features")
LEFT_OUT: dict[str, Any] = {"is_active": True, "other_price_ids": [], "group": "", "trial_card": True}
"""What a key that is left out means, and ``dump`` leaves out."""
OPTIONAL_KEYS = frozenset({"features", *LEFT_OUT})
MAX_SHOWN = 64


class CatalogError(ValueError):
    """What is wrong with a catalog file, entry by entry."""


def load(entries: Any) -> dict[str, int]:
    """Create or update each product by mode and code; all or nothing, and repeatable.

    Then, one after another, subscriptions get what was paid at prices that the catalog knows by now.

    Returns how many were created, updated and unchanged. Raises CatalogError.
    """
    counts = write(entries)
    rebuild_waiting()
    return counts


@transaction.atomic
def write(entries: Any) -> dict[str, int]:
    if not isinstance(entries, list):
        raise CatalogError("The file must hold a JSON list of products.")
    given: dict[tuple[str, str], dict[str, Any]] = {}
    for position, entry in enumerate(entries, start=1):
        with named(position, entry):
            values = checked(entry)
            if (values["mode"], values["code"]) in given:
                raise CatalogError("This mode and code stand in the file before.")
            given[values["mode"], values["code"]] = values
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
        if product.stripe_price_id != given[key]["stripe_price_id"]:
            Product.objects.filter(pk=product.pk).update(stripe_price_id=f"moved-{product.pk}")


def load_one(product: Product | None, values: dict[str, Any]) -> str:
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
    unset = {name: TERMS[name] for name in rules.may_have}
    return {"features": [], **LEFT_OUT, **unset, **entry}


def keys_of(rules: KindRules) -> list[str]:
    """The keys of a kind, in the order of a dump."""
    group, trial_card = (["group"], ["trial_card"]) if rules.is_recurring else ([], [])
    return [*COMMON_KEYS, "other_price_ids", *group, *rules.terms, *trial_card, "is_active"]


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
    **dict.fromkeys(("trial_card", "is_active"), (lambda value: isinstance(value, bool), "true or false")),
}


def dump(products: Iterable[Product]) -> list[dict[str, Any]]:
    """The products as ``load`` reads them."""
    return [entry_of(product) for product in products]


def entry_of(product: Product) -> dict[str, Any]:
    entry = {name: getattr(product, name) for name in keys_of(product.rules)}
    return {name: value for name, value in entry.items() if value is not None and LEFT_OUT.get(name, ...) != value}


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
