"""Automatic delivery: after the delay, again after a failure, by one process at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe
from django.core import mail

from licenzy_django.simulator import endpoints, worker
from licenzy_django.simulator.account import database_simulator
from licenzy_django.simulator.models import Event
from tests.simulator.conftest import DAY

pytestmark = pytest.mark.django_db
SIMULATOR = {"WEBHOOK_SECRET": "whsec_1", "WEBHOOK_DELAY_SECONDS": 0.0}


@pytest.fixture(autouse=True)
def automatic(settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | SIMULATOR


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Bodies that the host's webhook got; it answers what ``inbox_status`` says."""
    received: list[Any] = []

    def post(body: bytes, headers: dict[str, str]) -> int:
        stripe.WebhookSignature.verify_header(body.decode(), headers["Stripe-Signature"], "whsec_1")
        received.append(json.loads(body))
        return 500 if "fail" in str(received[-1]["data"]["object"].get("email")) and len(received) < 3 else 200

    monkeypatch.setattr(endpoints, "post_to_own_webhook", post)
    return received


def test_an_event_is_delivered_once(inbox: list[Any]) -> None:
    database_simulator().create_customer({"email": "ada@example.com"})
    worker.work_once()
    worker.work_once()
    assert [event["type"] for event in inbox] == ["customer.created"]
    event = Event.objects.get()
    assert (event.attempts, event.last_status, bool(event.delivered_at)) == (1, 200, True)


def test_an_event_waits_for_its_delay(inbox: list[Any], settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"WEBHOOK_DELAY_SECONDS": 60}
    database_simulator().create_customer({})
    assert worker.work_once() == worker.IDLE_SECONDS
    assert inbox == []


def test_by_hand_means_never_by_itself(inbox: list[Any], settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"WEBHOOK_DELAY_SECONDS": None}
    database_simulator().create_customer({})
    worker.work_once()
    assert inbox == []


def test_a_failed_delivery_is_tried_again_later(inbox: list[Any]) -> None:
    database_simulator().create_customer({"email": "fail@example.com"})
    worker.work_once()
    event = Event.objects.get()
    assert (event.last_status, event.last_error) == (500, "settings answered 500")
    assert event.next_try_at > time.time()
    worker.work_once()
    assert len(inbox) == 1
    for _ in range(2):
        Event.objects.update(next_try_at=0)
        worker.work_once()
    assert (len(inbox), Event.objects.get().attempts) == (3, 3)
    assert Event.objects.get().delivered_at


def test_what_another_process_has_taken_is_left_alone(inbox: list[Any]) -> None:
    database_simulator().create_customer({})
    Event.objects.update(next_try_at=time.time() + worker.LEASE_SECONDS)
    worker.work_once()
    assert inbox == []


def test_an_endpoint_that_cannot_be_reached_is_an_error_to_read(settings: Any, inbox: list[Any]) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"WEBHOOK_URL": "http://127.0.0.1:9/nobody"}
    database_simulator().create_customer({})
    worker.work_once()
    assert "ConnectionRefusedError" in Event.objects.get().last_error


def test_a_registered_endpoint_gets_what_it_asked_for_over_http_with_its_own_secret(inbox: list[Any]) -> None:
    simulator = database_simulator()
    with listening() as (url, received):
        endpoint = simulator.create_webhook_endpoint({"url": url, "enabled_events": ["customer.deleted"]})
        secret = simulator.find("webhook_endpoint", endpoint)["_secret"]
        customer = simulator.create_customer({})
        simulator.delete_customer(customer)
        worker.work_once()
    [(body, signature)] = received
    assert json.loads(body)["type"] == "customer.deleted"
    assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret)
    assert len(inbox) == 2
    assert Event.objects.filter(delivered_at=None).count() == 0


def test_time_itself_does_what_is_due(inbox: list[Any]) -> None:
    simulator = database_simulator()
    session = simulator.create_session({"mode": "setup", "currency": "eur", "success_url": "https://x.example/"})
    with simulator.unit():
        simulator.store.shift_clock(2 * DAY)
    worker.work_once()
    assert simulator.get("checkout.session", session)["status"] == "expired"
    assert [event["type"] for event in inbox] == ["checkout.session.expired"]


def test_the_licenzy_webhook_is_called_through_djangos_handler() -> None:
    assert endpoints.post_to_own_webhook(b"{}", {"Content-Type": "application/json"}) == 400


def test_no_thread_runs_under_test_and_one_in_a_serving_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread.name))
    worker.ensure_running()
    assert started == []
    monkeypatch.delattr(mail, "outbox")
    monkeypatch.setitem(worker._running, "pid", None)
    worker.on_request()
    worker.on_request()
    worker.wake()
    assert started == ["licenzy-simulator-webhooks"]


class Handler(BaseHTTPRequestHandler):
    received: list[tuple[bytes, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((body, self.headers["Stripe-Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class listening:  # noqa: N801
    """A webhook on a real socket: its address and what it got."""

    def __enter__(self) -> tuple[str, list[tuple[bytes, str]]]:
        received: list[tuple[bytes, str]] = []
        self.server = HTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"received": received}))
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/hook?a=1", received

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def quiet_bell() -> Iterator[None]:
    yield
    worker._bell.clear()
