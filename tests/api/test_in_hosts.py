"""Whatever the host's own settings are, the API stays what it is; where the host throttles, it says so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from rest_framework import negotiation, pagination, parsers, permissions, renderers, throttling, versioning
from rest_framework.authentication import SessionAuthentication
from rest_framework.views import APIView

from licenzy_django.api.views import LicenzyView
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of

ENDPOINTS = [
    ("POST", "checkout/session"),
    ("POST", "access/check"),
    ("GET", "customer/access/user_1"),
    ("GET", "entitlements/user_1"),
    ("GET", "members/user_1"),
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


class EveryThird(throttling.SimpleRateThrottle):
    rate = "2/min"
    scope = "tests"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"throttle-{request.user.pk}"


@pytest.fixture
def hostile_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """As REST_FRAMEWORK would set them: DRF reads its settings when its classes are made."""
    defaults: dict[str, Any] = {
        "authentication_classes": [SessionAuthentication],
        "permission_classes": [permissions.IsAdminUser],
        "renderer_classes": [renderers.BrowsableAPIRenderer, renderers.StaticHTMLRenderer],
        "parser_classes": [parsers.MultiPartParser],
        "content_negotiation_class": negotiation.DefaultContentNegotiation,
        "versioning_class": versioning.NamespaceVersioning,
        "pagination_class": pagination.PageNumberPagination,
    }
    for name, value in defaults.items():
        monkeypatch.setattr(APIView, name, value, raising=False)
    monkeypatch.setattr(APIView, "get_exception_handler", lambda view: lambda exc, context: None)


@pytest.mark.usefixtures("hostile_defaults")
def test_the_hosts_rest_framework_defaults_change_nothing(stripe_double: StripeDouble, backend: Backend) -> None:
    stripe_double.sell("PRO_MONTHLY")

    answer = backend.checkout("user_1", "PRO_MONTHLY")

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert not backend.is_allowed("user_1")
    assert backend.access("user_1")["status"] == "none"
    assert error_of(backend.post("access/check", b"[]")) == (400, "invalid_request")
    assert error_of(Client().get("/v1/entitlements/u")) == (401, "missing_bearer_token")
    assert error_of(backend.send("PUT", "access/check")) == (405, "method_not_allowed")


def test_included_in_another_namespace_it_points_at_its_own_billing_portal(
    stripe_double: StripeDouble, backend: Backend, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.nested_urls"
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.buy("user_1", "PRO_MONTHLY")

    answer = backend.checkout("user_1", "PRO_MONTHLY")

    assert error_of(answer) == (409, "already_subscribed")
    assert answer.json()["billing_portal"] == "/v1/billing-portal/session"


def test_closed_classes_are_our_own_and_not_inherited() -> None:
    for name in (
        "authentication_classes",
        "permission_classes",
        "renderer_classes",
        "parser_classes",
        "versioning_class",
        "content_negotiation_class",
    ):
        assert name in vars(LicenzyView), name


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_host_that_throttles_answers_429_with_retry_after(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    cache.clear()
    monkeypatch.setattr(APIView, "throttle_classes", [EveryThird])

    statuses = [backend.send(method, path, {"subject_ref": "u"}).status_code for _ in range(2)]
    answer = backend.send(method, path, {"subject_ref": "u"})

    assert 429 not in statuses
    assert error_of(answer) == (429, "throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("other", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused_in_the_error_form(backend: Backend, method: str, path: str, other: str) -> None:
    if other == method:
        return
    answer = backend.send(other, path, {"subject_ref": "u"})

    assert error_of(answer) == (405, "method_not_allowed")
    assert method in answer.headers["Allow"]
    assert other not in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("append_slash", [True, False])
def test_a_trailing_slash_works_too_and_nothing_redirects(
    stripe_double: StripeDouble, backend: Backend, settings: Any, method: str, path: str, append_slash: bool
) -> None:
    settings.APPEND_SLASH = append_slash
    stripe_double.sell("PRO_MONTHLY")
    backend.checkout("user_1", "PRO_MONTHLY", key="first")
    body = {"subject_ref": "user_1", **({"product_code": "PRO_MONTHLY"} if path == "checkout/session" else {})}

    plain = backend.send(method, path, body, idempotency_key="k")
    slashed = backend.send(method, f"{path}/", body, idempotency_key="k")

    assert plain.status_code == slashed.status_code
    assert plain.status_code in (200, 201, 400), plain.content
    assert list(plain.json()) == list(slashed.json())


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0", "nonsense", "", "*/*;q=0.1"])
def test_json_is_answered_whatever_is_asked_for(backend: Backend, accept: str) -> None:
    answer = backend.get("entitlements/user_1?format=xml", accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "nonsense", "application/json; charset=no-such", "a/b;c"],
)
def test_json_is_read_whatever_it_is_called(backend: Backend, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {backend.key}"}
    answer = Client().generic("POST", "/v1/access/check", b'{"subject_ref": "u"}', content_type, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"subject_ref": "u", "allowed": False})


def test_a_body_that_something_else_has_read_is_an_invalid_request(backend: Backend, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.api.test_in_hosts.greedy"]
    headers = {"Authorization": f"Bearer {backend.key}"}
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'

    answer = Client().generic("POST", "/v1/access/check", body, "multipart/form-data; boundary=x", headers=headers)

    assert error_of(answer) == (400, "invalid_request")


def greedy(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.POST.get("a")
        return get_response(request)

    return middleware


def test_a_host_where_everything_needs_a_login_and_csrf_lets_servers_in(backend: Backend, settings: Any) -> None:
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    backend.client = Client(enforce_csrf_checks=True)

    assert not backend.is_allowed("user_1")
    assert backend.access("user_1")["status"] == "none"


@pytest.mark.django_db(transaction=True)
def test_a_chunked_body_under_asgi_is_read() -> None:
    """Without Content-Length, as Node's fetch streams it."""
    key = Backend().key
    parts = [{"body": b'{"subject_', "more_body": True}, {"body": b'ref": "user_1"}', "more_body": False}]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/access/check",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"host", b"testserver")],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.sleep(60)
        return {"type": "http.request", **parts.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ASGIHandler()(scope, receive, send))

    assert sent[0]["status"] == 200
    assert json.loads(b"".join(message.get("body", b"") for message in sent)) == {
        "subject_ref": "user_1",
        "allowed": False,
    }
