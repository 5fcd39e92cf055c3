from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import force_authenticate

from licenzy_django import usage
from licenzy_django.decorators import consumes_units
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage
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
