"""``requires_entitlement`` and its kin, on every kind of view."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import transaction
from django.test import AsyncClient, Client
from pytest_django import Settings
from rest_framework.test import APIClient

from licenzy_django.models import Product
from licenzy_django.testing import entitled
from tests.views.urls import API_GATES, GATES, ApiPage, pro

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.views.urls")]
JSON = {"Accept": "application/json"}
ERROR = {"error": "entitlement_required", "message": "This needs an active subscription or purchase."}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def async_client(ada: User) -> AsyncClient:
    client = AsyncClient()
    client.force_login(ada)
    return client


@pytest.mark.parametrize("gate", [*GATES, *API_GATES])
def test_a_gate_opens_with_the_entitlement_and_only_with_it(gate: str, client: Client, ada: User) -> None:
    entitled(ada, "OTHER")
    assert client.get(f"/{gate}/").status_code == 403
    entitled(ada, "PRO_MONTHLY")
    assert client.get(f"/{gate}/").status_code == 200


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_works_under_asgi(gate: str, async_client: AsyncClient, ada: User) -> None:
    """The user of an async request is not fetched yet, and must not be fetched in the event loop."""
    get = async_to_sync(async_client.get)
    assert get(f"/{gate}/").status_code == 403
    entitled(ada, "PRO_MONTHLY")
    assert get(f"/{gate}/").content == b"in"


@pytest.mark.parametrize("gate", [*GATES, *API_GATES])
def test_an_api_client_gets_the_error_form(gate: str, client: Client) -> None:
    answer = client.get(f"/{gate}/", headers=JSON)
    assert (answer.status_code, answer.json()) == (403, ERROR)


@pytest.mark.parametrize("gate", [gate for gate in API_GATES if not gate.startswith("api-logged-in")])
def test_drf_answers_nobody_with_the_error_form_too(gate: str) -> None:
    answer = Client().get(f"/{gate}/")
    assert (answer.status_code, answer.json()) == (403, ERROR)


def test_drf_asks_for_a_login_first_where_the_host_says_so() -> None:
    for gate in ("api-logged-in", "api-logged-in-and-permitted"):
        assert Client().get(f"/{gate}/").json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("gate", API_GATES)
def test_drf_gates_know_who_was_authenticated_by_drf(gate: str, ada: User) -> None:
    entitled(ada, "PRO_MONTHLY")
    client = APIClient()
    client.force_authenticate(ada)
    assert client.get(f"/{gate}/").status_code == 200


def test_a_gate_around_a_view_of_drf_leaves_the_class_and_what_it_is_exempt_from(ada: User) -> None:
    assert Client().get("/open-api/").status_code == 200
    assert API_GATES["api-as-view"].csrf_exempt
    assert pro(transaction.non_atomic_requests(ApiPage.as_view()))._non_atomic_requests == {"default"}


def test_a_decorator_in_between_is_not_lost(client: Client, ada: User) -> None:
    assert client.get("/cached/").status_code == 403
    entitled(ada, "PRO_MONTHLY")
    answer = client.get("/cached/")
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)


@pytest.mark.parametrize("gate", ["api-staff-or-permitted", "staff-or-paid-too"])
def test_the_permission_combines_with_others(gate: str, client: Client, ada: User) -> None:
    assert client.get(f"/{gate}/").status_code == 403
    ada.is_staff = True
    ada.save()
    assert client.get(f"/{gate}/").status_code == 200
    ada.is_staff = False
    ada.save()
    entitled(ada, "PRO_MONTHLY")
    assert client.get(f"/{gate}/").status_code == 200


@pytest.mark.parametrize("gate", ["staff-or-paid-too", "any-of-three"])
def test_who_has_none_of_the_alternatives_hears_what_to_buy(gate: str, client: Client) -> None:
    answer = client.get(f"/{gate}/")
    assert (answer.status_code, answer.json()) == (403, ERROR)


def test_any_alternative_lets_in(client: Client, ada: User) -> None:
    assert client.get("/any-of-three/", headers={"Newsletter": "yes"}).status_code == 200
    assert client.get("/unentitled/").status_code == 200
    entitled(ada)
    assert client.get("/any-of-three/").status_code == 200
    assert client.get("/unentitled/").json() == {"detail": "You do not have permission to perform this action."}


def test_bare_any_of_several_products_and_a_feature(client: Client, ada: User) -> None:
    assert [client.get(path).status_code for path in ("/any/", "/either/", "/feature/")] == [403, 403, 403]
    entitled(ada, "PRO_YEARLY")
    assert [client.get(path).status_code for path in ("/any/", "/either/", "/feature/")] == [200, 200, 403]
    Product.objects.update(features=["export"])
    assert client.get("/feature/").status_code == 200


def test_nobody_is_refused_without_a_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert {Client().get(f"/{gate}/").status_code for gate in GATES | API_GATES} == {403}


def test_nobody_is_asked_to_log_in_where_the_host_says_so() -> None:
    answer = Client().get("/login-first/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/login-first/")


@pytest.mark.parametrize(
    ("gate", "target"),
    [
        ("upgrade-by-name", "/prices/?next="),
        ("upgrade-by-path", "/prices/?plan=pro&next="),
        ("upgrade-by-callable", "/for/upgrade-by-callable/?next="),
        ("upgrade-async", "/prices/?next="),
        ("upgrade-mixin", "/prices/?from=/upgrade-mixin/&next="),
    ],
)
@pytest.mark.parametrize("who", ["somebody", "nobody"])
def test_a_person_is_sent_to_the_upgrade_page(who: str, gate: str, target: str, client: Client) -> None:
    visitor = client if who == "somebody" else Client()
    answer = visitor.get(f"/{gate}/?page=2", headers=BROWSER)
    assert (answer.status_code, answer["Location"]) == (302, f"{target}/{gate}/%3Fpage%3D2")


@pytest.mark.parametrize("gate", ["upgrade-by-name", "upgrade-async", "upgrade-mixin"])
def test_an_api_client_is_not_sent_anywhere(gate: str, client: Client) -> None:
    assert client.get(f"/{gate}/", headers=JSON).json() == ERROR


@pytest.mark.parametrize(
    ("headers", "is_json"),
    [
        (BROWSER, False),
        ({}, False),
        ({"Accept": "*/*"}, False),
        (JSON, True),
        ({"Accept": "application/json, text/plain, */*"}, True),
        ({"Content-Type": "application/json"}, True),
        ({"Content-Type": "application/json", "Accept": "text/html"}, False),
        ({"Accept": "image/png"}, False),
    ],
)
def test_who_gets_json(headers: dict[str, str], is_json: bool, client: Client) -> None:
    content_type = headers.get("Content-Type", "application/x-www-form-urlencoded")
    answer = client.generic("POST", "/any/", b"{}", content_type=content_type, headers=headers)
    assert answer.status_code == 403
    assert (answer["Content-Type"] == "application/json") is is_json


def test_a_person_gets_the_hosts_own_403_page(client: Client, settings: Settings) -> None:
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [("django.template.loaders.locmem.Loader", {"403.html": "Members only: {{ exception }}"})]
            },
        }
    ]
    answer = client.get("/any/")
    assert answer.status_code == 403
    assert answer.content.decode() == "Members only: This needs an active subscription or purchase."
