"""Limits: how many of something a product gives. The host counts what is in use.

A limit is a whole number, ``null`` for unlimited, or ``"quantity"`` for as many as were bought: seats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from licenzy_django.db.text import storable

QUANTITY = "quantity"
MOST = 10**12
MOST_NAMES = 100
MOST_LETTERS = 100
NOT_LIMITS = _(
    'An object of names, each with a whole number from 0 to 1,000,000,000,000, null for unlimited, or "quantity".'
)

Number = int | None
"""None: unlimited."""


def no_limits() -> dict[str, Any]:
    return {}


def are_limits(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MOST_NAMES
        and all(map(is_name, value))
        and all(map(is_value, value.values()))
    )


def is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_LETTERS and value == value.strip() == storable(value)


def is_value(value: Any) -> bool:
    return value is None or value == QUANTITY or (type(value) is int and 0 <= value <= MOST)


def validate_limits(value: Any) -> None:
    """Raise ValidationError for what are no limits."""
    if not are_limits(value):
        raise ValidationError(NOT_LIMITS)


def resolved(limits: Mapping[str, Any], quantity: int) -> dict[str, Number]:
    """With the quantity in its place."""
    return {name: quantity if value == QUANTITY else value for name, value in limits.items()}


def largest(given: Iterable[Mapping[str, Number]]) -> dict[str, Number]:
    """Of each name the largest number; unlimited is larger than any."""
    found: dict[str, Number] = {}
    for limits in given:
        for name, value in limits.items():
            found[name] = larger(found[name], value) if name in found else value
    return found


def combined(plans: Iterable[Mapping[str, Number]], add_ons: Iterable[Mapping[str, Number]]) -> dict[str, Number]:
    """A subject's limits: the largest of its plans, and what each add-on gives on top. Unlimited wins."""
    found = largest(plans)
    for limits in add_ons:
        for name, value in limits.items():
            found[name] = summed(found.get(name, 0), value)
    return dict(sorted(found.items()))


def larger(one: Number, other: Number) -> Number:
    return None if one is None or other is None else max(one, other)


def summed(one: Number, other: Number) -> Number:
    return None if one is None or other is None else one + other
