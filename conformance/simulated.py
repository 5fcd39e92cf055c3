"""The simulator as an account, in memory: one for each scenario."""

from __future__ import annotations

from typing import Any

import stripe

from conformance.account import START, Account, price_params
from licenzy_django.simulator import client_of
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore


class SimulatedAccount(Account):
    """Its clock is no test clock of Stripe's: it is the whole simulator's, and ``advance_to`` moves that."""

    def __init__(self) -> None:
        self.simulator = Simulator(MemoryStore(now=START))
        stripe.enable_telemetry = False
        self.client = stripe.StripeClient("sk_test_simulator", http_client=client_of(self.simulator))
        self.prices: dict[tuple[int, str, str], str] = {}

    @property
    def now(self) -> int:
        return self.simulator.now

    def advance_to(self, at: int) -> None:
        self.simulator.advance(at - self.simulator.now)

    def price(self, amount: int, interval: str = "month", currency: str = "eur") -> str:
        key = (amount, interval, currency)
        if key not in self.prices:
            self.prices[key] = self.client.v1.prices.create(price_params(amount, interval, currency)).id
        return self.prices[key]

    def coupon(self, **what: Any) -> str:
        wanted: Any = what
        return self.client.v1.coupons.create(wanted).id

    def rest(self) -> None:
        """Everything is done when it answers."""

    def leave(self) -> None:
        """It was in memory."""
