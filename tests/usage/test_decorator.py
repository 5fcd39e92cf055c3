from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from licenzy_django import usage
from licenzy_django.decorators import consumes_units
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage
from tests.usage.conftest import Shelf


@consumes_units(5)
def generate(request: HttpRequest, status: int = 200) -> HttpResponse:
    if status == 0:
        raise ZeroDivisionError
    return HttpResponse("done", status=status)


@consumes_units(5)
async def generate_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def request_of(user: Any) -> HttpRequest:
    request = RequestFactory().get("/")
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


def test_nobody_is_never_entitled(shelf: Shelf) -> None:
    with pytest.raises(EntitlementRequired):
        generate(request_of(AnonymousUser()))
