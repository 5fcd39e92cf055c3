"""A shop at the simulated Stripe, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from licenzy_django.simulator import client_of
from licenzy_django.simulator.simulator import Simulator

Json = dict[str, Any]
DAY = 86_400


@dataclass
class Shop:
    """A simulator with four prices and a customer."""

    simulator: Simulator
    month: Json
    year: Json
    pack: Json
    free: Json
    customer: Json

    def session(self, price: Json, *, quantity: int = 1, **more: Any) -> Json:
        wanted = {
            "mode": "subscription" if price["recurring"] else "payment",
            "line_items": [{"price": price["id"], "quantity": quantity}],
            "success_url": "https://shop.example/?session={CHECKOUT_SESSION_ID}",
        }
        return self.simulator.create_session(wanted | more)

    def subscription(self, price: Json | None = None, **more: Any) -> str:
        """A running subscription, bought by card; what was told so far is forgotten."""
        session = self.session(price or self.month, customer=self.customer["id"], **more)
        bought = self.simulator.pay(session)
        self.simulator.take_events()
        return str(bought["subscription"])

    def bought(self) -> Json:
        """A paid pack; what was told so far is forgotten."""
        session = self.simulator.pay(self.session(self.pack))
        self.simulator.take_events()
        return session

    def told(self) -> list[str]:
        """The types of the events since this was last asked."""
        return [event["type"] for event in self.simulator.take_events()]


def make_shop(simulator: Simulator) -> Shop:
    def price(amount: int, interval: str = "") -> Json:
        rhythm = {"recurring": {"interval": interval}} if interval else {}
        return simulator.create_price({"currency": "eur", "unit_amount": amount, **rhythm})

    shop = Shop(
        simulator, price(1900, "month"), price(19_000, "year"), price(1000), price(0),
        simulator.create_customer({"email": "ada@example.com"}),
    )  # fmt: skip
    simulator.take_events()
    return shop


@pytest.fixture
def shop() -> Shop:
    return make_shop(Simulator())


@pytest.fixture
def stripe_client(shop: Shop) -> Iterator[stripe.StripeClient]:
    """The real library on the simulator of ``shop``; ``stripe_client.front`` has the faults and the log."""
    telemetry, stripe.enable_telemetry = stripe.enable_telemetry, False
    http_client = client_of(shop.simulator)
    client = stripe.StripeClient("sk_test_simulator", http_client=http_client, max_network_retries=2)
    client.front = http_client.front
    yield client
    stripe.enable_telemetry = telemetry
