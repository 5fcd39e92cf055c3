from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from licenzy_django import access, usage
from licenzy_django.exceptions import (
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InsufficientUsage,
    InvalidRequest,
    ProductNotFound,
)
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from tests.shelf import Shelf


def consume(units: int, subject: str = "user_1", **given: object) -> usage.Used:
    return usage.consume(subject, units, **({"idempotency_key": uuid4().hex} | given))  # type: ignore[arg-type]


def left_in(*packs: Entitlement) -> list[int]:
    return [Entitlement.objects.get(pk=pack.pk).units_remaining for pack in packs]


def test_units_are_used_and_the_answer_says_what_is_left(shelf: Shelf) -> None:
    pack = shelf.give(1000)

    used = consume(100)

    assert (used.consumed, used.usage_remaining, used.replayed) == (100, 900, False)
    assert left_in(pack) == [900]


def test_the_pack_that_expires_first_is_used_first_then_the_older_one(shelf: Shelf) -> None:
    now = shelf.double.now
    forever_old, forever_new = shelf.give(10), shelf.give(10)
    late = shelf.give(10, until=now + timedelta(days=60))
    soon = shelf.give(10, until=now + timedelta(days=30))

    consume(15)
    assert left_in(soon, late, forever_old, forever_new) == [0, 5, 10, 10]

    consume(10)
    assert left_in(soon, late, forever_old, forever_new) == [0, 0, 5, 10]


def test_it_is_all_or_nothing_over_all_packs(shelf: Shelf) -> None:
    packs = shelf.give(30), shelf.give(10)

    with pytest.raises(InsufficientUsage) as refusal:
        consume(41)

    assert refusal.value.usage_remaining == 40
    assert left_in(*packs) == [30, 10]
    assert consume(40).usage_remaining == 0


def test_each_pack_that_is_drained_has_its_row_in_the_ledger(shelf: Shelf) -> None:
    now = shelf.double.now
    first, second = shelf.give(5, until=now + timedelta(days=1)), shelf.give(9)

    consume(8, idempotency_key="k")

    rows = LedgerEntry.objects.filter(kind="consume").order_by("pk")
    assert [(row.pack.entitlement, row.units, row.balance_after) for row in rows] == [(first, 5, 0), (second, 3, 6)]
    assert [(row.idempotency_key, row.usage_remaining) for row in rows] == [("k", 6), (None, None)]


