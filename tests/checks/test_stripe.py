"""Keys and secrets."""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import licenzy_django
from licenzy_django.checks.secrets import problem_of
from licenzy_django.checks.stripe import check_dj_stripe
from licenzy_django.models.base import random_text
from licenzy_django.simulator.conf import SimulatorSettings
from licenzy_django.testing.double import WEBHOOK_SECRET
from tests.checks.conftest import GOOD, LETTERS, LIVE, Found


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
    assert ids(**LIVE | {"LIVE_WEBHOOK_SECRETS": GOOD["TEST_WEBHOOK_SECRETS"]}) == ["licenzy.E004"]


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


NOT_SECRET = [
    "whsec_",
    "whsec_…",
    "whsec_changeme",
    f"whsec_{LETTERS} ",
    f"whsec_{LETTERS[:10]} {LETTERS[10:]}",
    "whsec_" + "x" * 32,
    "whsec_" + "ab" * 16,
    f"whsec_{LETTERS[:12]}",
    "whsec_yourWebhookSecretFromTheDashboard",
    "whsec_é" + LETTERS,
    WEBHOOK_SECRET,
    SimulatorSettings().WEBHOOK_SECRET,
]
HERE = Path(licenzy_django.__file__).parents[1]


@pytest.mark.parametrize("secret", NOT_SECRET)
def test_e060_a_live_webhook_secret_that_is_none(found: Found, secret: str) -> None:
    [message] = found(**LIVE | {"LIVE_WEBHOOK_SECRETS": [*LIVE["LIVE_WEBHOOK_SECRETS"], secret]})
    assert (message.id, "LIVE_WEBHOOK_SECRETS" in message.msg) == ("licenzy.E060", True)
    assert secret not in str(message) or secret == "whsec_"


@pytest.mark.parametrize("key", ["rk_live_", "sk_live_…", f"sk_live_{LETTERS} ", "sk_live_123", "sk_live_" + "x" * 99])
def test_e060_a_live_key_that_is_none(ids: Any, key: str) -> None:
    assert ids(**LIVE | {"LIVE_SECRET_KEY": key}) == ["licenzy.E060"]


def test_w060_in_test_mode_it_is_a_warning_and_on_the_simulator_nothing(ids: Any, settings: Any) -> None:
    assert ids(TEST_WEBHOOK_SECRETS=["whsec_changeme"]) == []
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "licenzy_django.simulator"]
    assert ids(TEST_WEBHOOK_SECRETS=["whsec_changeme"]) == ["licenzy.W060"]
    assert ids(TEST_SECRET_KEY="sk_test_…") == ["licenzy.W060"]


@pytest.mark.parametrize("length", [32, 64])
def test_what_stripe_gives_out_is_let_through(length: int) -> None:
    """An endpoint's secret has 32 letters and digits, the CLI's 64 hexadecimal ones."""
    for _ in range(200):
        assert problem_of(f"whsec_{random_text(length)}") == ""
        assert problem_of(f"whsec_{secrets.token_hex(length // 2)}") == ""
        assert problem_of(f"sk_live_51{random_text(97)}") == ""


def test_no_secret_of_our_own_pages_and_code_would_pass() -> None:
    files = [*HERE.glob("docs/*.md"), HERE / "README.md", *HERE.glob("licenzy_django/**/*.py")]
    files += HERE.glob("example_project/**/*.py")
    shown = {found for file in files for found in re.findall(r"whsec_[^\s\"'`|,)\]}]*", file.read_text())}
    assert WEBHOOK_SECRET in shown
    assert [secret for secret in shown if not problem_of(secret)] == []


@pytest.mark.parametrize("keys", ["x", ["short"], ["x" * 44], ["é" * 44]])
def test_e063_an_encryption_key_that_is_none(found: Found, keys: Any) -> None:
    [message] = found(ENCRYPTION_KEYS=keys)
    assert message.id == "licenzy.E063"
    assert str(keys[-1]) not in f"{message.msg} {message.hint}" or keys == "x"


def test_e063_a_library_that_is_missing(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    [message] = found(ENCRYPTION_KEYS=[Fernet.generate_key().decode()])
    assert (message.id, "licenzy-django[encryption]" in message.msg) == ("licenzy.E063", True)
