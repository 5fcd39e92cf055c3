"""The keys of an entry that say what it costs, and which of them go together."""

from __future__ import annotations

from typing import Any

from licenzy_django.catalog.amounts import step_of, written
from licenzy_django.models.priced import MAX_AMOUNT, MAX_LOOKUP_KEY, Interval

UNPRICED: dict[str, Any] = {
    "stripe_price_id": "",
    "stripe_lookup_key": "",
    "amount": None,
    "currency": "",
    "interval": "",
}
"""The keys, each with what it means when it is left out."""


def is_amount(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_AMOUNT


def is_currency(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.islower()


def is_lookup_key(value: Any) -> bool:
    return (
        isinstance(value, str) and value.isprintable() and value == value.strip() and 0 < len(value) <= MAX_LOOKUP_KEY
    )


PRICE_TYPES = {
    "stripe_lookup_key": (is_lookup_key, f"a text of 1 to {MAX_LOOKUP_KEY} characters"),
    "amount": (
        is_amount,
        f"a whole number from 0 to {MAX_AMOUNT}, in the smallest unit of the currency: 1900 is 19.00 EUR and 1,900 JPY",
    ),
    "currency": (is_currency, "three small letters, for example eur"),
    "interval": (lambda value: value in Interval.values, f"one of {', '.join(Interval.values)}"),
}


def with_lookup_key(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with an amount and nothing that names its price has its code as the lookup key."""
    names_a_price = entry.get("stripe_price_id") or entry.get("stripe_lookup_key")
    return entry if names_a_price or "amount" not in entry else {**entry, "stripe_lookup_key": entry.get("code")}


def missing_price_keys(entry: dict[str, Any], *, is_recurring: bool) -> list[str]:
    """What an entry needs to have a price, and does not have."""
    wanted = {"stripe_lookup_key"} if "stripe_lookup_key" in entry else {"stripe_price_id"}
    if "amount" in entry:
        wanted |= {"currency", "interval"} if is_recurring else {"currency"}
    return sorted(wanted - entry.keys())


def conflict_of_price(entry: dict[str, Any]) -> str:
    """What does not go together, in a sentence that begins with the key; empty if all does."""
    if "stripe_lookup_key" in entry and "stripe_price_id" in entry:
        return "stripe_lookup_key: give it or stripe_price_id, not both."
    if "amount" not in entry:
        alone = [name for name in ("currency", "interval") if name in entry]
        return f"{alone[0]}: it goes with an amount, which is missing." if alone else ""
    if "stripe_price_id" in entry:
        return "amount: `push` makes a price by its stripe_lookup_key; give that in place of stripe_price_id."
    amount, currency = entry["amount"], entry["currency"]
    if amount % step_of(currency):
        return f"amount: {written(amount, currency)} cannot be charged; it must be a multiple of {step_of(currency)}."
    return ""
