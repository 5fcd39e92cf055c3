"""Read a field of Stripe's JSON. What has another type than Stripe documents is refused, and never becomes a fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


class OddObjectError(ValueError):
    """A field has a type that Stripe's documentation does not give it. The message names the field."""


def text(stripe_object: Json, name: str) -> str | None:
    """A text; None if absent. Raises OddObjectError."""
    value = stripe_object.get(name)
    if value is not None and not isinstance(value, str):
        raise OddObjectError(f"{name} is not a text")
    return value


def whole(stripe_object: Json, name: str) -> int | None:
    """A whole number: an amount in the currency's smallest unit, a quantity, or a time in Unix seconds.

    None if absent. Raises OddObjectError, also for more than the twelve digits that Stripe documents for an amount.
    """
    value = stripe_object.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise OddObjectError(f"{name} is not a whole number")
    if value is not None and abs(value) >= 10**12:
        raise OddObjectError(f"{name} is beyond what Stripe counts")
    return value


def flag(stripe_object: Json, name: str) -> bool:
    """True or false; false if absent. Raises OddObjectError."""
    value = stripe_object.get(name)
    if value is not None and not isinstance(value, bool):
        raise OddObjectError(f"{name} is neither true nor false")
    return bool(value)


def id_of(reference: Any) -> str:
    """The id of an object that may be given as its id or expanded; empty if absent."""
    if isinstance(reference, Mapping):
        reference = reference.get("id")
    return reference if isinstance(reference, str) else ""


def inside(stripe_object: Json, *names: str) -> Json:
    """The object that these names lead to, empty if absent or something else."""
    found: Any = stripe_object
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def first_known(*values: int | None) -> int | None:
    """0 is a value too."""
    return next((value for value in values if value is not None), None)


def listed(stripe_list: Any) -> list[Json]:
    """The rows of one page of a Stripe list, empty if absent."""
    rows = stripe_list.get("data") if isinstance(stripe_list, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def has_more(stripe_list: Any) -> bool:
    return isinstance(stripe_list, Mapping) and bool(stripe_list.get("has_more"))
