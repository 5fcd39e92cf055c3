"""``@requires_entitlement`` in its plain forms, on sync and async views."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from licenzy_django.decorators import requires_entitlement
from licenzy_django.exceptions import EntitlementRequired
from licenzy_django.models import Product
from licenzy_django.testing import entitled

pytestmark = pytest.mark.django_db


@requires_entitlement
def any_entitlement(request: HttpRequest, name: str = "") -> HttpResponse:
    """The members' page."""
    return HttpResponse(f"welcome {name}")


@requires_entitlement()
def with_empty_brackets(request: HttpRequest) -> HttpResponse:
    return HttpResponse("welcome")


@requires_entitlement("PRO_MONTHLY", "PRO_YEARLY")
def any_of_two(request: HttpRequest) -> HttpResponse:
    return HttpResponse("welcome")


@requires_entitlement(feature="export")
def feature(request: HttpRequest) -> HttpResponse:
    return HttpResponse("welcome")


@requires_entitlement("PRO_MONTHLY")
async def waiting(request: HttpRequest) -> HttpResponse:
    return HttpResponse("welcome")


VIEWS = [any_entitlement, with_empty_brackets, any_of_two, feature, waiting]


def visit(view: Any, user: Any) -> HttpResponse:
    request = RequestFactory().get("/")
    request.user = user
    answer: HttpResponse = (async_to_sync(view) if iscoroutinefunction(view) else view)(request)
    return answer


@pytest.fixture
def member() -> User:
    user = User.objects.create_user("member")
    entitled(user, "PRO_MONTHLY")
    Product.objects.update(features=["export"])
    return user


@pytest.mark.parametrize("view", VIEWS)
def test_who_is_entitled_gets_in(member: User, view: Any) -> None:
    assert visit(view, member).content.startswith(b"welcome")


@pytest.mark.parametrize("view", VIEWS)
def test_everybody_else_is_denied_as_django_denies(member: User, view: Any) -> None:
    for visitor in (AnonymousUser(), User.objects.create_user("stranger")):
        with pytest.raises(EntitlementRequired) as refused:
            visit(view, visitor)
        assert isinstance(refused.value, PermissionDenied)
        assert not refused.value.decision


def test_a_wrong_product_or_feature_does_not_open(db: None) -> None:
    user = User.objects.create_user("other")
    entitled(user, "BASIC")

    assert visit(any_entitlement, user).status_code == 200
    for view in (any_of_two, feature, waiting):
        with pytest.raises(EntitlementRequired):
            visit(view, user)


def test_a_view_keeps_its_name_its_words_and_its_arguments(member: User) -> None:
    assert any_entitlement.__name__ == "any_entitlement"
    assert any_entitlement.__doc__ == "The members' page."
    assert iscoroutinefunction(waiting)
    assert not iscoroutinefunction(any_entitlement)
    request = RequestFactory().get("/")
    request.user = member
    assert any_entitlement(request, name="Ada").content == b"welcome Ada"
