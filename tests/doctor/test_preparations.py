"""What has to be so before the first customer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from licenzy_django import migrations
from licenzy_django.models import ApiKey, Product
from licenzy_django.testing import StripeDouble
from tests.doctor.conftest import Doctor

LETTERS = "qwertzuiopasdfghjklyxcvbnm"
LIVE = {
    "LIVE_SECRET_KEY": f"sk_live_{LETTERS}",
    "LIVE_WEBHOOK_SECRETS": [f"whsec_{LETTERS}"],
    "SUCCESS_URL": "https://shop.example.com/thanks/",
    "CANCEL_URL": "https://shop.example.com/",
    "CLOCK": "django.utils.timezone.now",
}

LATEST = max(path.stem for path in Path(migrations.__path__[0]).glob("0*.py"))


def test_a_shop_that_is_ready(ready: StripeDouble, doctor: Doctor) -> None:
    status, said = doctor("--offline")
    assert (status, "Live mode is not configured" in said, "Nothing is wrong." in said) == (0, True, True), said


def test_unreadable_settings_are_a_finding_and_nothing_else_is_asked(
    ready: StripeDouble, doctor: Doctor, settings: Any
) -> None:
    settings.LICENZY = {"TEST_SECRET_KEYS": "sk_test_1"}
    status, said = doctor()
    assert (status, "(licenzy.E001)" in said, said.count("wrong ")) == (1, True, 1)


def test_tables_that_are_behind_are_a_finding_and_nothing_else_is_asked(ready: StripeDouble, doctor: Doctor) -> None:
    MigrationRecorder(connection).record_unapplied("licenzy", LATEST)
    try:
        status, said = doctor()
    finally:
        MigrationRecorder(connection).record_applied("licenzy", LATEST)
    assert (status, f"Migrations are not applied: licenzy.{LATEST}" in said, said.count("wrong ")) == (1, True, 1)


def test_our_system_checks_are_findings(ready: StripeDouble, doctor: Doctor, settings: Any) -> None:
    settings.LICENZY = settings.LICENZY | {"TEST_WEBHOOK_SECRETS": []}
    status, said = doctor("--offline")
    assert (status, "(licenzy.W003)" in said) == (1, True)
    settings.SILENCED_SYSTEM_CHECKS = ["licenzy.W003"]
    assert doctor("--offline")[0] == 0


def test_debug(ready: StripeDouble, doctor: Doctor, settings: Any) -> None:
    settings.DEBUG = True
    status, said = doctor("--offline")
    assert (status, "DEBUG is on" in said) == (1, True)


def test_the_simulator(ready: StripeDouble, doctor: Doctor, settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "licenzy_django.simulator"]
    status, said = doctor("--offline")
    assert (status, "The Stripe simulator is installed" in said) == (1, True)


def test_no_key_at_all(ready: StripeDouble, doctor: Doctor, settings: Any) -> None:
    settings.LICENZY = {}
    status, said = doctor()
    assert (status, "There is no secret key of Stripe's" in said) == (1, True)


def test_live_money_with_test_checks(ready: StripeDouble, doctor: Doctor, settings: Any) -> None:
    settings.LICENZY = settings.LICENZY | LIVE
    assert "let in those who paid with test cards" in doctor("--only", "settings")[1]
    settings.LICENZY |= {"MODE": "live"}
    settings.SILENCED_SYSTEM_CHECKS = ["licenzy_simulator.E001"]  # which only the tests have beside a live key
    assert doctor("--only", "settings")[0] == 0


def test_nothing_to_buy(ready: StripeDouble, doctor: Doctor) -> None:
    Product.objects.update(is_active=False)
    status, said = doctor("--offline")
    assert (status, "There is nothing to buy in test mode." in said) == (1, True)


def test_no_api_key_is_only_a_note(ready: StripeDouble, doctor: Doctor) -> None:
    ApiKey.objects.all().delete()
    status, said = doctor("--offline")
    assert (status, "note   There is no API key for test mode" in said) == (0, True)


@pytest.mark.parametrize("secret", ["sk_test_of_the_doctor", "whsec_of_the_doctor"])
def test_the_doctor_shows_no_secret(ready: StripeDouble, doctor: Doctor, settings: Any, secret: str) -> None:
    settings.LICENZY = settings.LICENZY | {"LIVE_SECRET_KEY": secret, "LIVE_WEBHOOK_SECRETS": [secret]}
    assert secret not in doctor("--offline")[1]
