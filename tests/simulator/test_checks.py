"""The simulator refuses to run where real money is."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from licenzy_django.simulator.checks import check_simulator

GOOD = {"WEBHOOK_SECRET": "whsec_1"}


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    settings.DEBUG = True
    settings.LICENZY = {"TEST_SECRET_KEY": "sk_test_simulator"}
    settings.LICENZY_SIMULATOR = GOOD


def ids() -> list[str | None]:
    return [message.id for message in check_simulator()]


def test_a_development_project_passes() -> None:
    assert ids() == []


@pytest.mark.parametrize("key", ["sk_live_51abc", "rk_live_51abc"])
def test_e001_a_live_key_beside_the_simulator(settings: Any, key: str) -> None:
    settings.LICENZY = {"LIVE_SECRET_KEY": key}
    [message] = check_simulator()
    assert (message.id, key in message.msg) == ("licenzy_simulator.E001", False)
    assert message.hint


def test_the_simulators_own_live_key_is_no_real_one(settings: Any) -> None:
    settings.LICENZY = {"LIVE_SECRET_KEY": "sk_live_simulator"}
    assert ids() == []


def test_e002_without_debug_unless_allowed(settings: Any) -> None:
    settings.DEBUG = False
    assert ids() == ["licenzy_simulator.E002"]
    settings.LICENZY_SIMULATOR = GOOD | {"ALLOW_WITHOUT_DEBUG": True}
    assert ids() == []


def test_e002_not_where_only_a_test_runner_has_switched_debug_off(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = False
    monkeypatch.setattr(sys.modules["tests.settings"], "DEBUG", True)
    assert ids() == []


def test_e003_a_misspelt_key(settings: Any) -> None:
    settings.LICENZY_SIMULATOR = GOOD | {"WEBHOOK_SECRETS": ["whsec_1"]}
    [message] = check_simulator()
    assert (message.id, "WEBHOOK_SECRETS" in message.msg) == ("licenzy_simulator.E003", True)


def test_e004_an_empty_secret(settings: Any) -> None:
    settings.LICENZY_SIMULATOR = {"WEBHOOK_SECRET": ""}
    assert ids() == ["licenzy_simulator.E004"]


def test_w001_pages_that_are_not_routed(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.simulator.no_urls"
    assert ids() == ["licenzy_simulator.W001"]
