"""Kinds of units over HTTP: named, or followed by themselves where there is one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend import Backend, error_of
from tests.shelf import Shelf

pytestmark = pytest.mark.usefixtures("way_of_taking_units")
both_verbs = pytest.mark.parametrize("verb", ["consume", "reserve"])


@pytest.fixture
def two_kinds(shelf: Shelf) -> Shelf:
    """user_1 has 100 credits and 20 SMS."""
    shelf.give(100)
    shelf.give(20, code="SMS_20", unit="sms")
    return shelf


def ask(backend: Backend, verb: str, units: int, key: str = "k", **more: object) -> Any:
    body = {"subject_ref": "user_1", "units": units, **more}
    return backend.post(f"usage/{verb}", body, idempotency_key=key)


@both_verbs
def test_the_unit_that_is_named_is_taken(two_kinds: Shelf, backend: Backend, verb: str) -> None:
    answer = ask(backend, verb, 5, unit="sms")

    assert answer.json()["usage_remaining"] == 15
    assert ask(backend, verb, 30, "k2", unit="credits").json()["usage_remaining"] == 70
    assert ask(backend, verb, 5, "k3", product_code="SMS_20").json()["usage_remaining"] == 10


@both_verbs
def test_too_few_of_it_is_a_409_that_counts_this_unit_alone(two_kinds: Shelf, backend: Backend, verb: str) -> None:
    answer = ask(backend, verb, 21, unit="sms")

    assert error_of(answer) == (409, "insufficient_usage")
    assert answer.json()["usage_remaining"] == 20


@both_verbs
def test_where_several_are_sold_none_named_is_a_400_that_lists_them(
    two_kinds: Shelf, backend: Backend, verb: str
) -> None:
    answer = ask(backend, verb, 5)

    assert error_of(answer) == (400, "unit_required")
    assert answer.json()["fields"] == {"unit": ["credits", "sms"]}


@both_verbs
def test_a_unit_that_nobody_sells_is_a_400_that_lists_them(two_kinds: Shelf, backend: Backend, verb: str) -> None:
    answer = ask(backend, verb, 5, unit="smss")

    assert error_of(answer) == (400, "invalid_request")
    assert answer.json()["fields"] == {"unit": ["This unit is not known; those that are: credits, sms."]}


@both_verbs
@pytest.mark.parametrize("unit", [5, None, "", "a\0b", "x" * 65, ["sms"]])
def test_a_unit_that_is_no_code_is_a_400(two_kinds: Shelf, backend: Backend, verb: str, unit: object) -> None:
    answer = ask(backend, verb, 5, unit=unit)

    assert error_of(answer) == (400, "invalid_request")
    assert answer.json()["fields"].keys() == {"unit"}


@both_verbs
def test_the_key_of_a_request_for_another_unit_is_a_422(two_kinds: Shelf, backend: Backend, verb: str) -> None:
    ask(backend, verb, 5, unit="sms")

    assert error_of(ask(backend, verb, 5, unit="credits")) == (422, "idempotency_key_reused")


def test_a_confirm_says_what_is_left_of_the_unit_that_was_reserved(two_kinds: Shelf, backend: Backend) -> None:
    held = ask(backend, "reserve", 5, unit="sms").json()

    confirmed = backend.post("usage/confirm", {"reservation_id": held["reservation_id"], "units": 3})

    assert confirmed.json() == {"ok": True, "consumed": 3, "usage_remaining": 17}
