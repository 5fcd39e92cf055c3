"""Events are posted where outbound deliveries may go, and to this machine only while it is a developer's."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from licenzy_django.outbound.addresses import AddressRefused
from licenzy_django.simulator import reach

INSIDE = [
    "http://169.254.169.254/latest/meta-data", "https://10.0.0.8/hook", "https://192.168.1.1/", "https://[fe80::1]/",
    "https://0.0.0.0/", "https://2130706433/", "https://user:secret@shop.example/", "ftp://shop.example/", "https://",
]  # fmt: skip
OWN = ["http://127.0.0.1:9/hook", "http://localhost:9/hook", "http://[::1]:9/hook"]


@pytest.mark.parametrize("url", INSIDE)
def test_what_lies_inside_the_network_is_not_posted_to(url: str) -> None:
    with pytest.raises(AddressRefused):
        reach.check(url)
    status, error = reach.post(url, b"{}", {})
    assert status is None
    assert error.startswith("AddressRefused")


@pytest.mark.parametrize("url", OWN)
def test_this_machine_is_reached_in_debug_alone(url: str, settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"ALLOW_WITHOUT_DEBUG": False}
    assert reach.post(url, b"{}", {})[1].startswith("AddressRefused")
    settings.DEBUG = True
    reach.check(url)
    status, error = reach.post(url, b"{}", {})
    assert status is None
    assert "Refused" in error
    assert "AddressRefused" not in error


def test_a_name_that_leads_inside_is_refused_when_it_is_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = [(2, 1, 6, "", ("10.0.0.8", 443))]
    monkeypatch.setattr("licenzy_django.outbound.addresses.socket.getaddrinfo", lambda *_, **__: inside)
    reach.check("https://shop.example/hook")
    status, error = reach.post("https://shop.example/hook", b"{}", {})
    assert (status, error) == (None, "AddressRefused: 10.0.0.8 is not an address on the public internet.")


@pytest.mark.parametrize("url", INSIDE[:4])
def test_an_endpoint_inside_the_network_cannot_be_registered(stripe_client: stripe.StripeClient, url: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    assert (refused.value.code, refused.value.param) == ("url_invalid", "url")
