"""What only Stripe can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from licenzy_django.models import Product
from licenzy_django.stripe import client
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble
from tests.doctor.conftest import WEBHOOK, Doctor

Register = Callable[..., dict[str, Any]]


def test_a_complete_endpoint_and_fitting_prices_are_well(
    ready: StripeDouble, register: Register, doctor: Doctor
) -> None:
    register()
    ready.buy("user_1", "PRO_MONTHLY")
    assert doctor("--only", "stripe") == (0, "Nothing is wrong.\n")


def test_nothing_registered(ready: StripeDouble, doctor: Doctor) -> None:
    status, said = doctor("--only", "stripe")
    assert (status, "No webhook endpoint in test mode leads to /v1/webhooks/stripe" in said) == (1, True)
    assert "licenzy_webhook_endpoint create" in said


def test_another_apps_endpoint_is_not_ours(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register(url="https://testserver/stripe/webhook/")
    assert "No webhook endpoint" in doctor("--only", "stripe")[1]


@pytest.mark.parametrize("url", [WEBHOOK + "/", WEBHOOK + "/tenant"])
def test_both_paths_of_the_webhook_are_ours(ready: StripeDouble, register: Register, doctor: Doctor, url: str) -> None:
    register(url=url)
    assert doctor("--only", "stripe")[0] == 0


def test_an_event_is_missing(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register(enabled_events=[event for event in inbox.REASONS if event != "invoice.paid"])
    status, said = doctor("--only", "stripe")
    assert (status, "does not send invoice.paid." in said) == (1, True)


def test_every_event_is_enough(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register(enabled_events=["*"])
    assert doctor("--only", "stripe")[0] == 0


def test_another_api_version(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register(api_version="2024-06-20")
    status, said = doctor("--only", "stripe")
    assert (status, "has the API version 2024-06-20" in said) == (1, True)


def test_an_endpoint_that_was_switched_off(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    endpoint = register()
    params: Any = {"disabled": True}
    client.ask("test", lambda client: client.v1.webhook_endpoints.update(endpoint["id"], params))
    status, said = doctor("--only", "stripe")
    assert (status, "is disabled" in said) == (1, True)


def test_plain_http_where_the_site_redirects(
    ready: StripeDouble, register: Register, doctor: Doctor, settings: Any
) -> None:
    register(url=WEBHOOK.replace("https", "http"))
    assert doctor("--only", "stripe")[0] == 0
    settings.SECURE_SSL_REDIRECT = True
    assert "is plain HTTP" in doctor("--only", "stripe")[1]


def test_the_endpoint_of_another_site_in_the_account_is_left_alone(
    ready: StripeDouble, register: Register, doctor: Doctor
) -> None:
    register(url="https://staging.example.com/v1/webhooks/stripe", api_version="2024-06-20")
    register()
    assert doctor("--only", "stripe")[0] == 0


def test_no_event_yet_is_only_a_note(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register()
    status, said = doctor("--only", "stripe")
    assert (status, "note   No event of Stripe's has arrived in test mode yet." in said) == (0, True)


@pytest.mark.parametrize("path", ["/v1/prices/*", "/v1/webhook_endpoints"])
def test_a_stripe_that_is_down_is_a_finding(ready: StripeDouble, register: Register, doctor: Doctor, path: str) -> None:
    register()
    ready.faults.add("GET", path, "drop_before", times=9)
    status, said = doctor("--only", "stripe")
    assert (status, "Stripe could not be asked about" in said, "--offline" in said) == (1, True, True)


def test_offline_and_only_stripe_leave_nothing_to_examine(ready: StripeDouble, doctor: Doctor) -> None:
    with pytest.raises(CommandError, match="leaves nothing"):
        doctor("--offline", "--only", "stripe")


@pytest.mark.parametrize("url", ["https://[::1", "ftp://testserver/", "/v1/webhooks/stripe", ""])
def test_an_address_that_is_none_is_not_registered(ready: StripeDouble, url: str) -> None:
    with pytest.raises(CommandError, match="must be absolute"):
        call_command("licenzy_webhook_endpoint", "create", url, "--mode", "test")


def test_offline_asks_nobody(ready: StripeDouble, doctor: Doctor) -> None:
    asked = len(ready.requests)
    doctor("--offline")
    assert len(ready.requests) == asked


def test_a_key_that_stripe_refuses_is_a_finding(
    ready: StripeDouble, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(mode: str, call: Any) -> Any:
        raise client.StripeRefused(reason="This key may not read prices.")

    monkeypatch.setattr(client, "ask", refuse)
    status, said = doctor("--only", "stripe")
    assert (status, "Stripe refused to show the prices of test mode." in said) == (1, True)
    assert "This key may not read prices." in said


def test_a_price_that_does_not_fit_is_a_finding(ready: StripeDouble, register: Register, doctor: Doctor) -> None:
    register()
    Product.objects.update(stripe_price_id="price_nowhere")
    status, said = doctor("--only", "stripe")
    assert (status, "PRO_MONTHLY (test): Stripe has no price price_nowhere" in said) == (1, True)
