"""How fast units are used, as a ratio to the floor: one bare conditional UPDATE through the same driver, same run.

    DATABASE_URL=postgres://root@127.0.0.1:5432/postgres python benchmarks/consume.py

Each round measures every way for a moment, one after the other, with all workers at once; the figures are medians of
the rounds' ratios, with their quartiles.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from licenzy_django import access, usage  # noqa: E402
from licenzy_django.models import Entitlement, Kind, LedgerEntry, Pack, Product, Reservation, Subject  # noqa: E402
from licenzy_django.usage import postgres  # noqa: E402

fork = multiprocessing.get_context("fork")
PLENTY = 10**12
Way = Callable[[int, str], None]
unique = count()
OWNERS: dict[str, int] = {}
"""The keys of the subjects, for the ways that do not look them up."""


@dataclass(frozen=True)
class Shape:
    """A pack of a subject: of a usage pack, or a window that begins and ends so long from now."""

    units: int
    begins: timedelta | None = None
    ends: timedelta | None = None

    def times(self, now: datetime) -> dict[str, Any]:
        if self.begins is None or self.ends is None:
            return {}
        starts_at, ends_at = now + self.begins, now + self.ends
        times = {"starts_at": starts_at, "not_before": starts_at, "ends_at": ends_at, "available_until": ends_at}
        return {**times, "window_key": f"month:{starts_at:%s}"}


def key() -> str:
    return f"{os.getpid()}-{next(unique)}"


# --- the ways ---------------------------------------------------------------------------------------------------------


def floor(pk: int, subject_ref: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE licenzy_pack SET units_remaining = units_remaining - %s, "
            "units_consumed = units_consumed + %s WHERE id = %s AND units_remaining >= %s",
            (1, 1, pk, 1),
        )
        assert cursor.rowcount == 1


def consume(pk: int, subject_ref: str) -> None:
    usage.consume(subject_ref, 1, idempotency_key=key())


def consume_two_packs(pk: int, subject_ref: str) -> None:
    usage.consume(subject_ref, 15, idempotency_key=key())


def textbook(pk: int, subject_ref: str) -> None:
    """SELECT FOR UPDATE, then update and insert, by hand."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT subject_id, units_remaining FROM licenzy_pack WHERE id = %s FOR UPDATE", (pk,))
        subject_id, left = cursor.fetchone()
        assert left >= 1
        cursor.execute(
            "UPDATE licenzy_pack SET units_remaining = units_remaining - 1, units_consumed = units_consumed + 1 "
            "WHERE id = %s",
            (pk,),
        )
        cursor.execute(
            "INSERT INTO licenzy_ledgerentry (mode, subject_id, pack_id, kind, units, balance_after, "
            "idempotency_key, fingerprint, usage_remaining, source, reason, created_at) "
            "VALUES ('test', %s, %s, 'consume', 1, %s, %s, '', %s, 'runtime', '', %s)",
            (subject_id, pk, left - 1, key(), left - 1, timezone.now()),
        )


def through_the_orm(pk: int, subject_ref: str) -> None:
    """The same as a Django developer would write it first."""
    with transaction.atomic():
        pack = Pack.objects.select_for_update().get(pk=pk)
        pack.units_remaining -= 1
        pack.units_consumed += 1
        pack.save()
        LedgerEntry.objects.create(
            mode="test", subject_id=pack.subject_id, pack=pack, kind="consume", units=1,
            balance_after=pack.units_remaining, idempotency_key=key(), usage_remaining=pack.units_remaining,
        )  # fmt: skip


def reserve(pk: int, subject_ref: str) -> None:
    usage.reserve(subject_ref, 1, idempotency_key=key())


def check(pk: int, subject_ref: str) -> None:
    assert access.check(subject_ref, unit="credits")


FUNCTION_FLOOR = """
CREATE OR REPLACE FUNCTION bench_floor(pack bigint, owner bigint, key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE rest bigint;
BEGIN
  UPDATE licenzy_pack SET units_remaining = units_remaining - 1, units_consumed = units_consumed + 1
    WHERE id = pack AND units_remaining >= 1 RETURNING units_remaining INTO rest;
  INSERT INTO licenzy_ledgerentry (mode, subject_id, pack_id, kind, units, balance_after, idempotency_key, fingerprint,
    usage_remaining, source, reason, created_at)
    VALUES ('test', owner, pack, 'consume', 1, rest, key, '', rest, 'runtime', '', now());
END $$
"""


