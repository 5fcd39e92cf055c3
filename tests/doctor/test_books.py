from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from licenzy_django import usage
from licenzy_django.db.functions import is_there
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Reservation
from licenzy_django.usage import postgres
from tests.shelf import Shelf

pytestmark = pytest.mark.usefixtures("way_of_taking_units")


def doctor() -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("licenzy_doctor", "--only", "books", stdout=said, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def a_busy_subject(shelf: Shelf) -> Entitlement:
    pack = shelf.give(100)
    shelf.give(50, to="user_2")
    usage.consume("user_1", 10, idempotency_key="k")
    usage.reserve("user_1", 20, idempotency_key="k")
    return pack


def test_clean_books_are_said_to_be_clean(a_busy_subject: Entitlement) -> None:
    status, said = doctor()

    assert (status, "Nothing is wrong." in said) == (0, True), said


def test_a_balance_that_was_written_by_hand_is_found_with_its_subject(a_busy_subject: Entitlement) -> None:
    Pack.objects.filter(entitlement=a_busy_subject).update(units_remaining=71, units_granted=101)

    status, said = doctor()

    assert status == 1
    assert "user_1" in said
    assert "remaining 71, by the ledger 70" in said
    assert "user_2" not in said


def test_a_row_that_was_taken_out_of_the_ledger_is_found(a_busy_subject: Entitlement) -> None:
    LedgerEntry.objects.filter(kind="consume").delete()

    status, said = doctor()

    assert status == 1
    assert "consumed 10, by the ledger 0" in said
    assert "does not lead from the balance before it to 70" in said


def test_a_row_that_was_changed_with_its_sums_kept_is_found(a_busy_subject: Entitlement) -> None:
    LedgerEntry.objects.filter(kind="consume").update(balance_after=91)

    status, said = doctor()

    assert (status, "(consume 10) does not lead" in said) == (1, True)


def test_a_reservation_that_was_closed_by_hand_is_found(a_busy_subject: Entitlement) -> None:
    Reservation.objects.update(status="released")

    status, said = doctor()

    assert status == 1
    assert "20 reserved until" in said
    assert "reservation res_" in said


def test_a_function_that_is_missing_is_only_a_note(shelf: Shelf) -> None:
    if connection.vendor != "postgresql":
        assert "function" not in doctor()[1]
        return
    with connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION {postgres.CONSUME.name}")
    is_there.cache_clear()

    status, said = doctor()

    assert (status, "lacks functions of ours" in said) == (0, True)
    postgres.CONSUME.make("default")
    assert "function" not in doctor()[1]


def given_back(row: LedgerEntry, *, units: int, pack: Pack) -> None:
    """As if it had been written by hand, with the sums kept."""
    LedgerEntry.objects.create(
        mode="test", subject=pack.subject, pack=pack, kind="refund", units=units, consumption=row, balance_after=0
    )


def test_refunds_are_part_of_clean_books(a_busy_subject: Entitlement) -> None:
    usage.refund("k", 7, reason="it failed", idempotency_key="r")
    usage.refund("k", reason="it failed", idempotency_key="r2")
    usage.refund("k", reason="it failed", idempotency_key="r3")

    status, said = doctor()

    assert (status, "Nothing is wrong." in said) == (0, True), said


def test_a_consumption_that_was_given_back_twice_is_found(a_busy_subject: Entitlement) -> None:
    usage.refund("k", 7, reason="it failed", idempotency_key="r")
    row = LedgerEntry.objects.get(kind="consume")
    given_back(row, units=4, pack=row.pack)

    status, said = doctor()

    assert (status, "(consume 10) was given back more than once: 11 in all." in said) == (1, True)


def test_a_refund_to_a_pack_that_gave_nothing_is_found(a_busy_subject: Entitlement) -> None:
    given_back(LedgerEntry.objects.get(kind="consume"), units=4, pack=Pack.objects.get(subject_ref="user_2"))

    status, said = doctor()

    assert (status, "(refund 4) gives back what was not taken from this pack" in said) == (1, True)
