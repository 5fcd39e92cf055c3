"""Only hosts that the settings name may be sent a customer."""

from __future__ import annotations

import pytest
from django.test import override_settings

from licenzy_django.checkout.redirects import redirect_url
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of

LICENZY = {"ALLOWED_REDIRECT_HOSTS": ["shop.example", "localhost:3000", "[::1]:8000"], "TEST_SECRET_KEY": "sk_test_1"}

THIS_MACHINE = ["http://127.0.0.1:9000/", "http://localhost:8123/", "https://[::1]/", "http://shop.localhost:8000/"]
HOSTILE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/relative",
    "shop.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://shop.example@evil.example/",
    "https://shop.example:pw@evil.example/",
    "https://evil.example@shop.example/",
    "https://user:pw@shop.example/",
    "https://@shop.example/",
    "https://evil.example\\@shop.example/",
    "https://evil.example\\.shop.example/",
    "https:\\\\evil.example",
    "https://shop.example\\evil.example",
    "https://shop.example/\\evil.example",
    "https://shop.example.evil.example/",
    "https://evilshop.example/",
    "https://shop.example./",
    "https://shop.example%2eevil.example/",
    "https://shop.example%00.evil.example/",
    "https://shop.example:443/",
    "https://shop.example:0/",
    "https://shop.example:99999/",
    "https://shop.example:a/",
    "https://localhost/",
    "https://localhost:3001/",
    "https://[::1]/",
    "https://[::1/",
    "https://shop.example／evil.example/",
    "https://evil.example／.shop.example/",
    "https://ｓhop.example/",
    "https://shop。example/",
    "javascript:alert(1)",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,x",
    "ftp://shop.example/",
    "mailto:a@shop.example",
    " https://shop.example/",
    "https://shop.example/\n",
    "https://shop.example/\r\nLocation: https://evil.example",
    "ht\ttps://shop.example/",
    "https://shop.example/\x00",
    "https://shop.example/\u2028",
    "https://shop.example/\x7f",
    "https://shop.example/" + "a" * 2048,
    "https://",
    "http://#shop.example",
    "http://?shop.example",
]
GOOD = [
    "https://shop.example/",
    "https://SHOP.example/thanks?session={CHECKOUT_SESSION_ID}&a=1#top",
    "HTTPS://shop.example",
    "http://localhost:3000/?next=https://evil.example/",
    "http://[::1]:8000/",
    "https://shop.example/grüße",
]


@pytest.mark.parametrize("url", HOSTILE, ids=ascii)
def test_a_hostile_url_is_refused(url: str) -> None:
    with override_settings(LICENZY=LICENZY), pytest.raises(InvalidRequest) as refused:
        redirect_url("success_url", url, "https://default.example/")

    assert set(refused.value.extra["fields"]) == {"success_url"}


@pytest.mark.parametrize("url", GOOD, ids=ascii)
def test_a_good_url_is_passed_on_as_it_is(url: str) -> None:
    with override_settings(LICENZY=LICENZY):
        assert redirect_url("success_url", url, "") == url


def test_without_a_url_the_settings_own_is_taken_even_from_another_host() -> None:
    with override_settings(LICENZY=LICENZY):
        assert redirect_url("cancel_url", "", "https://elsewhere.example/") == "https://elsewhere.example/"
        with pytest.raises(InvalidRequest, match="required"):
            redirect_url("cancel_url", "", "")


def test_without_allowed_hosts_no_url_of_a_caller_is_taken() -> None:
    with override_settings(LICENZY={}), pytest.raises(InvalidRequest):
        redirect_url("success_url", "https://shop.example/", "")


def test_one_host_given_as_a_text_is_one_host() -> None:
    with override_settings(LICENZY={"ALLOWED_REDIRECT_HOSTS": "shop.example"}):
        assert redirect_url("success_url", "https://shop.example/", "")
        with pytest.raises(InvalidRequest):
            redirect_url("success_url", "https://s/", "")


@pytest.mark.parametrize("field", ["success_url", "cancel_url"])
def test_a_checkout_with_a_hostile_url_writes_nothing_and_asks_nothing(
    stripe_double: StripeDouble, backend: Backend, field: str
) -> None:
    stripe_double.sell("PRO_MONTHLY")

    answer = backend.checkout("user_1", "PRO_MONTHLY", **{field: "https://evil.example/"})

    assert error_of(answer) == (400, "invalid_request")
    assert set(answer.json()["fields"]) == {field}
    assert not stripe_double.requests


def test_the_billing_portals_way_back_is_held_to_the_same_hosts(stripe_double: StripeDouble, backend: Backend) -> None:
    stripe_double.sell("PRO_MONTHLY")
    backend.checkout("user_1", "PRO_MONTHLY")

    answer = backend.post("billing-portal/session", {"subject_ref": "user_1", "return_url": "https://evil.example"})

    assert error_of(answer) == (400, "invalid_request")
    assert set(answer.json()["fields"]) == {"return_url"}


@pytest.mark.parametrize("url", THIS_MACHINE)
@override_settings(LICENZY=LICENZY)
def test_this_machine_is_allowed_at_any_port_while_debug_is_on(url: str) -> None:
    with override_settings(DEBUG=True):
        assert redirect_url("success_url", url, "") == url
    with pytest.raises(InvalidRequest, match="not allowed"):
        redirect_url("success_url", url, "")


@pytest.mark.parametrize("host", ["localhost.evil.example", "evil-localhost", "127.0.0.2", "127.0.0.1.evil.example"])
@override_settings(LICENZY=LICENZY, DEBUG=True)
def test_debug_lets_nothing_in_that_only_looks_like_this_machine(host: str) -> None:
    with pytest.raises(InvalidRequest, match="not allowed"):
        redirect_url("success_url", f"http://{host}:8000/", "")
