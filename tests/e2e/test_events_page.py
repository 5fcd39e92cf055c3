"""The demo hears of its own changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.e2e.shops import Shop, manage, open_shop
from tests.servers import eventually

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("events"), webhook_delay_seconds=0) as shop:
        yield shop


def test_what_was_bought_arrives_signed_on_the_events_page(shop: Shop) -> None:
    guest = shop.visitor()
    guest.open("/")
    guest.press("Create a demo account")
    guest.open("/")
    guest.press("Buy Pro, monthly")
    guest.press("by card")
    assert "Nothing yet" in guest.open("/events/").text

    eventually(lambda: not manage(shop.environment, "licenzy_deliver").startswith("0 "))

    page = guest.open("/events/").text
    assert "Signature verified" in page
    assert "entitlement.updated" in page


def test_what_others_post_there_is_refused(shop: Shop) -> None:
    forged = {"webhook-id": "evt_forged", "webhook-timestamp": "1", "webhook-signature": "v1,Zm9yZ2Vk"}
    for headers in ({}, forged):
        answer = requests.post(f"{shop.url}/events/receive/", b'{"id": "evt_forged"}', headers=headers, timeout=10)
        assert answer.status_code == 401

    assert "evt_forged" not in shop.visitor().open("/events/").text


def test_setting_up_again_keeps_the_endpoint_and_its_secret(shop: Shop) -> None:
    before = shop.secrets_file.read_text()

    manage(shop.environment, "demo_setup")

    assert shop.secrets_file.read_text() == before
