"""A server that is killed with SIGKILL while events arrive, and a database that goes away. ``make test-crashes``."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import threading
import time
from contextlib import closing, suppress
from typing import Any
from wsgiref.simple_server import WSGIServer

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection, connections
from django.urls import reverse

from licenzy_django.models import CheckoutAttempt, StripeFact, Subject
from licenzy_django.simulator.delivery import request_for
from licenzy_django.testing import WEBHOOK_SECRET, StripeDouble, stripe_double_in_memory
from tests.histories import EVERYTHING, HISTORIES, REF, forget_what_stripe_told, handled, sell_everything, state

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True), pytest.mark.sells(**EVERYTHING)]
Json = dict[str, Any]
ROUNDS = int(os.environ.get("LICENZY_CRASH_ROUNDS", "100"))


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


class Server:
    """Our webhook in a process of its own. The listening socket is the parent's, so a restart loses no connection."""

    def __init__(self, database: Json | None = None) -> None:
        self.database = database or {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.pid = 0

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def start(self) -> None:
        connections.close_all()
        self.pid = os.fork()
        if self.pid:
            return
        try:
            connection.settings_dict.update(self.database)
            server = WSGIServer(("127.0.0.1", 0), QuietHandler, bind_and_activate=False)
            server.socket = self.listener
            server.server_name, server.server_port = "127.0.0.1", self.port
            server.setup_environ()
            server.set_app(WSGIHandler())
            server.serve_forever(poll_interval=0.01)
        finally:
            os._exit(1)

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    def restart(self) -> None:
        self.kill()
        self.start()

    def post(self, event: Json) -> int:
        """The status, or 0 when the server died under the request."""
        body, headers = request_for(event, [WEBHOOK_SECRET], "2026-10-28.endive")
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as wire:
                wire.request("POST", reverse("licenzy:stripe-webhook"), body, headers)
                return wire.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


@pytest.mark.usefixtures("transactional_db")
def test_a_killed_server_loses_and_doubles_nothing() -> None:
    chance = random.Random(20_261_123)
    kills = 0
    for round_number in range(ROUNDS):
        history = chance.choice(HISTORIES)
        with stripe_double_in_memory() as stripe:
            sell_everything(stripe)
            history.prelude(stripe)
            history.tail(stripe)
            events = handled(stripe.take_events())
            kills += deliver_under_fire(events, chance)

            after_the_crashes = state()
            forget_what_stripe_told()
            assert set(stripe.deliver(events)) == {200}
            assert after_the_crashes == state(), (round_number, history.name)
        forget_what_stripe_told()
        CheckoutAttempt.objects.all().delete()
        StripeFact.objects.all().delete()
        Subject.objects.all().delete()
    assert kills > ROUNDS // 2


def deliver_under_fire(events: list[Json], chance: random.Random) -> int:
    """Deliver in any order until all are kept, to a server that is killed again and again. Returns how often."""
    waiting, kills = chance.sample(events, len(events)), 0
    server = Server()
    server.start()
    while waiting:
        event = waiting.pop(0)
        killer = threading.Timer(chance.random() * 0.03, server.restart) if chance.random() < 0.6 else None
        if killer:
            killer.start()
        status = server.post(event)
        if killer:
            killer.join()
            kills += 1
        if status != 200:
            waiting.append(event)
    server.kill()
    server.listener.close()
    return kills


class Proxy(threading.Thread):
    """A way to the database that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.is_cut = False
        self.open: list[socket.socket] = []

    def run(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(self.target)
            self.open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65_536):
                sink.sendall(chunk)
        except OSError:
            pass

    def cut(self) -> None:
        self.is_cut = True
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self.cut()
        for each in [self.listener, *self.open]:
            each.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a SQLite file does not go away")
def test_a_database_that_goes_away_means_5xx_and_then_right(stripe: StripeDouble) -> None:
    settings = connection.settings_dict
    proxy = Proxy(settings["HOST"] or "127.0.0.1", int(settings["PORT"] or 5432))
    proxy.start()
    server = Server({"HOST": "127.0.0.1", "PORT": proxy.listener.getsockname()[1]})
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    events = handled(stripe.take_events())
    server.start()
    try:
        assert server.post(events[0]) == 200
        proxy.cut()
        during = [server.post(event) for event in events]
        proxy.is_cut = False
        time.sleep(0.1)
        afterwards = [server.post(event) for event in events]
    finally:
        server.kill()
        server.listener.close()
        proxy.end()

    assert all(500 <= status < 600 for status in during), during
    assert afterwards == [200] * len(events)
    with_the_gap = state()
    forget_what_stripe_told()
    stripe.deliver(events)
    assert with_the_gap == state()
