"""The stripe library's way in: an HTTP client that never opens a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from .api.faults import ConnectionDroppedError
from .api.front import Front, request_from_url


def _lost(message: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(message, should_retry=True)  # type: ignore[no-untyped-call]


class SimulatorHTTPClient(stripe.HTTPClient):
    """``StripeClient(key, http_client=SimulatorHTTPClient(front))``: the real library, the simulated Stripe."""

    name = "simulator"
    api_base = "http://stripe.simulator"  # what the log of the library shows

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.front = front

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[Any, int, dict[str, str]]:
        body = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        request = request_from_url(method, url, body, headers or {})
        try:
            response = self.front.handle(request)
        except ConnectionDroppedError as dropped:
            raise _lost(f"{dropped} (simulated)") from dropped
        return response.body, response.status, response.headers

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, dict[str, str]]:
        from asgiref.sync import sync_to_async

        return await sync_to_async(self.request)(method, url, headers, post_data)

    def close(self) -> None:
        """Nothing is open."""

    async def close_async(self) -> None:
        """Nothing is open."""

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0.0
