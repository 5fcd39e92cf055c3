"""A new version of Stripe's package makes us decide about each parameter that it brings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from licenzy_django.checkout_options.lists import ONLY_IN, OURS, REFUSED, SETTABLE
from licenzy_django.checkout_options.shapes import Choice, Fields, Flag, Several, Whole, Words
from tests.checkout_options.sdk import Parameter, decided, parameters, shape_at
from tests.checkout_options.table import PAGE, with_table

KNOWN = {each.path: each for parameter in parameters() for each in parameter.walk()}


def settable(shape: Fields, path: str = "") -> Iterator[tuple[str, object]]:
    for name, inner in shape.fields.items():
        at = f"{path}.{name}" if path else name
        yield at, inner
        inner = inner.each if isinstance(inner, Several) else inner
        if isinstance(inner, Fields):
            yield from settable(inner, at)


def test_the_package_has_parameters() -> None:
    assert {"mode", "subscription_data.trial_settings.end_behavior", "custom_fields.label.custom"} <= KNOWN.keys()


def test_every_parameter_of_the_package_is_settable_ours_or_refused() -> None:
    undecided = [path for path in KNOWN if not decided(path)]

    assert undecided == [], "Decide about them in licenzy_django/checkout_options/lists.py."


def test_nothing_is_in_two_lists() -> None:
    assert OURS.keys() & REFUSED.keys() == set()
    assert [path for path, _ in settable(SETTABLE) if path in OURS or path in REFUSED] == []


def test_no_list_has_what_the_package_does_not_know() -> None:
    ours = {*OURS, *REFUSED, *ONLY_IN, *(path for path, _ in settable(SETTABLE))}

    assert sorted(ours - KNOWN.keys()) == []


def test_what_is_in_a_whole_that_is_ours_or_refused_needs_no_entry_of_its_own() -> None:
    entries = {**OURS, **REFUSED}

    assert [path for path in entries if any(path.startswith(f"{other}.") for other in entries)] == []


@pytest.mark.parametrize(("path", "shape"), list(settable(SETTABLE)), ids=lambda given: str(given)[:60])
def test_a_shape_is_what_the_package_says(path: str, shape: object) -> None:
    assert described(shape) == packaged(KNOWN[path])


def described(shape: object) -> tuple[set[str], set[str]]:
    """The types and the choices of a shape."""
    if isinstance(shape, Several):
        types, choices = described(shape.each)
        return {"list", *types}, choices
    if isinstance(shape, Choice):
        return set(), set(shape.values)
    return {{Flag: "bool", Words: "str", Whole: "int", Fields: "object"}[type(shape)]}, set()


def packaged(parameter: Parameter) -> tuple[set[str], set[str]]:
    """The empty text unsets in an update; of a new page it says nothing. An open enumeration is closed here."""
    types, choices = set(parameter.types), set(parameter.choices)
    if choices - {""}:
        types -= {"str"}
    elif choices:
        choices = set()
    return types, choices


@pytest.mark.parametrize("path", [path for path, shape in settable(SETTABLE) if isinstance(shape, Fields)], ids=str)
def test_what_stripe_requires_is_required(path: str) -> None:
    inside = {each.path.rsplit(".", 1)[1] for each in KNOWN[path].inside if each.required and decided(each.path)}
    assert set(shape_at(path).required) == inside


def test_the_page_says_what_the_lists_say() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "Write it anew: python -m tests.checkout_options.table"
