"""An HTTP client of the stripe library that answers whatever it is told to."""

from __future__ import annotations

from typing import Any

import stripe

ANSWER: list[tuple[bytes | str, int]] = [(b"", 200)]


class OddClient(stripe.HTTPClient):
    name = "odd"

    def request(self, *args: Any, **kwargs: Any) -> tuple[bytes | str, int, dict[str, str]]:
        body, status = ANSWER[0]
        return body, status, {}

    def _sleep_time_seconds(self, num_retries: int, response: Any = None) -> float:
        return 0.0
