"""Several kinds of units stand side by side: an AI job never eats the SMS, and a shop with one kind never names it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import usage
from licenzy_django.exceptions import (
    IdempotencyKeyReused,
    InsufficientUsage,
    InvalidRequest,
    ProductNotFound,
    UnitRequired,
)
from licenzy_django.idempotency import fingerprint
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Product
from tests.fixtures import Costs
from tests.shelf import Shelf
from tests.usage.steps import columns, reserve


def consume(units: int, subject: str = "user_1", **given: object) -> usage.Used:
    return usage.consume(subject, units, **({"idempotency_key": uuid4().hex} | given))  # type: ignore[arg-type]


def left_in(*packs: Entitlement) -> list[int]:
    return [columns(pack)[-1] for pack in packs]


@pytest.fixture
def credit_pack(shelf: Shelf) -> Entitlement:
    return shelf.give(100)


@pytest.fixture
def sms_pack(shelf: Shelf) -> Entitlement:
    """It ends first, so it would be used first if units were all alike."""
    return shelf.give(20, code="SMS_20", unit="sms", until=shelf.double.advance(seconds=1).replace(year=2027))


def test_a_unit_is_taken_from_its_own_packs(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    used = consume(30, unit="credits")

    assert (used.consumed, used.usage_remaining) == (30, 70)
    assert left_in(credit_pack, sms_pack) == [70, 20]
    assert consume(5, unit="sms").usage_remaining == 15
    assert left_in(credit_pack, sms_pack) == [70, 15]


def test_the_units_of_another_kind_do_not_fill_up_what_is_missing(
    credit_pack: Entitlement, sms_pack: Entitlement
) -> None:
    with pytest.raises(InsufficientUsage) as refusal:
        consume(21, unit="sms")
    with pytest.raises(InsufficientUsage) as refusal_of_reserve:
        reserve(101, unit="credits")

    assert (refusal.value.usage_remaining, refusal_of_reserve.value.usage_remaining) == (20, 100)
    assert left_in(credit_pack, sms_pack) == [100, 20]


@pytest.mark.parametrize("units", [1, 1000])
def test_where_several_are_sold_one_has_to_be_named(shelf: Shelf, credit_pack: Entitlement, units: int) -> None:
    """Whether or not this subject has the other one, and whether or not it has enough."""
    shelf.product("SMS_20", "sms")

    for ask in (consume, reserve):
        with pytest.raises(UnitRequired) as refusal:
            ask(units)
        assert refusal.value.form["fields"] == {"unit": ["credits", "sms"]}
    with pytest.raises(UnitRequired):
        usage.remaining("user_1")
    with pytest.raises(UnitRequired):
        usage.by_day("user_1")
    assert left_in(credit_pack) == [100]
    assert usage.remaining("user_1", unit="credits") == 100


def test_what_is_no_longer_sold_still_counts_as_a_kind(shelf: Shelf, credit_pack: Entitlement) -> None:
    Product.objects.filter(pk=shelf.product("SMS_20", "sms").pk).update(is_active=False)

    with pytest.raises(UnitRequired):
        consume(1)


def test_what_is_sold_in_the_other_mode_does_not_count(shelf: Shelf, credit_pack: Entitlement) -> None:
    terms = {"code": "SMS_20", "name": "SMS", "kind": "usage_pack", "units": 20, "unit": "sms"}
    Product.objects.create(mode="live", stripe_price_id="price_sms", **terms)

    assert consume(1).usage_remaining == 99


def test_a_product_says_which_unit_it_is(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    assert consume(3, product_code="SMS_20").usage_remaining == 17
    assert usage.remaining("user_1", product_code="CREDITS") == 100
    assert left_in(credit_pack, sms_pack) == [100, 17]


def test_a_unit_that_a_product_does_not_have_is_not_there(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    with pytest.raises(InsufficientUsage) as refusal:
        consume(1, unit="sms", product_code="CREDITS")
    assert refusal.value.usage_remaining == 0
    with pytest.raises(ProductNotFound):
        consume(1, unit="sms", product_code="CREDTIS")


@pytest.mark.parametrize("unit", ["smss", "SMS", "s\0ms", "\ud800", "x" * 300])
def test_a_unit_that_nobody_sells_is_refused_with_those_that_there_are(
    sms_pack: Entitlement, credit_pack: Entitlement, unit: str
) -> None:
    for ask in (consume, reserve):
        with pytest.raises(InvalidRequest) as refusal:
            ask(1, unit=unit)
        assert refusal.value.form["fields"] == {"unit": ["This unit is not known; those that are: credits, sms."]}
    with pytest.raises(InvalidRequest):
        usage.remaining("user_1", unit=unit)
    with pytest.raises(InvalidRequest):
        usage.by_day("user_1", unit=unit)


def test_a_mode_that_sells_no_units_says_so(shelf: Shelf) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        consume(1, unit="sms", mode="live")
    assert refusal.value.form["fields"] == {"unit": ["This unit is not known; no units are sold in this mode."]}
    with pytest.raises(InsufficientUsage):
        consume(1, mode="live")


def test_a_pack_keeps_its_unit_however_it_comes(shelf: Shelf) -> None:
    shelf.product("SMS_20", "sms")
    shelf.double.buy("user_1", "SMS_20")
    shelf.give(7, code="SMS_20")

    assert list(Pack.objects.values_list("unit", flat=True)) == ["sms", "sms"]
    assert usage.remaining("user_1", unit="sms") == 107


def test_the_code_of_a_subscription_narrows_to_its_windows(shelf: Shelf, credit_pack: Entitlement) -> None:
    shelf.window(shelf.plan("PRO"), 50)

    assert usage.remaining("user_1") == 150
    assert consume(20, product_code="PRO").usage_remaining == 30
    with pytest.raises(InsufficientUsage):
        consume(31, product_code="PRO")
    assert left_in(credit_pack) == [100]


def test_a_reservation_ends_in_its_own_unit(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    first, second = reserve(40, unit="credits"), reserve(10, unit="sms")
    assert (first.usage_remaining, second.usage_remaining) == (60, 10)

    assert usage.confirm(first.reservation_id, 30).usage_remaining == 70
    assert usage.release(second.reservation_id).usage_remaining == 20
    assert left_in(credit_pack, sms_pack) == [70, 20]


def test_use_by_day_is_counted_for_each_unit(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    consume(3, unit="sms")
    consume(40, unit="credits")
    usage.confirm(reserve(5, unit="sms").reservation_id, 2)

    assert usage.by_day("user_1", unit="sms")[-1].units == 5
    assert usage.by_day("user_1", unit="credits")[-1].units == 40


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_replays_although_another_unit_is_sold_by_now(shelf: Shelf, credit_pack: Entitlement) -> None:
    consume(30, idempotency_key="k")
    held = reserve(10, idempotency_key="k")
    shelf.product("SMS_20", "sms")

    assert consume(30, idempotency_key="k").replayed
    assert reserve(10, idempotency_key="k").reservation_id == held.reservation_id
    with pytest.raises(UnitRequired):
        consume(30, idempotency_key="k2")
    assert left_in(credit_pack) == [60]


def test_a_request_without_a_unit_means_what_it_meant_before_there_were_units(credit_pack: Entitlement) -> None:
    consume(30, idempotency_key="k")

    row = LedgerEntry.objects.get(idempotency_key="k")
    assert row.fingerprint == fingerprint(subject_ref="user_1", units=30, product_code="")


def test_another_unit_is_another_request(credit_pack: Entitlement, sms_pack: Entitlement) -> None:
    consume(3, unit="credits", idempotency_key="k")
    reserve(3, unit="credits", idempotency_key="k")

    for ask in (consume, reserve):
        with pytest.raises(IdempotencyKeyReused):
            ask(3, unit="sms", idempotency_key="k")
    assert left_in(credit_pack, sms_pack) == [94, 20]


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [{}, {"unit": "credits"}], ids=["no unit", "a unit"])
def test_a_unit_costs_no_statement(shelf: Shelf, way_of_taking_units: str, named: dict[str, str]) -> None:
    shelf.give(10)
    consume(1)

    with CaptureQueriesContext(connection) as queries:
        consume(5, **named)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= (1 if way_of_taking_units == "one statement" else 4), statements


def test_what_is_left_of_a_unit_is_one_statement(shelf: Shelf, costs: Costs) -> None:
    shelf.give(10)

    with costs(1):
        assert usage.remaining("user_1", unit="credits") == 10
    with costs(2):
        assert usage.remaining("user_1") == 10
