"""Caches around us, really started: nobody gets an answer that was made for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from licenzy_django import operators
from licenzy_django.models import Entitlement
from licenzy_django.testing import StripeDouble, entitled
from tests.backend import Backend
from tests.views.urls import API_GATES, GATES

pytestmark = pytest.mark.django_db
EVERY_GATE = sorted(GATES | API_GATES)
# They log somebody in first, which a key in a header is not.
BY_KEY = [name for name in EVERY_GATE if "logged-in" not in name]


@pytest.fixture(autouse=True)
def a_cache(settings: Settings) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "around"}}
    settings.LICENZY = {
        **settings.LICENZY,
        "SUBJECT": "tests.views.subjects_of_hosts.api_client",
        "CLOCK": "django.utils.timezone.now",
    }
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.fixture
def per_site_cache(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]


@pytest.fixture
def page_cache(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.views.cached_urls"


def visited(path: str, key: str = "", user: User | None = None) -> int:
    client = Client(headers={"X-Api-Key": key} if key else {})
    if user is not None:
        client.force_login(user)
    return client.get(path).status_code


def is_private(answer: Any) -> bool:
    return "private" in answer["Cache-Control"]


@pytest.mark.parametrize("around", ["per_site_cache", "page_cache"])
@pytest.mark.parametrize("gate", BY_KEY)
def test_a_stranger_does_not_get_the_page_of_who_paid(gate: str, around: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(around)
    entitled("client:importer", "PRO_MONTHLY")

    assert visited(f"/{gate}/", key="a-secret-key") == 200
    assert visited(f"/{gate}/") == 403


@pytest.mark.usefixtures("page_cache")
@pytest.mark.parametrize("gate", EVERY_GATE)
def test_a_stranger_does_not_get_the_page_of_a_user_who_paid(gate: str, settings: Settings) -> None:
    settings.LICENZY = {**settings.LICENZY, "SUBJECT": "licenzy_django.subjects.user_subject"}
    ada, eve = User.objects.create_user("ada"), User.objects.create_user("eve")
    entitled(ada, "PRO_MONTHLY")

    assert visited(f"/{gate}/", user=ada) == 200
    assert visited(f"/{gate}/", user=eve) == 403


@pytest.mark.usefixtures("page_cache")
def test_a_page_whose_template_asks_is_not_kept_either() -> None:
    entitled("client:importer", "PRO_MONTHLY")
    pages = [Client(headers=headers).get("/template/").content for headers in ({"X-Api-Key": "a-secret-key"}, {})]
    assert pages == [b"True 0", b"False 0"]


@pytest.mark.usefixtures("page_cache")
def test_who_was_let_in_without_an_entitlement_leaves_nothing_in_the_cache() -> None:
    staff = User.objects.create_user("staff", is_staff=True)

    assert visited("/either-of-two/", user=staff) == 200
    assert visited("/either-of-two/") == 403


@pytest.mark.usefixtures("page_cache")
def test_who_pays_after_being_sent_away_gets_in() -> None:
    client = Client(headers={"X-Api-Key": "a-secret-key"})
    sent_away = client.get("/upgrade/")
    assert (sent_away.status_code, sent_away["Cache-Control"]) == (302, "private, no-store")
    entitled("client:importer", "PRO_MONTHLY")

    assert client.get("/upgrade/").status_code == 200


@pytest.mark.usefixtures("page_cache")
def test_the_cache_of_this_test_does_cache() -> None:
    visited("/page/")
    assert len(caches["default"]._cache) > 0  # type: ignore[attr-defined]


@pytest.mark.usefixtures("per_site_cache")
def test_the_answer_to_one_key_does_not_go_to_another_or_to_nobody(stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.buy("user_1", "PRO_MONTHLY")
    path = "/v1/customer/access/user_1"

    assert Backend().send("GET", "customer/access/user_1").json()["has_access"]
    assert not Backend("live").send("GET", "customer/access/user_1").json()["has_access"]
    assert Client().get(path).status_code == 401

    operators.revoke(Entitlement.objects.get(), actor=None, reason="a test")
    assert not Backend().send("GET", "customer/access/user_1").json()["has_access"]


@pytest.mark.urls("tests.views.urls")
def test_every_answer_of_the_api_says_that_it_is_for_its_key_alone(stripe_double: StripeDouble) -> None:
    backend = Backend()
    answers = {
        "the fast path": backend.post("access/check", {"subject_ref": "user_1"}),
        "a whole check": backend.post("access/check", {"subject_ref": "user_1", "feature": "export", "x": 1}),
        "a list": backend.send("GET", "entitlements/user_1"),
        "no key": Client().get("/v1/entitlements/user_1"),
        "a bad body": backend.post("usage/consume", b"[]"),
        "a wrong method": backend.send("PUT", "access/check"),
        "the webhook": Client().post("/v1/webhooks/stripe", b"{}", content_type="application/json"),
        "the schema": Client().get("/v1/schema"),
    }
    for name, answer in answers.items():
        assert answer["Cache-Control"] == "private, no-store", name
        assert "Authorization" in answer["Vary"], name


@pytest.mark.urls("tests.views.urls")
@pytest.mark.parametrize("path", ["/return/", "/return/state/", "/buy/", "/billing/"])
def test_the_pages_of_a_shop_are_private_for_everybody(path: str, settings: Settings) -> None:
    settings.LICENZY = {**settings.LICENZY, "SUBJECT": "licenzy_django.subjects.user_subject"}
    ada = User.objects.create_user("ada")
    member = Client()
    member.force_login(ada)
    for client in (Client(), member):
        answer = client.post(path)
        assert is_private(answer), answer
        assert "no-store" in answer["Cache-Control"]