def function_floor(pk: int, subject_ref: str) -> None:
    """One function that does just the UPDATE and the INSERT, with the same indexes and none of our checks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bench_floor(%s, %s, %s)", (pk, OWNERS[subject_ref], key()))


def portable(pk: int, subject_ref: str) -> None:
    postgres.is_there = lambda using: False  # type: ignore[assignment]
    usage.consume(subject_ref, 1, idempotency_key=key())


MONTH = timedelta(days=30)
WINDOWS_AND_PACKS = [
    *[Shape(PLENTY, number * MONTH, (number + 1) * MONTH) for number in range(12)],
    *[Shape(PLENTY)] * 3,
]
PAST_WINDOWS = [Shape(PLENTY), *[Shape(5, -(number + 1) * MONTH, -number * MONTH) for number in range(1, 101)]]
ALL_VERBS: dict[str, Way] = {"usage.consume": consume, "usage.reserve": reserve, "access.check(unit=)": check}
SCENARIOS: list[tuple[str, int, list[Shape], dict[str, Way], float]] = [
    (
        "one hot subject",
        1,
        [Shape(PLENTY)],
        {
            **ALL_VERBS,
            "a function with the UPDATE and the INSERT": function_floor,
            "SELECT FOR UPDATE, UPDATE, INSERT": textbook,
            "the same through the ORM": through_the_orm,
            "usage.consume, portable": portable,
        },
        0.5,
    ),
    (
        "1,000 subjects",
        1000,
        [Shape(PLENTY)],
        {
            **ALL_VERBS,
            "a function with the UPDATE and the INSERT": function_floor,
            "SELECT FOR UPDATE, UPDATE, INSERT": textbook,
            "the same through the ORM": through_the_orm,
            "usage.consume, portable": portable,
        },
        0.35,
    ),
    (
        "1,000 subjects, each call drains two of five packs",
        1000,
        [Shape(10)] * 5,
        {"usage.consume": consume_two_packs},
        0.3,
    ),
    ("one hot subject with 12 windows and 3 packs", 1, WINDOWS_AND_PACKS, ALL_VERBS, 0.5),
    ("one hot subject with 100 past windows", 1, PAST_WINDOWS, ALL_VERBS, 0.5),
]


# --- measuring --------------------------------------------------------------------------------------------------------


def stock(subjects: int, shapes: list[Shape]) -> list[tuple[int, str]]:
    """Fresh subjects with packs of these sizes; returns the first pack of each."""
    LedgerEntry.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    Reservation.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    Entitlement.objects.all().delete()
    Pack.objects.all().delete()
    Subject.objects.all().delete()
    product, _ = Product.objects.get_or_create(
        mode="test", code="BENCH", defaults={"name": "b", "kind": Kind.USAGE_PACK, "units": 1, "stripe_price_id": "p"}
    )
    owners = Subject.objects.bulk_create(Subject(mode="test", subject_ref=f"user_{each}") for each in range(subjects))
    packs = Pack.objects.bulk_create(
        Pack(
            mode="test", subject=owner, subject_ref=owner.subject_ref, product=product,
            source_id=f"{owner.pk}_{number}", units_granted=shape.units, units_remaining=shape.units,
            **shape.times(timezone.now()),
        )
        for owner in owners
        for number, shape in enumerate(shapes)
    )  # fmt: skip
    OWNERS.update({owner.subject_ref: owner.pk for owner in owners})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE licenzy_pack, licenzy_ledgerentry")
    return [(pack.pk, pack.subject_ref) for pack in packs[:: len(shapes)]]


def refill(size: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE licenzy_pack SET units_granted = %s, units_remaining = %s, units_consumed = 0", (size, size)
        )


def rate(way: Way, targets: list[tuple[int, str]], workers: int, seconds: float, calls: int = 0) -> float:
    """Calls in a second by all workers at once; ``calls`` walks through the targets that often instead of by time."""
    connections.close_all()
    barrier, done = fork.Barrier(workers), fork.SimpleQueue()

    def run(number: int) -> None:
        mine = targets[number::workers] if calls else random.Random(number).sample(targets, len(targets))
        try:
            done.put(worked(way, mine, barrier, seconds, calls))
        except BaseException:
            barrier.abort()
            done.put(None)
            raise
        finally:
            connections.close_all()

    processes = [fork.Process(target=run, args=(number,)) for number in range(workers)]
    for process in processes:
        process.start()
    counted = [done.get() for _ in processes]
    for process in processes:
        process.join()
    if None in counted:
        raise RuntimeError("A worker failed: see above.")
    return float(sum(made for made, _ in counted) / max(took for _, took in counted))


def worked(way: Way, mine: list[tuple[int, str]], barrier: Any, seconds: float, calls: int) -> tuple[int, float]:
    """How many calls one worker made, and in how many seconds."""
    connection.ensure_connection()
    postgres.is_there("default")
    for target in [] if calls else mine[:1] * 8:
        way(*target)
    barrier.wait()
    begun, made = time.perf_counter(), 0
    for target in mine * calls:
        way(*target)
        made += 1
    while not calls and time.perf_counter() < begun + seconds:
        way(*mine[made % len(mine)])
        made += 1
    return made, time.perf_counter() - begun


def measured(name: str, subjects: int, shapes: list[Shape], ways: dict[str, Way], goal: float, options: Any) -> Any:
    rates: dict[str, list[float]] = {"floor": [], **{way: [] for way in ways}}
    for _ in range(options.rounds):
        targets = stock(subjects, shapes)
        calls = 3 if shapes[0].units < PLENTY else 0
        refill(PLENTY)  # the floor takes one after the other, for as long as it is measured
        rates["floor"].append(rate(floor, targets, options.workers, options.seconds))
        for way, act in ways.items():
            if calls:
                refill(shapes[0].units)
            rates[way].append(rate(act, targets, options.workers, options.seconds, calls))
    found: dict[str, Any] = {
        "scenario": name,
        "goal": goal,
        "floor_per_second": round(statistics.median(rates["floor"])),
    }
    for way in ways:
        ratios = [made / bare for made, bare in zip(rates[way], rates["floor"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        found[way] = {
            "per_second": round(statistics.median(rates[way])),
            "ratio": round(middle, 2),
            "quartiles": [round(low, 2), round(high, 2)],
        }
    return found


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    settings.LICENZY = {**settings.LICENZY, "CLOCK": "django.utils.timezone.now"}
    connection.creation.create_test_db(verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute(FUNCTION_FLOOR)
        results = [measured(*scenario, options) for scenario in SCENARIOS]
    finally:
        connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)
    report = {"workers": options.workers, "rounds": options.rounds, "cores": os.cpu_count(), "results": results}
    (REPOSITORY / "benchmarks" / "results" / "consume.json").write_text(json.dumps(report, indent=2) + "\n")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    missed = [found["scenario"] for found in results if found["usage.consume"]["ratio"] < found["goal"]]
    sys.stdout.write(f"Below its goal: {', '.join(missed)}\n" if missed else "Every goal is reached.\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
