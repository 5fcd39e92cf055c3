"""Are so many units left? One of the questions of a check; nothing is used by asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser

from licenzy_django import access, usage
from licenzy_django.exceptions import EntitlementRequired, InvalidRequest, UnitRequired
from licenzy_django.models import LedgerEntry
from licenzy_django.testing import entitled
from tests.backend import Backend, error_of
from tests.fixtures import Costs
from tests.shelf import Shelf


@pytest.fixture
def two_kinds(shelf: Shelf) -> Shelf:
    """user_1 has 100 credits and 20 SMS."""
    shelf.give(100)
    shelf.give(20, code="SMS_20", unit="sms")
    return shelf


@pytest.mark.parametrize(
    ("asked", "is_allowed"),
    [
        ({"unit": "credits"}, True),
        ({"unit": "credits", "units": 100}, True),
        ({"unit": "credits", "units": 101}, False),
        ({"unit": "sms", "units": 20}, True),
        ({"unit": "sms", "units": 21}, False),
    ],
)
def test_so_many_units_are_left_or_not(two_kinds: Shelf, asked: dict[str, Any], is_allowed: bool) -> None:
    decision = access.check("user_1", **asked)

    assert (decision.allowed, decision.reason) == (is_allowed, None if is_allowed else "usage_exhausted")
    assert decision.subject_ref == "user_1"
    assert not LedgerEntry.objects.filter(kind="consume").exists()


def test_a_shop_with_one_kind_never_names_it(shelf: Shelf) -> None:
    shelf.give(5)

    assert access.check("user_1", units=5)
    assert not access.check("user_1", units=6)


def test_where_several_are_sold_one_has_to_be_named(two_kinds: Shelf) -> None:
    for subject in ("user_1", "user_2"):
        with pytest.raises(UnitRequired):
            access.check(subject, units=5)
    with pytest.raises(UnitRequired):
        access.check("user_1", "CREDITS", "SMS_20", units=5)
    assert access.check("user_1", "SMS_20", units=20)


def test_products_narrow_the_units_as_they_do_where_units_are_used(two_kinds: Shelf) -> None:
    two_kinds.give(50, code="MORE")

    assert access.check("user_1", unit="credits", units=150)
    assert access.check("user_1", "CREDITS", unit="credits", units=100)
    assert not access.check("user_1", "CREDITS", unit="credits", units=101)
    assert access.check("user_1", "CREDITS", "MORE", units=150)
    assert not access.check("user_1", "CREDITS", "MORE", units=151)
    assert not access.check("user_1", "SMS_20", unit="credits")


def test_several_questions_must_all_hold(two_kinds: Shelf) -> None:
    entitled("user_1", "PRO", features=["export"])
    entitled("user_2", "PRO")

    assert access.check("user_1", feature="export", unit="credits", units=100)
    refused = access.check("user_1", feature="export", unit="credits", units=101)
    assert (refused.allowed, refused.reason, refused.product_code) == (False, "usage_exhausted", "PRO")
    assert access.check("user_2", feature="export").allowed
    assert access.check("user_2", feature="export", unit="credits").reason == "usage_exhausted"
    assert access.check("user_1", feature="import", unit="credits").reason == "no_entitlement"


def test_what_is_set_aside_is_not_left_until_its_time_is_over(two_kinds: Shelf) -> None:
    usage.reserve("user_1", 60, unit="credits", idempotency_key="k", ttl_seconds=60)

    assert not access.check("user_1", unit="credits", units=41)
    assert access.check("user_1", unit="credits", units=41, at=two_kinds.double.now + timedelta(seconds=60))


@pytest.mark.parametrize("units", [0, -1, 1.5, "5", True, 10**9 + 1])
def test_units_that_are_none_are_refused(two_kinds: Shelf, units: Any) -> None:
    with pytest.raises(InvalidRequest):
        access.check("user_1", unit="credits", units=units)


@pytest.mark.parametrize("unit", ["smss", "s\0ms", "\ud800"])
def test_a_unit_that_nobody_sells_is_refused(two_kinds: Shelf, unit: str) -> None:
    with pytest.raises(InvalidRequest):
        access.check("user_1", unit=unit)


def test_what_no_database_can_hold_is_no_product(two_kinds: Shelf) -> None:
    assert access.check("user_1", "CRED\0ITS", unit="credits").reason == "no_entitlement"


def test_nobody_has_nothing_and_costs_nothing(two_kinds: Shelf, costs: Costs) -> None:
    with costs(0):
        assert access.check(AnonymousUser(), unit="credits").reason == "anonymous"


def test_require_and_the_async_twins_ask_the_same(two_kinds: Shelf) -> None:
    assert access.require("user_1", unit="sms", units=20)
    with pytest.raises(EntitlementRequired) as refusal:
        access.require("user_1", unit="sms", units=21)
    assert refusal.value.decision.reason == "usage_exhausted"
    assert async_to_sync(access.acheck)("user_1", unit="sms", units=20)
    with pytest.raises(EntitlementRequired):
        async_to_sync(access.arequire)("user_1", unit="sms", units=21)


def test_it_costs_one_statement_and_one_more_where_the_unit_is_not_named(shelf: Shelf, costs: Costs) -> None:
    shelf.give(5)

    with costs(1):
        assert access.check("user_1", unit="credits", units=5)
    with costs(2):
        assert access.check("user_1", units=5)
    with costs(2):
        assert access.check("user_1", "CREDITS", units=5)


# --- over HTTP --------------------------------------------------------------------------------------------------------


def ask(backend: Backend, **asked: Any) -> Any:
    return backend.post("access/check", {"subject_ref": "user_1", **asked})


def test_over_http_the_answer_is_that_of_a_check(two_kinds: Shelf, backend: Backend) -> None:
    for asked, is_allowed in (
        ({"unit": "credits", "units": 100}, True),
        ({"unit": "credits", "units": 101}, False),
        ({"unit": "sms"}, True),
        ({"unit": "sms", "product_code": "CREDITS"}, False),
        ({"units": 20, "product_code": "SMS_20"}, True),
    ):
        answer = ask(backend, **asked)
        assert (answer.status_code, answer.json()) == (200, {"subject_ref": "user_1", "allowed": is_allowed}), asked
    assert not backend.post("access/check", {"subject_ref": "user_2", "unit": "sms"}).json()["allowed"]


def test_over_http_a_unit_has_to_be_named_where_several_are_sold(two_kinds: Shelf, backend: Backend) -> None:
    answer = ask(backend, units=1)
    assert error_of(answer) == (400, "unit_required")
    assert answer.json()["fields"] == {"unit": ["credits", "sms"]}
    unknown = ask(backend, unit="smss")
    assert error_of(unknown) == (400, "invalid_request")
    assert unknown.json()["fields"].keys() == {"unit"}


@pytest.mark.parametrize("units", [0, "5", 1.5, None, True, 10**9 + 1])
def test_over_http_units_that_are_none_are_refused(two_kinds: Shelf, backend: Backend, units: Any) -> None:
    assert error_of(ask(backend, unit="sms", units=units)) == (400, "invalid_request")
