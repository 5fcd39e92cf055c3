"""Endpoints: the secret is shown by the page that made it, and never again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from licenzy_django.models import OutboundEndpoint
from licenzy_django.outbound import endpoints
from tests.admin.conftest import Operator

URL = "https://hooks.example.com/in"


def url_of(verb: str, endpoint: OutboundEndpoint) -> str:
    return reverse(f"admin:licenzy_outboundendpoint_{verb}", args=[endpoint.pk])


@pytest.fixture
def endpoint(db: None) -> OutboundEndpoint:
    return endpoints.create("test", URL)[0]


def created(client: Client, **typed: Any) -> Any:
    given = {"mode": "test", "url": URL, "description": "Shop", "events": ["entitlement.updated"]}
    given |= {"request_id": "form-1"} | typed
    return client.post(reverse("admin:licenzy_outboundendpoint_add"), given)


def test_a_new_endpoint_shows_its_secret_once(configurer: Client) -> None:
    secret = created(configurer).context["secret"]
    endpoint = OutboundEndpoint.objects.get()
    assert (endpoint.secret, endpoint.events) == (secret, ["entitlement.updated"])
    for page in (
        reverse("admin:licenzy_outboundendpoint_changelist"),
        url_of("change", endpoint),
        url_of("history", endpoint),
    ):
        assert secret not in configurer.get(page).content.decode()
    assert secret not in str(LogEntry.objects.values())


def test_a_double_click_makes_one_endpoint(configurer: Client) -> None:
    created(configurer)
    assert "url" in created(configurer).context["form"].errors
    assert OutboundEndpoint.objects.count() == 1


def test_a_form_makes_one_endpoint_whatever_it_is_sent_with(configurer: Client) -> None:
    """Two clicks at once both find no endpoint with this URL: the index of the form's token lets one through."""
    created(configurer)
    again = created(configurer, url="https://hooks.example.com/other")
    assert again.status_code == 302
    assert OutboundEndpoint.objects.get().url == URL


def test_each_form_has_a_token_of_its_own(configurer: Client) -> None:
    add = reverse("admin:licenzy_outboundendpoint_add")
    first, second = (configurer.get(add).context["form"].initial["request_id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://169.254.169.254/", "ftp://example.com", "nonsense", ""])
def test_an_address_of_the_inside_is_refused_at_its_field(url: str, configurer: Client) -> None:
    assert "url" in created(configurer, url=url).context["form"].errors
    assert not OutboundEndpoint.objects.exists()


def test_description_and_events_are_edited_and_nothing_else(configurer: Client, endpoint: OutboundEndpoint) -> None:
    given = {"description": "New", "events": ["usage.consumed"], "url": "https://other.example.com", "mode": "live"}
    assert configurer.post(url_of("change", endpoint), given).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.events, endpoint.url, endpoint.mode) == (
        "New",
        ["usage.consumed"],
        URL,
        "test",
    )


def test_rotating_twice_by_a_double_click_rotates_once(configurer: Client, endpoint: OutboundEndpoint) -> None:
    before, url = endpoint.secret, url_of("rotate", endpoint)
    changed_at = configurer.get(url).context["form"]["changed_at"].value()
    given = {"reason": "leaked", "changed_at": changed_at}
    secret = configurer.post(url, given).context["secret"]
    assert configurer.post(url, given).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.previous_secret) == (secret, before)
    assert secret not in configurer.get(url_of("change", endpoint)).content.decode()
    assert "leaked" in LogEntry.objects.get().change_message


def test_switching_off_and_on_wants_a_reason_and_happens_once(configurer: Client, endpoint: OutboundEndpoint) -> None:
    assert "reason" in configurer.post(url_of("off", endpoint), {"reason": ""}).context["form"].errors
    for _click in range(2):
        configurer.post(url_of("off", endpoint), {"reason": "moving house"})
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason, LogEntry.objects.count()) == (False, "moving house", 1)
    configurer.post(url_of("on", endpoint), {"reason": "moved"})
    endpoint.refresh_from_db()
    assert endpoint.is_active


@pytest.mark.parametrize("codename", ["look", "support"])
def test_those_who_do_not_configure_are_refused(codename: str, operator: Operator, endpoint: OutboundEndpoint) -> None:
    client = operator(codename)
    page = client.get(url_of("change", endpoint))
    assert page.status_code == 200
    assert endpoint.secret not in page.content.decode()
    assert created(client, url=f"{URL}/other").status_code == 403
    for verb in ("rotate", "off", "on"):
        assert url_of(verb, endpoint) not in page.content.decode()
        assert client.post(url_of(verb, endpoint), {"reason": "x", "changed_at": "x"}).status_code == 403
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.is_active) == (before, True)
