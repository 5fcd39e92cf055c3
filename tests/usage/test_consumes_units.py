from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import force_authenticate
from rest_framework.views import APIView

from licenzy_django import usage
from licenzy_django.decorators import consumes_units
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage, UnitRequired
from licenzy_django.usage.payment import Payment
from tests.shelf import Shelf


@consumes_units(5)
def generate(request: HttpRequest, status: int = 200) -> HttpResponse:
    if status == 0:
        raise ZeroDivisionError
    return HttpResponse("done", status=status)


@consumes_units(5)
async def generate_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@consumes_units(5)
@api_view(["GET"])
def generate_api(request: Request) -> Response:
    return Response("done")


@consumes_units(5, unit="sms")
def send(request: HttpRequest) -> HttpResponse:
    return HttpResponse("sent")


@consumes_units(5, unit="sms")
@api_view(["GET"])
def send_by_api(request: Request) -> Response:
    return Response("sent")


def request_of(user: Any, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/", headers=headers)
    request.user = user
    return request


@pytest.fixture
def request_of_user_1(shelf: Shelf) -> HttpRequest:
    shelf.give(12)
    return request_of(User(pk=1, username="ada"))


def test_a_view_that_succeeds_costs_its_units(request_of_user_1: HttpRequest) -> None:
    assert generate(request_of_user_1).content == b"done"
    assert async_to_sync(generate_async)(request_of_user_1).content == b"done"

    assert usage.remaining("user_1") == 2


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_view_that_answers_with_an_error_costs_nothing(request_of_user_1: HttpRequest, status: int) -> None:
    generate(request_of_user_1, status)

    assert usage.remaining("user_1") == 12


def test_a_view_that_raises_costs_nothing(request_of_user_1: HttpRequest) -> None:
    with pytest.raises(ZeroDivisionError):
        generate(request_of_user_1, 0)

    assert usage.remaining("user_1") == 12


def test_too_few_units_is_a_permission_denied(request_of_user_1: HttpRequest) -> None:
    usage.consume("user_1", 8, idempotency_key="k")

    with pytest.raises(InsufficientUsage) as refusal:
        generate(request_of_user_1)

    assert isinstance(refusal.value, PermissionDenied)
    assert refusal.value.usage_remaining == 4


@pytest.mark.parametrize("view", [generate, async_to_sync(generate_async), generate_api])
def test_an_api_client_is_refused_in_the_error_form(view: Any, shelf: Shelf) -> None:
    shelf.give(4)

    few = view(request_of(User(pk=1, username="ada"), accept="application/json"))
    nobody = view(request_of(AnonymousUser(), accept="application/json"))

    assert (few.status_code, nobody.status_code) == (403, 403)
    assert json.loads(few.content) == {
        "error": "insufficient_usage",
        "message": "There are not enough units left.",
        "usage_remaining": 4,
    }
    assert json.loads(nobody.content)["error"] == "entitlement_required"
    assert usage.remaining("user_1") == 4


def test_of_a_view_of_drf_the_one_pays_whom_drf_has_authenticated(shelf: Shelf) -> None:
    shelf.give(12)
    request = RequestFactory().get("/")
    force_authenticate(request, User(pk=1, username="ada"))

    assert generate_api(request).data == "done"

    assert usage.remaining("user_1") == 7


def test_nobody_is_never_entitled(shelf: Shelf) -> None:
    with pytest.raises(EntitlementRequired):
        generate(request_of(AnonymousUser()))


# --- every shape of a view ---


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("done", status=int(request.GET.get("status", "200")))


class AsyncPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("done", status=int(request.GET.get("status", "200")))


class ApiPage(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        return Response("done", status=int(request.query_params.get("status", "200")))


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done", status=int(request.GET.get("status", "200")))


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done", status=int(request.GET.get("status", "200")))


def subclass(kind: Any) -> Any:
    return type(kind.__name__, (kind,), {})


five = consumes_units(5)
SHAPES: dict[str, Any] = {
    "function": five(page),
    "async function": five(async_page),
    "class": five(subclass(Page)).as_view(),
    "async class": five(subclass(AsyncPage)).as_view(),
    "dispatch": method_decorator(five, name="dispatch")(subclass(Page)).as_view(),
    "async dispatch": method_decorator(five, name="dispatch")(subclass(AsyncPage)).as_view(),
    "method": method_decorator(five, name="get")(subclass(Page)).as_view(),
    "as view": five(Page.as_view()),
    "async as view": five(AsyncPage.as_view()),
    "DRF's class": five(subclass(ApiPage)).as_view(),
    "DRF's as view": five(ApiPage.as_view()),
    "DRF's function": five(api_view(["GET"])(page)),
    "never cached": never_cache(five(page)),
}


def visit(view: Any, status: int = 200) -> Any:
    request = RequestFactory().get("/", {"status": status})
    request.user = User(pk=1, username="ada")
    force_authenticate(request, request.user)
    return (async_to_sync(view) if iscoroutinefunction(view) else view)(request)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_view_costs_its_units_once(shape: str, shelf: Shelf) -> None:
    shelf.give(12)
    assert visit(SHAPES[shape]).status_code == 200
    assert usage.remaining("user_1") == 7
    visit(SHAPES[shape], status=404)
    assert usage.remaining("user_1") == 7
    assert "private" in visit(SHAPES[shape])["Cache-Control"]


def test_an_answer_without_a_status_is_a_success_and_none_is_a_mistake(shelf: Shelf) -> None:
    shelf.give(12)
    assert visit(five(lambda request: {"note": "done"})) == {"note": "done"}
    assert usage.remaining("user_1") == 7
    visit(five(lambda request: None))
    assert usage.remaining("user_1") == 7


@pytest.mark.parametrize(("left", "expected"), [(10, 5), (5, 0)])
def test_a_view_that_works_longer_than_the_reservation_is_answered_and_paid(
    shelf: Shelf, left: int, expected: int
) -> None:
    shelf.give(left)

    @consumes_units(5)
    def slow(request: HttpRequest) -> HttpResponse:
        shelf.double.advance(seconds=901)
        return HttpResponse("done")

    assert visit(slow).content == b"done"
    assert usage.remaining("user_1") == expected


def test_a_view_that_works_too_long_while_others_take_the_units_is_answered_and_logged(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.give(5)

    @consumes_units(5)
    def slow(request: HttpRequest) -> HttpResponse:
        shelf.double.advance(seconds=901)
        usage.consume("user_1", 5, idempotency_key="another")
        return HttpResponse("done")

    assert visit(slow).content == b"done"
    assert "unpaid" in caplog.text


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "async" not in shape and shape != "method"])
def test_django_opens_no_transaction_around_the_units(shape: str) -> None:
    """With ATOMIC_REQUESTS; it asks the view for this mark."""
    assert "default" in SHAPES[shape]._non_atomic_requests


def test_a_view_takes_the_unit_that_it_names(shelf: Shelf, request_of_user_1: HttpRequest) -> None:
    shelf.give(12, code="SMS_20", unit="sms")

    assert send(request_of_user_1).content == b"sent"
    api_request = RequestFactory().get("/")
    force_authenticate(api_request, request_of_user_1.user)
    assert send_by_api(api_request).data == "sent"
    with pytest.raises(InsufficientUsage):
        send(request_of_user_1)

    assert usage.remaining("user_1", unit="sms") == 2
    assert usage.remaining("user_1", unit="credits") == 12


def test_inside_the_requests_transaction_the_unit_is_counted_too(shelf: Shelf, request_of_user_1: HttpRequest) -> None:
    shelf.give(5, code="SMS_20", unit="sms")
    connection = transaction.get_connection()
    settings_dict = connection.settings_dict
    given = settings_dict["ATOMIC_REQUESTS"]
    settings_dict["ATOMIC_REQUESTS"] = True
    try:
        payment = Payment("user_1", 6, "sms", "")
        with pytest.raises(InsufficientUsage):
            payment.begin()
        payment = Payment("user_1", 5, "sms", "")
        payment.begin()
        payment.finish(is_used=True)
    finally:
        settings_dict["ATOMIC_REQUESTS"] = given

    assert usage.remaining("user_1", unit="sms") == 0
    assert usage.remaining("user_1", unit="credits") == 12


def test_a_view_that_names_no_unit_where_several_are_sold_is_a_mistake(
    shelf: Shelf, request_of_user_1: HttpRequest
) -> None:
    shelf.product("SMS_20", "sms")

    with pytest.raises(UnitRequired):
        generate(request_of_user_1)
