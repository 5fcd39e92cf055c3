"""Whatever the database does, the answer is ours: 503, and when to come again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.test import Client

from licenzy_django.access.entitlement_rows import KeyRow
from licenzy_django.api.authentication import ApiClient
from tests.backend import Backend, error_of

REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "checkout/session", {"subject_ref": "user_1", "product_code": "PRO"}),
    ("POST", "access/check", {"subject_ref": "user_1"}),
    ("POST", "access/check", {"subject_ref": "user_1", "feature": "\u00e9\u0301"}),
    ("GET", "customer/access/user_1", None),
    ("GET", "entitlements/user_1", None),
    ("POST", "billing-portal/session", {"subject_ref": "user_1"}),
    ("POST", "subscription/preview", {"subject_ref": "user_1", "product_code": "PRO_MONTHLY", "quantity": 2}),
    ("POST", "subscription/change", {"subject_ref": "user_1", "product_code": "PRO_MONTHLY", "quantity": 2}),
    ("POST", "subscription/cancel", {"subject_ref": "user_1", "product_code": "PRO_MONTHLY"}),
    ("POST", "subscription/resume", {"subject_ref": "user_1", "product_code": "PRO_MONTHLY"}),
    ("POST", "usage/consume", {"subject_ref": "user_1", "units": 1}),
    ("POST", "usage/reserve", {"subject_ref": "user_1", "units": 1}),
    ("POST", "usage/confirm", {"reservation_id": "res_1", "units": 1}),
    ("POST", "usage/release", {"reservation_id": "res_1"}),
    ("POST", "usage/refund", {"consumption_key": "used", "reason": "it failed"}),
]
FAILURES = [
    DatabaseError,
    OperationalError("deadlock detected"),
    OperationalError("canceling statement due to statement timeout"),
    InternalError("cannot execute INSERT in a read-only transaction"),
    InterfaceError("connection already closed"),
    ProgrammingError("relation does not exist"),
    DataError("out of range"),
    IntegrityError("not null"),
]


@contextmanager
def failing_at(number: int, failure: Any) -> Iterator[None]:
    """The statement of this number fails, and every later one."""
    seen = 0

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen >= number:
            raise failure
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_database_error_is_a_503_in_our_form(
    backend: Backend, method: str, path: str, body: Any, failure: Any
) -> None:
    with failing_at(1, failure):
        answer = backend.send(method, path, body, idempotency_key="k")

    assert error_of(answer) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("number", range(2, 8))
def test_it_is_so_at_any_later_statement(backend: Backend, method: str, path: str, body: Any, number: int) -> None:
    with failing_at(number, OperationalError("gone")):
        answer = backend.send(method, path, body, idempotency_key="k")

    if answer.status_code != 200:  # it needed fewer statements
        assert error_of(answer)[0] < 500 or error_of(answer) == (503, "database_unavailable")


@pytest.mark.django_db
def test_a_key_that_cannot_be_looked_up_is_not_taken_for_a_wrong_one() -> None:
    with failing_at(1, OperationalError("gone")):
        answer = Client().get("/v1/entitlements/user_1", headers={"Authorization": "Bearer lz_test_x"})

    assert error_of(answer) == (503, "database_unavailable")


def test_no_key_shares_a_throttle_with_a_user() -> None:
    """DRF's throttles count by ``user.pk``, and users' are numbers, UUIDs or texts of the host's."""
    assert ApiClient.of(KeyRow(7, "test", None, None)).pk == "licenzy.ApiKey:7"
