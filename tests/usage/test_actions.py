"""What actions cost is a setting; the key stands for what was done, and the ledger keeps the rates of then."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import usage
from licenzy_django.exceptions import IdempotencyKeyReused, InsufficientUsage, InvalidRequest, UnitRequired
from licenzy_django.models import LedgerEntry
from tests.backend import Backend, error_of
from tests.shelf import Shelf

RATES = {"credits": {"image": 5, "video": 40}, "sms": {"text": 1, "image": 3}}


@pytest.fixture(autouse=True)
def rates(settings: Any) -> dict[str, dict[str, int]]:
    return change_rates(settings, RATES)


def change_rates(settings: Any, rates: Any) -> Any:
    settings.LICENZY = {**settings.LICENZY, "RATES": rates}
    return rates


@pytest.fixture
def two_kinds(shelf: Shelf) -> Shelf:
    """user_1 has 100 credits and 20 SMS."""
    shelf.give(100)
    shelf.give(20, code="SMS_20", unit="sms")
    return shelf


def consume(actions: Any, **given: Any) -> usage.Used:
    return usage.consume("user_1", actions=actions, **({"idempotency_key": uuid4().hex} | given))


def kept() -> Any:
    return list(LedgerEntry.objects.filter(kind="consume").order_by("pk").values_list("units", "actions"))


def problem_of(refusal: pytest.ExceptionInfo[InvalidRequest]) -> Any:
    return refusal.value.form["fields"]


def test_actions_cost_what_the_rates_say_in_one_consume(two_kinds: Shelf) -> None:
    used = consume({"image": 2, "video": 1}, unit="credits")

    assert (used.consumed, used.usage_remaining, used.replayed) == (50, 50, False)
    assert kept() == [(50, {"image": {"times": 2, "rate": 5}, "video": {"times": 1, "rate": 40}})]
    assert usage.remaining("user_1", unit="sms") == 20


def test_the_unit_is_the_one_that_has_rates_for_all_of_them(two_kinds: Shelf) -> None:
    assert consume({"video": 1}).usage_remaining == 60
    assert consume({"image": 1, "video": 1}).usage_remaining == 15
    assert consume({"text": 2, "image": 1}).usage_remaining == 15
    with pytest.raises(UnitRequired) as refusal:
        consume({"image": 1})
    assert refusal.value.form["fields"] == {"unit": ["credits", "sms"]}
    assert consume({"image": 1}, unit="sms").usage_remaining == 12


def test_only_the_first_row_keeps_them(shelf: Shelf) -> None:
    shelf.give(10)
    shelf.give(10)

    consume({"image": 3}, unit="credits")
    usage.consume("user_1", 1, idempotency_key="plain")

    assert kept() == [(10, {"image": {"times": 3, "rate": 5}}), (5, None), (1, None)]


def test_all_or_nothing(two_kinds: Shelf) -> None:
    with pytest.raises(InsufficientUsage) as refusal:
        consume({"video": 3}, idempotency_key="k")
    assert refusal.value.usage_remaining == 100

    two_kinds.give(100)

    assert consume({"video": 3}, idempotency_key="k").usage_remaining == 80


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ({"credits": {"video": 50}}, "it costs more"),
        ({"credits": {"image": 5}}, "it is no longer there"),
        ({}, "there are no rates any more"),
        ({"credits": {"video": 40}, "sms": {"video": 1}}, "another unit has it too"),
    ],
)
def test_a_repetition_gives_the_first_answer_whatever_the_rates_say_by_now(
    two_kinds: Shelf, settings: Any, after: Any, why: str
) -> None:
    consume({"video": 1}, idempotency_key="k")
    change_rates(settings, after)

    again = consume({"video": 1}, idempotency_key="k")

    assert (again.consumed, again.usage_remaining, again.replayed) == (40, 60, True)
    assert len(kept()) == 1
    with pytest.raises(IdempotencyKeyReused):
        consume({"video": 2}, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReused):
        usage.consume("user_1", 40, unit="credits", idempotency_key="k")


def test_the_order_of_the_actions_does_not_matter(two_kinds: Shelf) -> None:
    consume({"image": 1, "video": 1}, idempotency_key="k")

    assert consume({"video": 1, "image": 1}, idempotency_key="k").replayed


def test_an_action_that_has_no_rate_is_named_with_those_that_have_one(two_kinds: Shelf) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        consume({"vidoe": 1, "image": 1})
    assert problem_of(refusal) == {"actions": ["vidoe: not known; those that are: image, text, video."]}
    with pytest.raises(InvalidRequest) as refusal:
        consume({"text": 1}, unit="credits")
    assert problem_of(refusal) == {"actions": ["text: not known; those that are of credits: image, video."]}
    with pytest.raises(InvalidRequest) as refusal:
        consume({"text": 1}, unit="tokens")
    assert problem_of(refusal) == {"actions": ["text: not known; there are none of tokens."]}
    with pytest.raises(InvalidRequest) as refusal:
        consume({"text": 1, "video": 1})
    assert problem_of(refusal) == {"actions": ["text, video: no unit has a rate for all of them."]}


def test_a_rate_in_a_unit_that_nobody_sells_is_refused(shelf: Shelf) -> None:
    shelf.give(100)

    with pytest.raises(InvalidRequest) as refusal:
        consume({"text": 1})
    assert problem_of(refusal) == {"unit": ["This unit is not known; those that are: credits."]}


@pytest.mark.parametrize(
    "actions",
    [
        {},
        [],
        "image",
        {"image": 0},
        {"image": -1},
        {"image": 1.0},
        {"image": "1"},
        {"image": True},
        {"image": None},
        {"image": 10**9 + 1},
        {"image": 10**9},
        {"": 1},
        {"a\0b": 1},
        {"x" * 101: 1},
        {5: 1},
        {f"a{number}": 1 for number in range(101)},
    ],
)
def test_actions_that_are_none_are_refused(two_kinds: Shelf, actions: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        consume(actions, unit="credits")
    assert problem_of(refusal).keys() == {"actions"}


def test_it_is_either_units_or_actions(two_kinds: Shelf) -> None:
    for given in ({}, {"units": 1, "actions": {"image": 1}}):
        with pytest.raises(InvalidRequest) as refusal:
            usage.consume("user_1", idempotency_key="k", **given)
        assert problem_of(refusal) == {"units": ["Give either units or actions."]}


def test_the_async_twin_takes_them_too(two_kinds: Shelf) -> None:
    assert async_to_sync(usage.aconsume)("user_1", actions={"video": 1}, idempotency_key="k").consumed == 40


def test_they_cost_no_statement(two_kinds: Shelf, way_of_taking_units: str) -> None:
    consume({"video": 1})

    with CaptureQueriesContext(connection) as queries:
        consume({"video": 1})

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= (1 if way_of_taking_units == "one statement" else 4), statements


# --- over HTTP --------------------------------------------------------------------------------------------------------


def ask(backend: Backend, key: str = "k", **body: Any) -> Any:
    return backend.post("usage/consume", {"subject_ref": "user_1", **body}, idempotency_key=key)


def test_over_http_the_answer_says_what_they_cost(two_kinds: Shelf, backend: Backend) -> None:
    for is_replay in (False, True):
        answer = ask(backend, actions={"image": 2, "video": 1})
        assert answer.json() == {"ok": True, "consumed": 50, "usage_remaining": 50}
        assert answer.has_header("Idempotent-Replayed") is is_replay


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "units"),
        ({"units": 1, "actions": {"image": 1}}, "units"),
        ({"actions": {"vidoe": 1}}, "actions"),
        ({"actions": {}}, "actions"),
        ({"actions": {"image": "1"}}, "actions"),
        ({"actions": ["image"]}, "actions"),
        ({"actions": None}, "actions"),
        ({"actions": {"a\0b": 1}}, "actions"),
    ],
)
def test_over_http_what_is_wrong_is_named(two_kinds: Shelf, backend: Backend, body: Any, field: str) -> None:
    answer = ask(backend, **body)

    assert error_of(answer) == (400, "invalid_request")
    assert answer.json()["fields"].keys() == {field}
    assert all(isinstance(each, str) for each in answer.json()["fields"][field])


def test_over_http_a_reservation_takes_units_alone(two_kinds: Shelf, backend: Backend) -> None:
    body = {"subject_ref": "user_1", "actions": {"image": 1}}

    assert error_of(backend.post("usage/reserve", body, idempotency_key="k")) == (400, "invalid_request")
