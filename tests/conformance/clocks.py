"""The simulator with as much of Stripe's test clocks as the run uses: one clock, which is the simulator's."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import stripe

from conformance.account import START
from licenzy_django.simulator.api.front import Front
from licenzy_django.simulator.http import SimulatorHTTPClient
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore

CLOCKS = "/v1/test_helpers/test_clocks"


class ClockedClient(SimulatorHTTPClient):
    """Attributes: ``asked``: method and path of each request. ``not_ready``: how often a clock still advances."""

    def __init__(self) -> None:
        self.simulator = Simulator(MemoryStore(now=START))
        super().__init__(Front(self.simulator))
        self.asked: list[tuple[str, str]] = []
        self.clocks: dict[str, list[str]] = {}
        self.not_ready = 1

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        path = "/" + url.split("/", 3)[3].partition("?")[0]
        self.asked.append((method.upper(), path))
        sent = {name: values[0] for name, values in parse_qs(post_data or "").items()}
        if path.startswith(CLOCKS):
            return json.dumps(self.clock(method.upper(), path.removeprefix(CLOCKS), sent)), 200, {}
        clock = sent.pop("test_clock", "")
        answer = super().request(method, url, headers, urlencode(sent) if clock else post_data)
        if clock:
            self.clocks[clock].append(json.loads(answer[0])["id"])
        return answer

    def clock(self, method: str, path: str, sent: dict[str, str]) -> dict[str, Any]:
        name = path.split("/")[1] if path else f"clock_{len(self.clocks)}"
        shown = {"id": name, "object": "test_helpers.test_clock", "status": "ready", "frozen_time": self.simulator.now}
        if method == "DELETE":
            for customer in self.clocks.pop(name):
                self.simulator.delete_customer(customer)
        elif path.endswith("/advance"):
            self.simulator.advance(int(sent["frozen_time"]) - self.simulator.now)
            self.not_ready = 1
        elif method == "POST":
            self.clocks[name] = []
        elif self.not_ready:
            self.not_ready -= 1
            return {**shown, "status": "advancing"}
        return shown


def client_of(http_client: ClockedClient) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_conformance", http_client=http_client)
