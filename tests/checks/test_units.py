"""What actions cost in units, and when the use of units is announced."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.conftest import Found


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"two words": {"image": 5}}, "'two words', which is no code of a unit"),
        ({"": {"image": 5}}, "'', which is no code of a unit"),
        ({"x" * 65: {"image": 5}}, "which is no code of a unit"),
        ({5: {"image": 5}}, "names a unit 5,"),
        ({None: {"image": 5}}, "names a unit None,"),
        ({("a",): {"image": 5}}, "names a unit"),
        ({"credits": 5}, "has no dict of actions for credits"),
        ({"credits": {}}, "has no dict of actions for credits"),
        ({"credits": {"": 5}}, "names an action '' of credits"),
        ({"credits": {" ": 5}}, "names an action ' ' of credits"),
        ({"credits": {"a\x00": 5}}, "of credits, which is no name"),
        ({"credits": {7: 5}}, "names an action 7 of credits"),
        ({"credits": {"image": 0}}, "has 0 for 'image' of credits"),
        ({"credits": {"image": -5}}, "has -5 for 'image' of credits"),
        ({"credits": {"image": 1.5}}, "has 1.5 for 'image'"),
        ({"credits": {"image": True}}, "has True for 'image'"),
        ({"credits": {"image": "5"}}, "has '5' for 'image'"),
        ({"credits": {"image": None}}, "has None for 'image'"),
        ({"credits": {"image": 1_000_000_001}}, "no whole number from 1 to 1,000,000,000"),
    ],
)
def test_e023_what_an_action_costs(found: Found, rates: Any, words: str) -> None:
    [message] = found(RATES=rates)
    assert (message.id, words in message.msg) == ("licenzy.E023", True), message.msg


def test_e023_names_each_problem(ids: Any) -> None:
    rates = {"credits": {"image": 0, "video": 40, "": 1}, "two words": {}}
    assert ids(RATES=rates) == ["licenzy.E023"] * 3


@pytest.mark.parametrize("rates", [{}, None, {"credits": {"image": 5, "video": 40}, "sms": {"a text": 1_000_000_000}}])
def test_rates_that_can_be_used(ids: Any, rates: Any) -> None:
    assert ids(RATES=rates) == []


@pytest.mark.parametrize("thresholds", [[0], [101], [-1, 50], [100, 80], [80, 80], (50, 100, 80)])
def test_e024_thresholds_that_are_no_per_cents_in_order(found: Found, thresholds: Any) -> None:
    [message] = found(USAGE_THRESHOLDS=thresholds)
    assert (message.id, str(list(thresholds)) in message.msg) == ("licenzy.E024", True)


@pytest.mark.parametrize("thresholds", [[], (), [1], [100], (50, 75, 90, 100)])
def test_thresholds_that_can_be_used(ids: Any, thresholds: Any) -> None:
    assert ids(USAGE_THRESHOLDS=thresholds) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("USAGE_THRESHOLDS", 80, "a list of whole numbers"),
        ("USAGE_THRESHOLDS", "80", "a list of whole numbers"),
        ("USAGE_THRESHOLDS", ["80"], "a list of whole numbers"),
        ("USAGE_THRESHOLDS", [True], "a list of whole numbers"),
        ("USAGE_THRESHOLDS", [80.5], "a list of whole numbers"),
        ("USAGE_THRESHOLDS", {80, 100}, "a list of whole numbers"),
        ("USAGE_THRESHOLDS", None, "a list of whole numbers"),
        ("RATES", [("credits", {})], "a dict"),
        ("RATES", "credits", "a dict"),
    ],
)
def test_e009_units_of_the_wrong_type(found: Found, name: str, value: Any, words: str) -> None:
    [message] = found(**{name: value})
    assert (message.id, f"LICENZY[{name!r}] is not {words}" in message.msg) == ("licenzy.E009", True)
