"""One ``LICENZY`` dict, typed, read afresh, without a secret in its repr."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from licenzy_django import clock
from licenzy_django.conf import SETTING_NAMES, STRIPE_API_VERSION, LicenzySettings, licenzy_settings
from licenzy_django.exceptions import ModeNotConfigured
from licenzy_django.stripe import client
from licenzy_django.testing import stripe_double_in_memory


def test_every_setting_has_a_default(settings: Any) -> None:
    del settings.LICENZY

    assert licenzy_settings() == LicenzySettings()


def test_settings_are_read_on_every_call() -> None:
    with override_settings(LICENZY={"SUCCESS_URL": "https://a.example/"}):
        assert licenzy_settings().SUCCESS_URL == "https://a.example/"
    with override_settings(LICENZY={"SUCCESS_URL": "https://b.example/"}):
        assert licenzy_settings().SUCCESS_URL == "https://b.example/"


def test_a_misspelt_key_is_named() -> None:
    with override_settings(LICENZY={"SUCESS_URL": "x"}), pytest.raises(ImproperlyConfigured, match="SUCESS_URL"):
        licenzy_settings()


def test_secrets_stay_out_of_repr() -> None:
    secrets = {name: f"secret-of-{name}" for name in SETTING_NAMES if "SECRET" in name}
    assert len(secrets) >= 4
    with override_settings(LICENZY={**secrets, "TEST_WEBHOOK_SECRETS": ["secret-of-1", "secret-of-2"]}):
        shown = repr(licenzy_settings()) + str(licenzy_settings())

    assert "secret-of" not in shown


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        licenzy_settings().MODE = "live"  # type: ignore[misc]


def test_each_mode_has_its_own_key_and_secrets() -> None:
    given = LicenzySettings(
        TEST_SECRET_KEY="sk_test_1",
        LIVE_SECRET_KEY="sk_live_1",
        TEST_WEBHOOK_SECRETS=["whsec_1"],
        LIVE_WEBHOOK_SECRETS=["whsec_2", ""],
    )

    assert (given.secret_key("test"), given.secret_key("live")) == ("sk_test_1", "sk_live_1")
    assert (list(given.webhook_secrets("test")), list(given.webhook_secrets("live"))) == (["whsec_1"], ["whsec_2"])


def test_the_clock_is_a_setting() -> None:
    with override_settings(LICENZY={"CLOCK": "tests.test_conf.noon"}):
        assert clock.now().isoformat() == "2030-01-01T12:00:00+00:00"


def noon() -> Any:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime(2030, 1, 1, 13, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("seconds", "day"), [(0, "1970-01-01"), (-1, "1970-01-01"), (10**12, "9999-12-31"), (10**30, "9999-12-31")]
)
def test_a_timestamp_that_no_calendar_has_is_as_far_off_as_one_can_be(seconds: int, day: str) -> None:
    at = clock.from_timestamp(seconds)

    assert at is not None
    assert at.isoformat() == f"{day}T00:00:00+00:00"


def test_the_leeway_is_given_in_hours() -> None:
    assert LicenzySettings().renewal_leeway == timedelta(hours=24)
    assert LicenzySettings(RENEWAL_LEEWAY_HOURS=0).renewal_leeway == timedelta(0)


def test_stripes_client_has_time_outs_retries_a_version_and_no_telemetry(settings: Any) -> None:
    import stripe

    settings.LICENZY = {"TEST_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": "http://127.0.0.1:9/"}
    requestor = client.client("test")._requestor

    assert requestor._options.max_network_retries == 2
    assert requestor._options.stripe_version == STRIPE_API_VERSION
    assert requestor.base_addresses["api"] == "http://127.0.0.1:9"
    assert requestor._client._timeout == (3.0, 10.0)  # type: ignore[union-attr]
    assert stripe.enable_telemetry is False


def test_the_pinned_version_is_the_installed_librarys() -> None:
    from stripe._api_version import _ApiVersion

    assert _ApiVersion.CURRENT == STRIPE_API_VERSION


def test_a_mode_without_a_key_has_no_client(settings: Any) -> None:
    settings.LICENZY = {"TEST_SECRET_KEY": "sk_test_1"}

    with pytest.raises(ModeNotConfigured):
        client.client("live")


def test_settings_that_a_test_changes_while_a_double_runs_leave_nothing_of_it_behind() -> None:
    before = django_settings.LICENZY
    double, of_the_test = stripe_double_in_memory(), override_settings(TIME_ZONE="Asia/Tokyo")
    double.__enter__()
    of_the_test.enable()

    double.__exit__(None, None, None)
    of_the_test.disable()

    assert before == django_settings.LICENZY
