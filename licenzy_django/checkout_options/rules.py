"""Options are checked by shape, before they are stored and before Stripe is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from licenzy_django.checkout_options.lists import ONLY_IN, OURS, REFUSED, SETTABLE
from licenzy_django.checkout_options.shapes import Fields, Several, Text

LONGEST_SHOWN = 100
UNKNOWN = _("Stripe's Checkout has no parameter of this name.")
ONLY_FOR: Mapping[str, Text] = {
    "payment": _("It is for what is paid once, and this is a subscription."),
    "subscription": _("It is for subscriptions, and this is paid once."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter.

    Attributes:
        path: which one, for example ``subscription_data.trial_end``.
        sentence: why, or what to do instead.
    """

    path: str
    sentence: Text

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else str(self.sentence)


def problems_of(options: Any, *, session_mode: str = "") -> list[Problem]:
    """What is wrong with options that somebody set; none if all is well.

    Args:
        options: Stripe's parameters, as they are written in Python or JSON.
        session_mode: ``payment`` or ``subscription``: then what is only for the other one is a problem too.
    """
    found = list(_problems(options, SETTABLE, ""))
    if session_mode and isinstance(options, Mapping):
        others = {name: only for name, only in ONLY_IN.items() if only != session_mode}
        found += [Problem(name, ONLY_FOR[only]) for name, only in others.items() if name in options]
    return found


def _problems(value: Any, shape: Any, path: str) -> Iterator[Problem]:
    if refusal := shape.refusal(value):
        yield Problem(path, refusal)
    elif isinstance(shape, Fields):
        yield from _problems_of_fields(value, shape, path)
    elif isinstance(shape, Several):
        for position, entry in enumerate(value):
            yield from _problems(entry, shape.each, f"{path}[{position}]")


def _problems_of_fields(value: Mapping[Any, Any], shape: Fields, path: str) -> Iterator[Problem]:
    for name, inner in value.items():
        at = f"{path}.{name}" if path else str(name)[:LONGEST_SHOWN]
        if name in shape.fields:
            yield from _problems(inner, shape.fields[name], at)
        else:
            yield Problem(at[:LONGEST_SHOWN], OURS.get(at) or REFUSED.get(at) or UNKNOWN)
    for name in shape.required:
        if name not in value:
            yield Problem(f"{path}.{name}", _("This is missing."))
