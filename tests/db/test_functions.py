"""Functions in PostgreSQL: there or not, the same answers."""

from __future__ import annotations

import pytest
from django.db import connection

from licenzy_django import access
from licenzy_django.access import entitlement_rows
from licenzy_django.db.functions import REGISTERED, DatabaseFunction
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="functions are PostgreSQL's")


@on_postgresql
def test_migrate_makes_them_all() -> None:
    assert all(function.is_there("default") for function in REGISTERED)


@on_postgresql
def test_a_function_that_may_not_be_made_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    refused = DatabaseFunction("refused", "CREATE FUNCTION {name}() RETURNS int LANGUAGE not_allowed AS ''")

    refused.make("default")

    assert not refused.is_there("default")
    assert refused.name in caplog.text


@on_postgresql
def test_another_text_is_another_function() -> None:
    one, other = (DatabaseFunction("same", f"CREATE FUNCTION {{name}}() {body}") for body in ("…", "……"))

    assert one.name != other.name


def test_without_them_the_answers_are_the_same(stripe_double: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    stripe_double.sell("PRO_MONTHLY", features=["export"])
    stripe_double.sell("CREDITS", kind="usage_pack", units=10)
    stripe_double.buy("user_1", "PRO_MONTHLY")
    stripe_double.buy("user_1", "CREDITS")
    stored = by_id(entitlement_rows.rows_of("user_1", "test", at=stripe_double.now))
    for function in REGISTERED:
        monkeypatch.setattr(function, "is_there", lambda using: False)

    assert by_id(entitlement_rows.rows_of("user_1", "test", at=stripe_double.now)) == stored
    stripe_double.refund(stripe_double.simulator.all("payment_intent")[0])
    assert not access.check("user_1", feature="export")
    assert access.check("user_1", "CREDITS")


def by_id(rows: list[entitlement_rows.EntitlementRow]) -> list[entitlement_rows.EntitlementRow]:
    return sorted(rows, key=lambda row: row.public_id)


def test_a_time_zone_of_the_connection_changes_no_moment(stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK_PASS", kind="time_pass", duration_days=7)
    stripe_double.buy("user_1", "WEEK_PASS")
    [before] = entitlement_rows.rows_of("user_1", "test", at=stripe_double.now)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'America/Chicago'")

    [after] = entitlement_rows.rows_of("user_1", "test", at=stripe_double.now)

    assert after == before
