"""Who is asking: users, organisations, API clients; in plain, async and DRF views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import AsyncClient, Client
from pytest_django import Settings

from licenzy_django import access
from licenzy_django.decorators import requires_entitlement
from licenzy_django.testing import entitled
from tests.fixtures import Costs

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.views.urls")]
Chosen = Callable[[str], None]


@pytest.fixture
def subject_is(settings: Settings) -> Chosen:
    def choose(name: str) -> None:
        settings.LICENZY = {**settings.LICENZY, "SUBJECT": f"tests.views.subjects_of_hosts.{name}"}

    return choose


def page(request: Any) -> str:
    return "in"


def test_what_an_organisation_bought_is_its_members_to_use(
    request_of: Callable[..., HttpRequest], ada: User, subject_is: Chosen
) -> None:
    subject_is("organisation")
    entitled("org:acme")
    entitled(ada)
    for slug, expected in (("acme", True), ("other", False), (None, False)):
        request = request_of(ada)
        request.organisation = slug  # type: ignore[attr-defined]
        assert bool(access.check(request)) is expected
    stranger = request_of()
    stranger.organisation = "acme"  # type: ignore[attr-defined]
    assert not access.check(stranger)


@pytest.mark.parametrize("gate", ["function", "async-function", "mixin", "api-function", "api-permission"])
def test_an_api_client_is_known_by_its_key(gate: str, subject_is: Chosen) -> None:
    subject_is("api_client")
    client = Client(headers={"X-Api-Key": "a-secret-key"})
    assert client.get(f"/{gate}/").status_code == 403
    entitled("client:importer", "PRO_MONTHLY")
    assert client.get(f"/{gate}/").status_code == 200
    assert Client(headers={"X-Api-Key": "wrong"}).get(f"/{gate}/").status_code == 403


def test_clients_and_users_at_one_address(subject_is: Chosen, ada: User) -> None:
    subject_is("client_or_user")
    entitled(ada, "PRO_MONTHLY")
    client = Client()
    client.force_login(ada)
    assert client.get("/function/").status_code == 200
    assert client.get("/function/", headers={"X-Api-Key": "a-secret-key"}).status_code == 403


@pytest.mark.parametrize("gate", ["function", "async-function", "async-mixin", "decorated-async-class"])
def test_a_logged_in_user_costs_three_queries_in_every_kind_of_view(gate: str, ada: User, costs: Costs) -> None:
    """The session, the user, and the gate."""
    entitled(ada, "PRO_MONTHLY")
    client = AsyncClient()
    client.force_login(ada)
    with costs(3):
        assert async_to_sync(client.get)(f"/{gate}/").status_code == 200


@pytest.mark.parametrize("name", ["asynchronous", "number"])
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_a_setting_that_gives_no_text_is_a_mistake_of_the_host(
    name: str, request_of: Callable[..., HttpRequest], subject_is: Chosen
) -> None:
    subject_is(name)
    with pytest.raises(ImproperlyConfigured, match="plain function"):
        requires_entitlement(page)(request_of())
