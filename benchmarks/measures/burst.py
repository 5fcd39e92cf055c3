"""Thousands of mixed events at once: renewals told twice over, duplicates, and events that nobody wants. PostgreSQL."""

from __future__ import annotations

import http.client
import random
import statistics
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

from benchmarks import stripe_objects
from benchmarks.databases import postgresql
from benchmarks.figures import percentile, rounded
from benchmarks.measures.servers import WORKERS, gunicorn
from benchmarks.sides.process import Side

SENDERS = 8
PATH = "/v1/webhooks/stripe"
Event = dict[str, Any]


def measure(*, events: int) -> dict[str, Any]:
    subscribers = events // 4
    told = mixed(subscribers)
    with postgresql() as make_database:
        database = make_database("burst")
        with Side("licenzy", database) as side:
            side.ask("make_tables")
            side.ask("fill", subscribers=subscribers)
            threads = ("--worker-class", "gthread", "--threads", str(SENDERS // WORKERS))
            with gunicorn(database, *threads, BENCH_PERIOD="1") as port:
                began = time.monotonic()
                took, refused = send(told, port)
                seconds = time.monotonic() - began
                again = refused
                while again:  # as Stripe would
                    _, again = send(again, port)
            state = side.ask("after_burst", period=1)
    expected = {"entitlements_renewed": subscribers, "changes": subscribers, "events": 3 * subscribers}
    assert state == expected, (state, expected)
    return {
        "events": len(told),
        "senders": SENDERS,
        "seconds": rounded(seconds, 1),
        "events_per_second": rounded(len(told) / seconds, 1),
        "p50_milliseconds": rounded(statistics.median(took), 1),
        "p99_milliseconds": rounded(percentile(took, 99), 1),
        "answered_5xx_and_sent_again": len(refused),
        "state_afterwards": state,
    }


def mixed(subscribers: int) -> list[Event]:
    """For each subscriber the renewal as the subscription and as the invoice, one of the two again, and one ignored."""
    chance = random.Random(7)
    told = []
    for number in range(1, subscribers + 1):
        renewal = [stripe_objects.event(event_type, number, 1) for event_type in stripe_objects.EVENT_OBJECTS]
        customer = {"id": f"cus_{number}", "object": "customer", "livemode": False}
        told += [*renewal, chance.choice(renewal)]
        told.append(stripe_objects.event_about(customer, "customer.updated", f"evt_ignored_{number}"))
    chance.shuffle(told)
    return told


def send(events: list[Event], port: int) -> tuple[list[float], list[Event]]:
    """By several senders at once; returns the milliseconds of each, and those that were answered 5xx."""
    waiting: SimpleQueue[Event] = SimpleQueue()
    for event in events:
        waiting.put(event)
    took: list[float] = []
    refused: list[Event] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                event = waiting.get_nowait()
            except Empty:
                return
            body, signature = stripe_objects.signed(event)
            began = time.monotonic()
            connection.request("POST", PATH, body, {"Content-Type": "application/json", "Stripe-Signature": signature})
            response = connection.getresponse()
            response.read()
            took.append((time.monotonic() - began) * 1000)
            if response.status >= 500:
                refused.append(event)
            else:
                assert response.status == 200, response.status

    senders = [threading.Thread(target=work) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(took) == len(events), "a sender died"
    return took, refused
