"""Every error code of the contract, and the door: who may ask at all."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client, RequestFactory

from licenzy_django import exceptions
from licenzy_django.api import errors
from licenzy_django.models import ApiKey, CheckoutAttempt, Product
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of

pytestmark = pytest.mark.sells("PRO_MONTHLY")

ENDPOINTS = [
    ("POST", "checkout/session"),
    ("POST", "access/check"),
    ("GET", "customer/access/user_1"),
    ("GET", "entitlements/user_1"),
    ("POST", "billing-portal/session"),
    ("POST", "subscription/preview"),
    ("POST", "subscription/change"),
    ("POST", "subscription/cancel"),
    ("POST", "subscription/resume"),
    ("POST", "usage/consume"),
    ("POST", "usage/reserve"),
    ("POST", "usage/confirm"),
    ("POST", "usage/release"),
    ("POST", "usage/refund"),
]
every_endpoint = pytest.mark.parametrize(("method", "path"), ENDPOINTS)


# --- who may ask ------------------------------------------------------------------------------------------------------


@every_endpoint
@pytest.mark.parametrize("header", [None, "", "Basic abc", "lz_test_abc", "Bearer", "Bearer  ", "Token lz_test_a"])
def test_without_a_bearer_token_nobody_is_answered(db: None, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = Client().generic(method, f"/v1/{path}", b"{not json", headers=headers)

    assert error_of(answer) == (401, "missing_bearer_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@every_endpoint
@pytest.mark.parametrize("key", ["lz_test_wrong", "sk_test_123", "é", "a b", "x" * 5000, "lz_test_\x00"])
def test_an_unknown_key_is_refused_before_the_body_is_looked_at(db: None, method: str, path: str, key: str) -> None:
    answer = Backend(key=key).send(method, path, b"{not json")

    assert error_of(answer) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@every_endpoint
def test_a_revoked_key_is_refused_at_once(backend: Backend, method: str, path: str) -> None:
    ApiKey.objects.get().revoke()

    assert error_of(backend.send(method, path, {"subject_ref": "user_1"})) == (401, "invalid_api_key")


def test_the_scheme_is_written_as_one_likes(backend: Backend) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        answer = Client().get("/v1/entitlements/u", headers={"Authorization": f"{scheme} {backend.key}"})
        assert answer.status_code == 200


def test_a_logged_in_user_of_the_host_is_nobody_here(admin_client: Client) -> None:
    assert error_of(admin_client.get("/v1/entitlements/user_1")) == (401, "missing_bearer_token")


def test_a_key_is_kept_as_a_digest_and_told_nowhere(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    backend.post("access/check", {"subject_ref": "user_1"})
    backend.post("access/check", b"{not json")

    row = ApiKey.objects.get()
    secret = backend.key.removeprefix(row.prefix)
    assert secret not in str(list(ApiKey.objects.values()))
    assert secret not in repr(row) + str(row)
    assert secret not in caplog.text
    assert backend.key.startswith(row.prefix)
    assert backend.key.endswith(row.last_four)


def test_the_last_use_of_a_key_is_noted_within_the_hour(stripe_double: StripeDouble, backend: Backend) -> None:
    assert ApiKey.objects.get().last_used_at is None
    backend.is_allowed("user_1")
    first = ApiKey.objects.get().last_used_at
    stripe_double.advance(minutes=59)
    backend.is_allowed("user_1")
    assert ApiKey.objects.get().last_used_at == first
    stripe_double.advance(minutes=2)
    backend.get("entitlements/user_1")
    assert ApiKey.objects.get().last_used_at == stripe_double.now


# --- the codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ('""', "idempotency_key_invalid"),
        ("k" * 256, "idempotency_key_invalid"),
        ('"' + "k" * 256 + '"', "idempotency_key_invalid"),
        ("schlüssel", "idempotency_key_invalid"),
        ("tab\tinside", "idempotency_key_invalid"),
        ("nul\x00", "idempotency_key_invalid"),
    ],
)
def test_a_checkout_needs_a_printable_idempotency_key(backend: Backend, key: str | None, code: str) -> None:
    headers = {} if key is None else {"idempotency_key": key}
    answer = backend.post("checkout/session", {"subject_ref": "u", "product_code": "P"}, **headers)

    assert error_of(answer) == (400, code)
    assert not CheckoutAttempt.objects.exists()


@pytest.mark.parametrize("key", ["k" * 255, '"' + "k" * 255 + '"', "~ !", "a,b;c"])
def test_the_longest_and_the_oddest_printable_key_is_taken(stripe: StripeDouble, backend: Backend, key: str) -> None:
    assert backend.checkout("user_1", "PRO_MONTHLY", key=key).status_code == 201


@pytest.mark.parametrize("code", ["NO_SUCH", "pro_monthly", "x" * 64])
def test_an_unknown_product_is_product_not_found(stripe: StripeDouble, backend: Backend, code: str) -> None:
    assert error_of(backend.checkout("user_1", code)) == (404, "product_not_found")


def test_an_inactive_product_is_product_not_found(stripe: StripeDouble, backend: Backend) -> None:
    Product.objects.update(is_active=False)

    assert error_of(backend.checkout("user_1", "PRO_MONTHLY")) == (404, "product_not_found")


def test_a_mode_without_credentials_is_mode_not_configured(
    stripe: StripeDouble, backend: Backend, settings: Any
) -> None:
    backend.checkout("user_1", "PRO_MONTHLY")
    settings.LICENZY = {**settings.LICENZY, "TEST_SECRET_KEY": ""}

    for answer in (
        backend.checkout("user_2", "PRO_MONTHLY", key="order-2"),
        backend.post("billing-portal/session", {"subject_ref": "user_1"}),
    ):
        assert error_of(answer) == (503, "mode_not_configured")
    assert CheckoutAttempt.objects.count() == 1


def test_the_same_key_for_another_request_is_idempotency_key_reused(stripe: StripeDouble, backend: Backend) -> None:
    backend.checkout("user_1", "PRO_MONTHLY")

    assert error_of(backend.checkout("user_2", "PRO_MONTHLY")) == (422, "idempotency_key_reused")


def test_a_key_whose_first_request_is_running_is_in_use(stripe: StripeDouble, backend: Backend) -> None:
    inner: list[Any] = []
    again = lambda: inner.append(backend.checkout("user_1", "PRO_MONTHLY"))  # noqa: E731
    stripe.faults.add("POST", "/v1/checkout/sessions", "call_before", call=again)

    assert backend.checkout("user_1", "PRO_MONTHLY").status_code == 201
    assert error_of(inner[0]) == (409, "idempotency_key_in_use")
    assert inner[0].headers["Retry-After"] == "1"


def test_a_page_no_longer_open_is_checkout_session_expired(stripe: StripeDouble, backend: Backend) -> None:
    backend.checkout("user_1", "PRO_MONTHLY")
    stripe.advance(hours=25)

    assert error_of(backend.checkout("user_1", "PRO_MONTHLY")) == (409, "checkout_session_expired")


def every_error() -> list[type[exceptions.LicenzyError]]:
    kinds = [kind for kind in vars(exceptions).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, exceptions.LicenzyError) and kind is not exceptions.LicenzyError]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_every_error_says_itself_how_it_is_answered(error: type[exceptions.LicenzyError]) -> None:
    assert {"code", "status", "message"} <= vars(error).keys()
    assert 400 <= error.status < 600


def test_an_error_that_a_host_derives_from_ours_is_answered_as_ours(rf: RequestFactory) -> None:
    class NotInMyShop(exceptions.ProductNotFound):
        code = "not_in_my_shop"

    answer = errors.error_response(NotInMyShop(), rf.get("/"))

    assert answer is not None
    assert (answer.status_code, answer.data["error"]) == (404, "not_in_my_shop")


def test_what_is_no_error_of_a_client_is_not_dressed_up_as_one(backend: Backend, monkeypatch: Any) -> None:
    from licenzy_django import access

    def fails(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(access, "summary", fails)
    backend.client.raise_request_exception = False

    assert backend.get("customer/access/user_1").status_code == 500
