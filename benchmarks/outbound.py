"""How fast due events are delivered, as a ratio to bare POSTs with the same HTTP client to the same receiver.

    DATABASE_URL=postgres://root@127.0.0.1:5432/postgres python -m benchmarks.outbound [DELIVERIES] [ROUNDS]

Uses a database of its own. Bare posts and deliveries take turns, since the machine's speed swings; the ratio counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import get_runner, setup_databases, teardown_databases  # noqa: E402

from licenzy_django.models import Delivery, OutboundEvent  # noqa: E402
from licenzy_django.outbound import (  # noqa: E402
    deliveries,
    endpoints,
    events,
    transport,
)

RESULTS = Path(__file__).parent / "results" / "outbound.json"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PAYLOAD = events.payload("user_1", mode="test", product_code="PRO_MONTHLY", status="active")
BODY = json.dumps({"id": "evt_" + "x" * 24, "type": "entitlement.updated", "data": PAYLOAD}).encode()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    writer.write(ANSWER)
    writer.close()


@contextmanager
def receiver() -> Iterator[str]:
    """In a process of its own."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:

        async def serve() -> None:
            server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
            os.write(writing, str(server.sockets[0].getsockname()[1]).encode())
            await server.serve_forever()

        asyncio.run(serve())
    try:
        yield f"http://127.0.0.1:{os.read(reading, 10).decode()}/hook"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def tell(endpoint_id: int, number: int) -> None:
    OutboundEvent.objects.all().delete()
    events = [
        OutboundEvent(mode="test", type="entitlement.updated", subject_ref="user_1", payload=PAYLOAD)
        for _ in range(number)
    ]
    OutboundEvent.objects.bulk_create(events, batch_size=1000)
    made = OutboundEvent.objects.values_list("pk", flat=True)
    due = [Delivery(mode="test", event_id=pk, endpoint_id=endpoint_id) for pk in made]
    Delivery.objects.bulk_create(due, batch_size=1000)


def deliver() -> None:
    while deliveries.deliver_due().taken:
        pass


def post_bare(url: str, number: int) -> None:
    for _ in range(number):
        assert transport.post(url, BODY, {"Content-Type": "application/json"}).is_success


def rate(act: Callable[[], None], number: int, processes: int) -> float:
    """Per second, over all processes."""
    connection.close()
    began = time.monotonic()
    pids = []
    for _ in range(processes):
        if (pid := os.fork()) == 0:
            act()
            connection.close()
            os._exit(0)
        pids.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * processes
    return number / (time.monotonic() - began)


def compare(url: str, endpoint_id: int, number: int, rounds: int, processes: int) -> dict[str, float]:
    bare, delivered = [], []
    for _ in range(rounds):
        bare.append(rate(lambda: post_bare(url, number // processes), number, processes))
        tell(endpoint_id, number)
        delivered.append(rate(deliver, number, processes))
        assert Delivery.objects.filter(status="sent", attempts=1).count() == number
    ratios = [ours / theirs for ours, theirs in zip(delivered, bare, strict=True)]
    return {
        "bare_posts_per_second": round(statistics.median(bare)),
        "deliveries_per_second": round(statistics.median(delivered)),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_lowest": round(min(ratios), 2),
        "ratio_highest": round(max(ratios), 2),
    }


def main(number: int = 2000, rounds: int = 5) -> None:
    settings.LICENZY |= {
        "CLOCK": "django.utils.timezone.now",
        "OUTBOUND_ALLOW_HTTP": True,
        "OUTBOUND_ALLOW_PRIVATE": True,
    }
    get_runner(settings)
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with receiver() as url:
            endpoint, _ = endpoints.create("test", url)
            found = {
                "database": connection.vendor,
                "deliveries": number,
                "rounds": rounds,
                "one_worker": compare(url, endpoint.pk, number, rounds, 1),
                "four_workers": compare(url, endpoint.pk, number, rounds, 4),
            }
    finally:
        teardown_databases(databases, verbosity=0)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | {str(found["database"]): found}, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
