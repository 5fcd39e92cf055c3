"""What actions cost in units, and when the use of units is announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ValidationError

from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.models import Product

MAX_RATE = 1_000_000_000
"""So many units can be used at once."""


@register("licenzy", Tags.compatibility)
def check_rates(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    return [
        Error(
            f"LICENZY['RATES'] {problem}.",
            hint='For each unit what an action costs: {"credits": {"image": 5, "video": 40}}.',
            id="licenzy.E023",
        )
        for problem in problems_of_rates(licenzy_settings().RATES or {})
    ]


def problems_of_rates(rates: Any) -> Iterator[str]:
    for unit, actions in rates.items():
        if not is_unit(unit):
            yield f"names a unit {unit!r}, which is no code of a unit"
        elif not isinstance(actions, dict) or not actions:
            yield f"has no dict of actions for {unit}"
        else:
            yield from problems_of_actions(unit, actions)


def problems_of_actions(unit: str, actions: dict[Any, Any]) -> Iterator[str]:
    for action, rate in actions.items():
        if not isinstance(action, str) or not action.strip() or storable(action) != action:
            yield f"names an action {action!r} of {unit}, which is no name"
        elif type(rate) is not int or not 1 <= rate <= MAX_RATE:
            yield f"has {rate!r} for {action!r} of {unit}, which is no whole number from 1 to {MAX_RATE:,}"


def is_unit(code: Any) -> bool:
    """Whether a product could be of this unit."""
    try:
        Product._meta.get_field("unit").run_validators(code)
    except (ValidationError, TypeError):
        return False
    return isinstance(code, str) and bool(code)


@register("licenzy", Tags.compatibility)
def check_thresholds(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    given = list(licenzy_settings().USAGE_THRESHOLDS)
    if given == sorted(set(given)) and all(1 <= each <= 100 for each in given):
        return []
    return [
        Error(
            f"LICENZY['USAGE_THRESHOLDS'] is {given}.",
            hint="Per cents from 1 to 100, each once, the smallest first: [80, 100]. [] announces nothing.",
            id="licenzy.E024",
        )
    ]
