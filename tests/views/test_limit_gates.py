"""Views that run only where a limit allows one more."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from licenzy_django.decorators import requires_entitlement
from licenzy_django.exceptions import EntitlementRequired, LimitReached
from licenzy_django.permissions import HasEntitlement
from licenzy_django.testing import StripeDouble, entitled

pytestmark = [pytest.mark.django_db, pytest.mark.sells(PRO={"limits": {"projects": 2}, "features": ["export"]})]
IN_USE = {"projects": 0}


def count_projects(request: Any) -> int:
    return IN_USE["projects"]


@pytest.fixture
def someone(stripe: StripeDouble, admin_user: User) -> User:
    entitled(admin_user, "PRO")
    return admin_user


def asked(user: Any) -> Any:
    request = RequestFactory().get("/", headers={"Accept": "text/html"})
    request.user = user
    return request


def test_a_view_of_django(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    @requires_entitlement(feature="export", limit="projects", in_use=count_projects)
    def view(request: Any) -> HttpResponse:
        return HttpResponse("made")

    monkeypatch.setitem(IN_USE, "projects", 1)
    assert view(asked(someone)).content == b"made"
    monkeypatch.setitem(IN_USE, "projects", 2)
    with pytest.raises(LimitReached) as refused:
        view(asked(someone))
    assert (refused.value.limit, refused.value.in_use) == (2, 2)
    with pytest.raises(EntitlementRequired):
        view(asked(User(pk=99)))


def test_a_limit_alone_asks_for_no_entitlement(someone: User) -> None:
    @requires_entitlement(limit="others", in_use=lambda request: 0)
    def view(request: Any) -> HttpResponse:
        return HttpResponse("made")

    with pytest.raises(LimitReached):
        view(asked(someone))


@pytest.mark.parametrize("by", ["decorator", "permission"])
def test_a_view_of_drf(someone: User, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    class View(APIView):
        permission_classes = [HasEntitlement.of(limit="projects", in_use=count_projects)] if by == "permission" else []

        def get(self, request: Any) -> Response:
            return Response("made")

    kind = View if by == "permission" else requires_entitlement(limit="projects", in_use=count_projects)(View)

    def answer() -> Any:
        request = APIRequestFactory().get("/")
        force_authenticate(request, someone)
        return kind.as_view()(request)

    assert answer().data == "made"
    monkeypatch.setitem(IN_USE, "projects", 2)
    refused = answer()
    assert refused.status_code == 403
    assert refused.data == {"error": "limit_reached", "message": "The limit is reached.", "limit": 2, "in_use": 2}


def test_a_limit_and_its_count_go_together() -> None:
    with pytest.raises(TypeError):
        requires_entitlement(limit="projects")
    with pytest.raises(TypeError):
        HasEntitlement.of(in_use=count_projects)
