"""Many workers at once, and workers that die: nothing lost, nothing twice but what was in flight."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from licenzy_django.models import Delivery, OutboundEndpoint, OutboundEvent
from licenzy_django.outbound import deliveries, events
from tests.outbound.receiver import Receiver
from tests.outbound.workers import Workers, forking_workers
from tests.servers import clean_environment, eventually

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def tell_in_bulk(endpoint: OutboundEndpoint, number: int) -> None:
    payload = events.payload("user_1", mode="test")
    made_events = [
        OutboundEvent(mode="test", type="entitlement.updated", subject_ref="user_1", payload=payload)
        for _ in range(number)
    ]
    OutboundEvent.objects.bulk_create(made_events, batch_size=1000)
    made = OutboundEvent.objects.order_by("pk")
    Delivery.objects.bulk_create(
        [Delivery(mode="test", event=event, endpoint=endpoint) for event in made], batch_size=1000
    )


@pytest.fixture
def workers() -> Iterator[Workers]:
    with forking_workers(connection.settings_dict["NAME"]) as workers:
        yield workers


def test_workers_that_are_killed_fifty_times_lose_nothing(
    endpoint: OutboundEndpoint, receiver: Receiver, workers: Workers
) -> None:
    """Each worker lives in a time in which the leases of the one before are over, as if three minutes had passed."""
    number, kills, chance = 800, 50, random.Random(6)
    tell_in_bulk(endpoint, number)
    at = timezone.now()
    for _ in range(kills):
        at += deliveries.LEASE
        reached = len(receiver.requests)
        worker = workers.start(at)
        while len(receiver.requests) == reached:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        assert workers.kill(worker) == -signal.SIGKILL, "It had sent everything before it was killed."

    assert workers.wait(workers.start(at + deliveries.LEASE)) == 0

    times = Counter(receiver.ids)
    assert not Delivery.objects.exclude(status="sent").exists()
    assert len(times) == number
    assert sum(times.values()) - number <= kills, "Only what is in flight may be sent again."


@pytest.mark.concurrency
@pytest.mark.skipif(settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="SQLite has one writer")
def test_four_workers_send_ten_thousand_deliveries_and_none_twice(
    endpoint: OutboundEndpoint, receiver: Receiver, workers: Workers
) -> None:
    tell_in_bulk(endpoint, 10_000)
    at = timezone.now()

    pids = [workers.start(at) for _ in range(4)]

    assert [workers.wait(pid) for pid in pids] == [0, 0, 0, 0]
    assert Delivery.objects.filter(status="sent", attempts=1).count() == 10_000
    assert len(receiver.ids) == len(set(receiver.ids)) == 10_000


def test_two_workers_share_a_queue_and_send_nothing_twice(
    endpoint: OutboundEndpoint, receiver: Receiver, workers: Workers
) -> None:
    """On any database: the conditional UPDATE decides where locked rows cannot be skipped."""
    tell_in_bulk(endpoint, 300)
    at = timezone.now()

    pids = [workers.start(at) for _ in range(2)]

    assert [workers.wait(pid) for pid in pids] == [0, 0]
    assert len(receiver.ids) == len(set(receiver.ids)) == 300


@pytest.mark.skipif(not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason="Only PostgreSQL can")
def test_only_the_mark_of_a_delivery_is_committed_without_waiting_for_the_disk(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    def setting() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    before = setting()
    tell_in_bulk(endpoint, 1)

    assert deliveries.deliver_due().sent == 1
    assert setting() == before == "on"


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command_settings(tmp_path: Path) -> dict[str, str]:
    """The environment of a command on this test's database that may speak to loopback."""
    module = tmp_path / "outbound_settings.py"
    allowed = '{"CLOCK": "django.utils.timezone.now", "OUTBOUND_ALLOW_HTTP": True, "OUTBOUND_ALLOW_PRIVATE": True}'
    database = settings.DATABASES["default"] | {"NAME": connection.settings_dict["NAME"]}
    module.write_text(
        f"from tests.settings import *\nLICENZY = LICENZY | {allowed}\nDATABASES = {{'default': {database!r}}}\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    return clean_environment(DJANGO_SETTINGS_MODULE="outbound_settings", PYTHONPATH=path)


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "django", "licenzy_deliver", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_the_command_sends_what_is_due_and_ends(
    endpoint: OutboundEndpoint, receiver: Receiver, command_settings: dict[str, str]
) -> None:
    tell_in_bulk(endpoint, 3)

    with started(command_settings) as command:
        output, _ = command.communicate(timeout=60)

    assert command.returncode == 0
    assert output.endswith("3 delivered.\n")
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_forever_worker_finishes_the_one_in_flight_and_stops(
    endpoint: OutboundEndpoint, receiver: Receiver, command_settings: dict[str, str], number: int
) -> None:
    receiver.drip_seconds = 0.01  # about half a second for an answer
    with started(command_settings, "--forever") as command:
        try:
            time.sleep(0.2)
            tell_in_bulk(endpoint, 20)
            eventually(lambda: len(receiver.requests) == 2)
            command.send_signal(number)
            output, _ = command.communicate(timeout=30)
        finally:
            command.kill()

    assert command.returncode == 0
    assert output.endswith("2 delivered.\n")
    assert Delivery.objects.filter(status="sent").count() == len(receiver.requests) == 2
    assert not Delivery.objects.exclude(leased_until=None).exists()
