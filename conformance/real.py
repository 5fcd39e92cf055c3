"""Stripe itself, in test mode: a test clock for each scenario, and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import stripe

from conformance.account import DAY, NAME, START, Account, Json, plain, price_params
from licenzy_django.conf import STRIPE_API_VERSION

TEST_KEYS = ("sk_test_", "rk_test_")
LONGEST_STEP = 25 * DAY
"""A clock moves by two intervals of the shortest subscription at most: https://docs.stripe.com/billing/testing/test-clocks"""
PATIENCE_SECONDS = 300
WILL_MAKE = """\
It will make, in the test mode of this account, and remove again:
  - a test clock for each scenario, with one or two customers, their subscriptions, invoices and payments by test cards;
  - about ten products, each with a price (Stripe keeps them, archived), and some coupons;
  - payments with test cards, refunds and disputes, which stay in the list of test payments.
No webhook endpoint is touched: those that the account has will be sent the events of all this."""


class RefusedKey(SystemExit):
    """The key is not one of test mode. The message does not quote it."""


def checked(key: str) -> str:
    """Raises RefusedKey."""
    if not key.startswith(TEST_KEYS):
        kind = "a live key" if "_live_" in key[:12] else "no secret key of Stripe's test mode"
        raise RefusedKey(f"STRIPE_TEST_SECRET_KEY is {kind}: nothing was asked. It begins with sk_test_ or rk_test_.")
    return key


def problem_of(client: stripe.StripeClient) -> str:
    """Why nothing can be played with this key, in a sentence without it; empty where it can."""
    try:
        client.v1.test_helpers.test_clocks.list({"limit": 1})
    except stripe.AuthenticationError:
        return "Stripe does not know this key."
    except stripe.PermissionError:
        return "This restricted key may not use test clocks: take a secret key of test mode."
    except stripe.StripeError as error:
        return f"Stripe could not be reached, or refused: {type(error).__name__} {error.code or ''}"
    return ""


class Shelf:
    """What all scenarios of a run share: prices, made when the first one needs them, and archived at the end."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client
        self.prices: dict[tuple[int, str, str], Json] = {}

    def price(self, amount: int, interval: str, currency: str) -> str:
        key = (amount, interval, currency)
        if key not in self.prices:
            self.prices[key] = plain(self.client.v1.prices.create(price_params(amount, interval, currency)))
        return str(self.prices[key]["id"])

    def clear(self) -> None:
        """A price cannot be deleted, nor a product that has had one."""
        for price in self.prices.values():
            self.client.v1.prices.update(price["id"], {"active": False})
            self.client.v1.products.update(price["product"], {"active": False})
        self.prices.clear()


class StripeAccount(Account):
    """An account in test mode, for one scenario.

    Args:
        wait: how to pass the seconds between two questions.
    """

    def __init__(
        self, client: stripe.StripeClient, shelf: Shelf, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.client, self.shelf, self.wait = client, shelf, wait
        clock: Any = {"frozen_time": START, "name": NAME}
        self.clock_id = client.v1.test_helpers.test_clocks.create(clock).id
        self.of_its_customers = {"test_clock": self.clock_id}
        self.time = START
        self.coupons: list[str] = []

    @property
    def now(self) -> int:
        return self.time

    def advance_to(self, at: int) -> None:
        """In steps, each waited for: the clock is ready when everything on the way is done.

        Raises TimeoutError.
        """
        while self.time < at:
            self.time = min(at, self.time + LONGEST_STEP)
            self.client.v1.test_helpers.test_clocks.advance(self.clock_id, {"frozen_time": self.time})
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        waited = 0.0
        while (status := self.client.v1.test_helpers.test_clocks.retrieve(self.clock_id).status) != "ready":
            if status == "internal_failure" or waited > PATIENCE_SECONDS:
                raise TimeoutError(f"the test clock is {status} after {waited:.0f} seconds")
            self.wait(2)
            waited += 2

    def price(self, amount: int, interval: str = "month", currency: str = "eur") -> str:
        return self.shelf.price(amount, interval, currency)

    def coupon(self, **what: Any) -> str:
        wanted: Any = {**what, "name": NAME}
        self.coupons.append(self.client.v1.coupons.create(wanted).id)
        return self.coupons[-1]

    def rest(self) -> None:
        self.wait(10)

    def leave(self) -> None:
        """Deleting a clock deletes its customers, and cancels what they have."""
        with suppress(stripe.InvalidRequestError):
            self.client.v1.test_helpers.test_clocks.delete(self.clock_id)
        for coupon in self.coupons:
            with suppress(stripe.InvalidRequestError):
                self.client.v1.coupons.delete(coupon)


def client_of(key: str, **more: Any) -> stripe.StripeClient:
    stripe.enable_telemetry = False
    return stripe.StripeClient(checked(key), stripe_version=STRIPE_API_VERSION, max_network_retries=3, **more)
