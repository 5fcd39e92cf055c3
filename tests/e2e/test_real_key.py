"""With a Stripe key in its environment the shop speaks HTTP to that Stripe, with no change of code."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.e2e.shops import REPOSITORY, Shop, environment_of_a_shop, key_in, manage
from tests.servers import eventually, running_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


def test_a_shop_with_a_key_sells_through_that_stripe(shop: Shop, tmp_path: Path) -> None:
    stripe = f"{shop.url}/simulator"  # another process, spoken to over a socket
    key = "sk_test_of_somebody"
    environment = environment_of_a_shop(tmp_path, STRIPE_TEST_SECRET_KEY=key, STRIPE_API_BASE=stripe)
    webhook = f"http://127.0.0.1:{environment['PORT']}/v1/webhooks/stripe"
    registered = requests.post(
        f"{stripe}/v1/webhook_endpoints", auth=(key, ""), data={"url": webhook, "enabled_events[0]": "*"}, timeout=10
    )
    environment["STRIPE_TEST_WEBHOOK_SECRETS"] = f"whsec_of_last_year,{registered.json()['secret']}"
    printed = manage(environment, "demo_setup")
    manage(environment, "licenzy_catalog", "load", "example_project/catalog.json")

    with running_server(REPOSITORY, int(environment["PORT"]), environment) as url:
        seller = Shop(url=url, api_key=key_in(printed), printed=printed, environment=environment)
        assert requests.get(f"{url}/simulator/", timeout=10).status_code == 404
        started = seller.ask(
            "POST", "/v1/checkout/session", key="k1", subject_ref="user_1", product_code="CREDITS_1000"
        )
        assert started.status_code == 201, started.text
        assert started.json()["checkout_url"].startswith(stripe)
        assert not seller.allowed("user_1")

        customer = seller.visitor()
        customer.open(started.json()["checkout_url"])
        customer.press("by card")

        eventually(lambda: seller.allowed("user_1"))
        assert seller.ask("GET", "/v1/customer/access/user_1").json()["usage_remaining"] == 1000