def test_a_retried_request_spends_once_and_is_answered_as_the_first(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    first = consume(100, idempotency_key="k")
    consume(500)
    shelf.double.advance(days=3)

    again = consume(100, idempotency_key="k")

    assert (again.consumed, again.usage_remaining, again.replayed) == (first.consumed, first.usage_remaining, True)
    assert left_in(pack) == [400]


def test_a_retry_is_answered_although_nothing_is_left(shelf: Shelf) -> None:
    shelf.give(1000)
    consume(1000, idempotency_key="k")

    assert consume(1000, idempotency_key="k").replayed


def test_a_quoted_key_and_the_bare_one_are_the_same(shelf: Shelf) -> None:
    shelf.give(10)
    consume(3, idempotency_key='"k"')

    assert consume(3, idempotency_key="k").replayed


def test_a_refusal_is_not_remembered(shelf: Shelf) -> None:
    shelf.give(10)
    with pytest.raises(InsufficientUsage):
        consume(50, idempotency_key="k")
    assert not LedgerEntry.objects.filter(kind="consume").exists()

    shelf.give(100)

    assert consume(50, idempotency_key="k").usage_remaining == 60


@pytest.mark.parametrize(
    "other", [{"units": 4}, {"subject": "user_2"}, {"product_code": "CREDITS"}], ids=["units", "subject", "product"]
)
def test_the_key_of_another_request_is_refused(shelf: Shelf, other: dict[str, object]) -> None:
    shelf.give(10)
    shelf.give(10, to="user_2")
    consume(3, idempotency_key="k")

    with pytest.raises(IdempotencyKeyReused):
        consume(**({"units": 3, "idempotency_key": "k"} | other))  # type: ignore[arg-type]

    assert LedgerEntry.objects.filter(kind="consume").count() == 1


def test_keys_are_scoped_by_operation_and_mode(shelf: Shelf) -> None:
    shelf.give(10)
    consume(1, idempotency_key="k")

    assert not usage.reserve("user_1", 1, idempotency_key="k").replayed
    with pytest.raises(InsufficientUsage) as refusal:
        consume(1, idempotency_key="k", mode="live")
    assert refusal.value.usage_remaining == 0


def test_a_product_code_narrows_what_is_used_and_what_is_counted(shelf: Shelf) -> None:
    plain, tokens = shelf.give(10), shelf.give(20, code="TOKENS")

    assert consume(4, product_code="TOKENS").usage_remaining == 16
    assert left_in(plain, tokens) == [10, 16]
    with pytest.raises(InsufficientUsage) as refusal:
        consume(11, product_code="CREDITS")
    assert refusal.value.usage_remaining == 10
    assert usage.remaining("user_1", product_code="TOKENS") == 16


def test_a_product_that_does_not_exist_is_not_found(shelf: Shelf) -> None:
    shelf.give(10)

    with pytest.raises(ProductNotFound):
        consume(1, product_code="CREDTIS")


def test_a_pack_that_has_expired_gives_nothing_and_keeps_what_it_had(shelf: Shelf) -> None:
    pack = shelf.give(10, until=shelf.double.now + timedelta(hours=1))
    shelf.double.advance(hours=1)

    with pytest.raises(InsufficientUsage) as refusal:
        consume(1)

    assert refusal.value.usage_remaining == 0
    assert left_in(pack) == [10]


def test_other_subjects_are_not_touched(shelf: Shelf) -> None:
    mine, theirs = shelf.give(10), shelf.give(10, to="user_2")

    consume(3)

    assert left_in(mine, theirs) == [7, 10]


@pytest.mark.parametrize("units", [0, -1, 1.5, "5", True, None, 10**12])
def test_units_that_are_none_are_refused(shelf: Shelf, units: object) -> None:
    shelf.give(10)

    with pytest.raises(InvalidRequest):
        consume(units)  # type: ignore[arg-type]


@pytest.mark.parametrize("ref", ["", "a\0b", " a", "a/", "x" * 256])
def test_refs_that_are_none_are_refused(shelf: Shelf, ref: str) -> None:
    with pytest.raises((InvalidRequest, InsufficientUsage)):
        consume(1, subject=ref)


def test_a_key_is_required(shelf: Shelf) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        consume(1, idempotency_key="")
    with pytest.raises(IdempotencyKeyInvalid):
        consume(1, idempotency_key="k" * 300)


def test_nobody_has_nothing(shelf: Shelf) -> None:
    with pytest.raises(InsufficientUsage):
        usage.consume(None, 1, idempotency_key="k")
    assert usage.remaining(None) == 0


def test_it_is_one_statement_or_four(shelf: Shelf, way_of_taking_units: str) -> None:
    shelf.give(10)
    shelf.give(10)
    consume(1)

    with CaptureQueriesContext(connection) as queries:
        consume(15)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= (1 if way_of_taking_units == "one statement" else 4), statements


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Other databases lock rows.")
def test_on_sqlite_a_transaction_that_does_not_begin_with_the_lock_writes_first(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads before writing may be refused the write."""
    shelf.give(10)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})

    with CaptureQueriesContext(connection) as queries:
        consume(5)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert statements[0].startswith("UPDATE")


def test_a_host_can_use_it_inside_its_own_transaction(shelf: Shelf) -> None:
    pack = shelf.give(10)

    with transaction.atomic():
        consume(4, idempotency_key="k")
        assert consume(4, idempotency_key="k").replayed
        with pytest.raises(InsufficientUsage):
            consume(7)
        assert access.check("user_1")

    assert left_in(pack) == [6]


def test_what_a_host_takes_back_leaves_the_key_free(shelf: Shelf) -> None:
    pack = shelf.give(10)

    def order() -> None:
        with transaction.atomic():
            consume(4, idempotency_key="k")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        order()

    assert left_in(pack) == [10]
    assert not consume(4, idempotency_key="k").replayed


def test_the_last_unit_turns_access_off_and_a_new_pack_turns_it_on(shelf: Shelf) -> None:
    shelf.give(10)
    consume(10)
    assert access.check("user_1").reason == "usage_exhausted"

    shelf.give(1)

    assert access.check("user_1")


def test_the_database_refuses_a_balance_below_zero(shelf: Shelf) -> None:
    pack = shelf.give(10)

    with pytest.raises(IntegrityError), transaction.atomic():
        Pack.objects.filter(entitlement=pack).update(units_remaining=-1, units_consumed=11)


def test_the_ledger_is_only_added_to(shelf: Shelf) -> None:
    shelf.give(10)
    row = LedgerEntry.objects.get()
    row.units = 11

    with pytest.raises(TypeError):
        row.save()


def test_a_subject_with_very_many_packs_knows_all_its_units(shelf: Shelf) -> None:
    for _ in range(103):
        shelf.give(2)

    assert access.summary("user_1").usage_remaining == 206
    assert consume(205).usage_remaining == 1


def test_async_code_uses_units_too(shelf: Shelf) -> None:
    shelf.give(10)

    used = async_to_sync(usage.aconsume)("user_1", 4, idempotency_key="k")

    assert (used.usage_remaining, async_to_sync(usage.aremaining)("user_1")) == (6, 6)
