"""A Stripe in the same process: answers after a chosen time, and counts how often it was asked."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from benchmarks import stripe_objects


class StripeDouble(stripe.HTTPClient):
    name = "benchmark"

    def __init__(self) -> None:
        super().__init__()
        self.delay_seconds = 0.0
        self.calls = 0

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, dict[str, str]]:
        self.calls += 1
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        return json.dumps(stripe_objects.answer(urlsplit(url).path)), 200, {"request-id": "req_1"}

    def close(self) -> None:
        """Nothing is open."""


double = StripeDouble()


def http_client() -> StripeDouble:
    """What ``LICENZY["STRIPE_HTTP_CLIENT"]`` names."""
    return double


def install() -> None:
    """For libraries that use stripe's own default client."""
    stripe.default_http_client = double
