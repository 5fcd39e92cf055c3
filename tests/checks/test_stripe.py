"""Keys and secrets."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.checks.stripe import check_dj_stripe
from tests.checks.conftest import LIVE, Found


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("TEST_SECRET_KEY", "sk_live_1"),
        ("TEST_SECRET_KEY", "pk_test_1"),
        ("LIVE_SECRET_KEY", "sk_test_1"),
        ("LIVE_SECRET_KEY", "nonsense"),
    ],
)
def test_e002_a_key_of_the_wrong_mode(found: Found, name: str, key: str) -> None:
    [message] = found(**LIVE | {name: key})
    assert (message.id, name in message.msg, key in str(message)) == ("licenzy.E002", True, False)


@pytest.mark.parametrize("empty", [[], [""], None, ()])
def test_w003_a_key_without_a_webhook_secret(found: Found, empty: Any) -> None:
    [message] = found(TEST_WEBHOOK_SECRETS=empty)
    assert (message.id, "TEST_WEBHOOK_SECRETS" in str(message.hint)) == ("licenzy.W003", True)


def test_e004_one_secret_for_both_modes(ids: Any) -> None:
    assert ids(**LIVE | {"LIVE_WEBHOOK_SECRETS": ["whsec_1"]}) == ["licenzy.E004"]


@pytest.mark.parametrize("given", ["whsec_1", ["sk_test_1"], ["whsec_1", "1"]])
def test_e005_no_list_of_webhook_secrets(ids: Any, given: Any) -> None:
    assert ids(TEST_WEBHOOK_SECRETS=given) == ["licenzy.E005"]


def test_w014_time_travel_beside_a_live_key(ids: Any) -> None:
    assert ids(**LIVE | {"CLOCK": "licenzy_django.simulator.now"}) == ["licenzy.W014"]
    assert ids(CLOCK="licenzy_django.simulator.now") == []


def test_w015_a_mode_that_nobody_can_buy_in(ids: Any) -> None:
    assert ids(MODE="live") == ["licenzy.W015"]
    assert ids(MODE="live", TEST_SECRET_KEY="") == [], "this process only asks; another one sells"


@pytest.mark.parametrize("base", ["stripe.example.com", "ftp://stripe.example.com", "https://", "/proxy"])
def test_e016_an_api_base_that_is_no_address(ids: Any, base: str) -> None:
    assert ids(STRIPE_API_BASE=base) == ["licenzy.E016"]


def test_w019_a_live_key_over_plain_http(ids: Any) -> None:
    assert ids(**LIVE | {"STRIPE_API_BASE": "http://proxy.example.com"}) == ["licenzy.W019"]
    assert ids(**LIVE | {"STRIPE_API_BASE": "http://127.0.0.1:9000"}) == []
    assert ids(STRIPE_API_BASE="http://proxy.example.com") == []


def test_i044_dj_stripe_beside_us(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_dj_stripe() == []
    monkeypatch.setattr("licenzy_django.checks.stripe.apps.is_installed", lambda name: name == "djstripe")
    assert [message.id for message in check_dj_stripe()] == ["licenzy.I044"]


@pytest.mark.parametrize("name", ["STRIPE_HTTP_CLIENT", "CLOCK"])
def test_e045_a_simulator_that_is_not_installed(ids: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = {"STRIPE_HTTP_CLIENT": "licenzy_django.simulator.http_client", "CLOCK": "licenzy_django.simulator.now"}
    assert ids(**{name: path[name]}) == []
    monkeypatch.setattr("licenzy_django.checks.stripe.apps.is_installed", lambda _: False)
    assert ids(**{name: path[name]}) == ["licenzy.E045"]
