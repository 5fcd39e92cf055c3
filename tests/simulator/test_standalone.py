"""Alone, at the root of a port of its own: API, pages, clock and deliveries in one process."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
import requests
import stripe
from django.core.management import CommandError, call_command

from tests.servers import eventually
from tests.standalone import running_simulator

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_simulator(tmp_path_factory.mktemp("alone")) as address:
        yield address


@pytest.fixture
def client(address: str) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_simulator", base_addresses={"api": address})


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()


def test_the_pages_work_at_the_root_and_lead_to_one_another(address: str, client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "eur", "unit_amount": 1900, "product_data": {"name": "Pack"}})
    session = client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": price.id, "quantity": 1}], "success_url": "https://x.example/"}
    )
    assert session.url == f"{address}/checkout/{session.id}"

    visitor = requests.Session()
    page = visitor.get(str(session.url), timeout=10)
    assert page.status_code == 200
    assert 'href="/simulator.css"' in page.text
    assert 'href="/"' in page.text
    assert visitor.get(f"{address}/", timeout=10).status_code == 200
    assert visitor.get(f"{address}/simulator.css", timeout=10).status_code == 200

    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    paid = visitor.post(
        str(session.url), {"csrfmiddlewaretoken": token[1], "action": "card"}, timeout=10, allow_redirects=False
    )
    assert paid.headers["Location"] == "https://x.example/"
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_its_worker_delivers_to_an_endpoint_that_was_registered(
    client: stripe.StripeClient, receiver: tuple[str, list[bytes]]
) -> None:
    url, got = receiver
    endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
    made = client.v1.customers.create({"email": "ada@example.com"})
    eventually(lambda: any(made.id.encode() in body for body in got))
    client.v1.webhook_endpoints.delete(endpoint.id)


def test_nothing_but_the_simulator_is_there(address: str) -> None:
    assert requests.get(f"{address}/admin/", timeout=10).status_code == 404
    unknown = requests.get(f"{address}/v1/horoscopes", timeout=10, auth=("sk_test_simulator", ""))
    assert unknown.status_code == 404
    assert unknown.json()["error"]["type"] == "invalid_request_error"
    assert unknown.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/horoscopes).")


@pytest.mark.django_db
def test_it_does_not_start_where_it_may_not_run(settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"ALLOW_WITHOUT_DEBUG": False}
    with pytest.raises(CommandError, match="DEBUG=False"):
        call_command("licenzy_simulator", "--port", "0", stdout=StringIO())


@pytest.mark.parametrize(
    ("version", "sentence"), [("2019-01-01", "from 2024-06-20 on"), ("2099-01-01.zebra", "Invalid Stripe API version")]
)
def test_a_version_that_it_does_not_speak_is_said_at_the_start(version: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("licenzy_simulator", "--port", "0", "--api-version", version, stdout=StringIO())
