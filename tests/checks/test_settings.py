"""The LICENZY dict itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from tests.checks.conftest import LIVE, Found


def somebody() -> None:
    """A dotted path leads here."""


NOT_CALLABLE = "a text"


def test_a_good_project_hears_nothing(ids: Any) -> None:
    assert ids() == []
    assert ids(**LIVE) == []


def test_e001_a_misspelt_key(found: Found) -> None:
    [message] = found(SUCESS_URL="https://shop.example.com/")
    assert (message.id, "SUCESS_URL" in message.msg, "SUCCESS_URL" in str(message.hint)) == ("licenzy.E001", True, True)


def test_e001_no_dict(settings: Any, ids: Any) -> None:
    settings.LICENZY = ["TEST_SECRET_KEY"]
    with pytest.raises(SystemCheckError, match=r"licenzy\.E001"):
        call_command("check", "--tag", "licenzy")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEST_SECRET_KEY", 7),
        ("LIVE_SECRET_KEY", ["sk_live_1"]),
        ("TEST_WEBHOOK_SECRETS", {"whsec_1": 1}),
        ("TEST_WEBHOOK_SECRETS", [b"whsec_1"]),
        ("ALLOWED_REDIRECT_HOSTS", 5),
        ("MODE", None),
        ("RENEWAL_LEEWAY_HOURS", "24"),
        ("RENEWAL_LEEWAY_HOURS", True),
        ("OUTBOUND_ALLOW_HTTP", "yes"),
        ("SUBJECT", 3),
    ],
)
def test_e009_a_setting_of_the_wrong_type(found: Found, name: str, value: Any) -> None:
    [message] = found(**{name: value})
    assert (message.id, name in message.msg) == ("licenzy.E009", True)


def test_e009_does_not_show_the_value(found: Found) -> None:
    [message] = found(LIVE_SECRET_KEY=["sk_live_secret"])
    assert "sk_live_secret" not in str(message)


@pytest.mark.parametrize("name", ["LIVE_SECRET_KEY", "LIVE_WEBHOOK_SECRETS", "STRIPE_API_BASE"])
def test_none_is_empty_as_os_environ_gives_it(ids: Any, name: str) -> None:
    assert ids(**{name: None}) == []


def test_a_subject_may_be_a_callable(ids: Any) -> None:
    assert ids(SUBJECT=lambda request: None) == []


def test_e006_a_mode_that_is_none(ids: Any) -> None:
    assert ids(MODE="production") == ["licenzy.E006"]


def test_e008_local_times(settings: Any, ids: Any) -> None:
    settings.USE_TZ = False
    assert ids() == ["licenzy.E008"]


@pytest.mark.parametrize("name", ["SUBJECT", "CLOCK", "STRIPE_HTTP_CLIENT"])
@pytest.mark.parametrize(
    "path",
    ["no_dots", "no.such.module", "tests.checks.test_settings.missing", "tests.checks.test_settings.NOT_CALLABLE"],
)
def test_e010_a_path_that_leads_to_nothing_callable(found: Found, name: str, path: str) -> None:
    [message] = found(**{name: path})
    assert (message.id, name in message.msg, path in str(message.hint)) == ("licenzy.E010", True, True)


def test_a_path_that_leads_to_a_callable(ids: Any) -> None:
    assert ids(SUBJECT="tests.checks.test_settings.somebody") == []


def test_e014_how_many_trials(ids: Any) -> None:
    assert ids(TRIALS="twice") == ["licenzy.E014"]
    assert [ids(TRIALS=allowed) for allowed in ("once", "once_per_product", "always")] == [[], [], []]


def test_e011_a_negative_leeway(ids: Any) -> None:
    assert ids(RENEWAL_LEEWAY_HOURS=-1) == ["licenzy.E011"]
    assert ids(RENEWAL_LEEWAY_HOURS=0) == []
