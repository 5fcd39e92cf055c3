"""Where a customer may be sent back to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.conftest import LIVE, Found


@pytest.mark.parametrize("name", ["SUCCESS_URL", "CANCEL_URL"])
@pytest.mark.parametrize("url", ["/thanks/", "shop.example.com/thanks/", "ftp://shop.example.com/", "https://[/"])
def test_e012_a_page_that_is_not_absolute(found: Found, name: str, url: str) -> None:
    [message] = found(**{name: url})
    assert (message.id, name in message.msg) == ("licenzy.E012", True)


def test_w012_no_page_and_no_host(found: Found, ids: Any) -> None:
    [message] = found(SUCCESS_URL="")
    assert (message.id, "SUCCESS_URL" in message.msg, "CANCEL_URL" in message.msg) == ("licenzy.W012", True, False)
    assert ids(SUCCESS_URL="", ALLOWED_REDIRECT_HOSTS=["shop.example.com"]) == []
    assert ids(SUCCESS_URL="", TEST_SECRET_KEY="") == [], "this process sells nothing"


@pytest.mark.parametrize(
    "host", ["https://shop.example.com", "shop.example.com/", "*.example.com", "", "a b", "u@shop"]
)
def test_e013_what_is_no_host(found: Found, host: str) -> None:
    [message] = found(ALLOWED_REDIRECT_HOSTS=["shop.example.com:8000", host])
    assert (message.id, repr(host) in message.msg) == ("licenzy.E013", True)


def test_i013_no_host_is_told_before_deployment(found: Found) -> None:
    assert [message.id for message in found(deploy=True)] == ["licenzy.I013"]
    assert found(deploy=True, ALLOWED_REDIRECT_HOSTS=["shop.example.com"]) == []


def test_w018_a_live_page_in_plain_http(ids: Any) -> None:
    assert ids(**LIVE | {"SUCCESS_URL": "http://shop.example.com/"}) == ["licenzy.W018"]
    assert ids(SUCCESS_URL="http://127.0.0.1:8000/") == []
