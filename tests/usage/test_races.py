"""Real processes on a real database: PostgreSQL in CI, and SQLite as this project sets it up."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import Sum

from licenzy_django import operators, usage
from licenzy_django.exceptions import (
    ConsumptionNotFound,
    IdempotencyKeyReused,
    InsufficientUsage,
    InvalidRequest,
    ReservationClosed,
)
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Product
from tests.shelf import ON_POSTGRESQL, Shelf

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WORKERS = 16 if ON_POSTGRESQL else 4
fork = multiprocessing.get_context("fork")


def in_processes(count: int, act: Callable[[int], list[Any]]) -> list[list[Any]]:
    """All at once, each with a connection of its own. Fails if one of them does."""
    connections.close_all()
    barrier, answers = fork.Barrier(count), fork.SimpleQueue()

    def run(number: int) -> None:
        connections.close_all()
        barrier.wait(30)
        answers.put(act(number))
        connections.close_all()

    workers = [fork.Process(target=run, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    found: list[list[Any]] = []
    give_up_at = time.monotonic() + 120
    while len(found) < count and not any(worker.exitcode for worker in workers):
        assert time.monotonic() < give_up_at, "A worker hangs."
        found += [] if answers.empty() else [answers.get()]
        time.sleep(0.005)
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * count
    return found


def consume(subject: str, units: int, key: str) -> tuple[str, int] | None:
    try:
        used = usage.consume(subject, units, idempotency_key=key)
    except InsufficientUsage:
        return None
    return key, used.usage_remaining


def assert_books_are_balanced() -> None:
    connections.close_all()
    call_command("licenzy_doctor", only=["books"])
    for pack in Pack.objects.all():
        spent = pack.units_consumed + pack.units_reserved + pack.units_voided
        assert min(pack.units_remaining, spent) >= 0
        assert pack.units_granted == spent + pack.units_remaining


@pytest.mark.parametrize("subjects", [1, 1000 if ON_POSTGRESQL else 50])
def test_units_are_conserved_and_each_key_is_used_once(shelf: Shelf, subjects: int) -> None:
    """More is asked for than is there, and each key comes from two workers."""
    sizes = [1] if subjects > 1 else [50, 100] if ON_POSTGRESQL else [15, 30]
    shelf.give_many(sizes, subjects=subjects)
    total = sum(sizes) * subjects
    calls = [(f"user_{number % subjects}", 1, f"key-{number}") for number in range(total + total // 4)]

    def work(number: int) -> list[Any]:
        mine = [calls[at] for at in range(len(calls)) if at % (WORKERS // 2) == number % (WORKERS // 2)]
        random.Random(number).shuffle(mine)
        return [consume(*call) for call in mine]

    answers = [answer for answers in in_processes(WORKERS, work) for answer in answers if answer is not None]

    by_key = defaultdict(set)
    for key, left in answers:
        by_key[key].add(left)
    assert len(by_key) == total
    assert all(len(lefts) == 1 for lefts in by_key.values())
    rows = LedgerEntry.objects.filter(kind="consume")
    assert rows.aggregate(units=Sum("units"))["units"] == total
    assert Counter(rows.values_list("idempotency_key", flat=True)) == Counter(by_key.keys())
    assert not Pack.objects.exclude(units_remaining=0).exists()
    assert_books_are_balanced()


def test_the_same_key_at_the_same_moment_spends_once(shelf: Shelf) -> None:
    pack = shelf.give(1000)

    answers = in_processes(WORKERS, lambda number: [consume("user_1", 100, f"key-{turn}") for turn in range(5)])

    assert len({tuple(sorted(filter(None, one))) for one in answers}) == 1
    assert Pack.objects.get(entitlement=pack).units_consumed == 500


def test_a_confirm_that_races_a_second_one_and_the_expiry_happens_once(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    held = [usage.reserve("user_1", 10, idempotency_key=f"r{turn}", ttl_seconds=60) for turn in range(20)]
    lapsed_at = shelf.double.now + timedelta(seconds=61)

    def work(number: int) -> list[Any]:
        ended: list[Any] = []
        for reservation in held:
            with suppress(ReservationClosed):
                if number % 4 == 0:
                    usage.consume("user_1", 1, idempotency_key=uuid4().hex, at=lapsed_at)
                elif number % 4 == 1:
                    usage.release(reservation.reservation_id)
                else:
                    usage.confirm(reservation.reservation_id, number % 4)
                    ended.append((reservation.reservation_id, number % 4))
        return ended

    confirmed = {ended for answers in in_processes(WORKERS, work) for ended in answers}

    assert len(confirmed) == len({reservation_id for reservation_id, _ in confirmed})
    units = Pack.objects.get(entitlement=pack)
    consumers = sum(1 for number in range(WORKERS) if number % 4 == 0)
    assert units.units_consumed == sum(number for _, number in confirmed) + consumers * len(held)
    assert units.units_reserved == 0 or usage.remaining("user_1", at=lapsed_at) == 1000 - units.units_consumed
    assert_books_are_balanced()


def test_refunds_of_one_consumption_never_give_back_more_than_it_took(shelf: Shelf) -> None:
    """Under keys of their own and under keys that others use at the same moment, while the units are used again."""
    shelf.give(30)
    shelf.give(70)
    usage.consume("user_1", 100, idempotency_key="k")

    def work(number: int) -> list[Any]:
        given: list[Any] = []
        for turn in range(10):
            with suppress(InsufficientUsage, InvalidRequest):
                if number % 4 == 0:
                    usage.consume("user_1", 3, idempotency_key=f"use-{number}-{turn}")
                elif number % 4 == 1:
                    usage.reserve("user_1", 2, idempotency_key=f"hold-{number}-{turn}")
                else:
                    # Two workers share each key.
                    key = f"back-{number // 2}-{turn}"
                    answer = usage.refund("k", 3, reason="it failed", idempotency_key=key)
                    given.append((key, answer.refunded))
        return given

    answers = {answer for answers in in_processes(WORKERS, work) for answer in answers}

    assert len(answers) == len({key for key, _ in answers})
    back = LedgerEntry.objects.filter(kind="refund").aggregate(units=Sum("units"))["units"]
    assert back == sum(units for _, units in answers) <= 100
    assert usage.refund("k", reason="the rest", idempotency_key="rest").refunded == 100 - back
    used_again = LedgerEntry.objects.filter(kind="consume", idempotency_key__startswith="use-").count() * 3
    assert Pack.objects.aggregate(units=Sum("units_consumed"))["units"] == used_again
    assert_books_are_balanced()


def test_one_key_for_refunds_of_two_consumptions_gives_back_one_of_them(shelf: Shelf) -> None:
    for number in range(WORKERS):
        shelf.give(10, to=f"user_{number}")
        usage.consume(f"user_{number}", 10, idempotency_key=f"k{number}")

    def work(number: int) -> list[Any]:
        try:
            return [usage.refund(f"k{number}", reason="it failed", idempotency_key="one").refunded]
        except IdempotencyKeyReused:
            return ["reused"]

    answers = [answer for answers in in_processes(WORKERS, work) for answer in answers]

    assert sorted(answers, key=str) == [10, *["reused"] * (WORKERS - 1)]
    assert_books_are_balanced()


class Mix:
    """Everything that moves units, at random, over a few subjects with packs that are bought, refunded, disputed."""

    SUBJECTS = 3

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.double = shelf.double
        self.product: Product = shelf.product()
        self.told: list[Any] = []
        for number in range(self.SUBJECTS):
            subject = f"user_{number}"
            shelf.give(400, to=subject, until=self.double.now + timedelta(days=1))
            refunded, disputed = (self.double.buy(subject, "CREDITS") for _ in range(2))
            refund = self.double.simulator.refund(refunded)
            self.double.simulator.fail_refund(refund["id"])
            dispute = self.double.simulator.dispute(disputed)
            self.double.simulator.close_dispute(dispute["id"], "won")
            self.told += self.double.take_events()

    def step(self, chance: random.Random) -> None:
        subject, key = f"user_{chance.randrange(self.SUBJECTS)}", f"key-{chance.randrange(3000)}"
        units = int(key[4:]) % 40 + 1
        act = chance.choice(
            [self.consume, self.consume, self.reserve, self.reserve, self.refund, self.grant, self.adjust, self.tell]
        )
        with suppress(InsufficientUsage, ReservationClosed, InvalidRequest, ConsumptionNotFound):
            act(subject, f"{subject}-{key}", units, chance)

    def consume(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        at = self.double.now + timedelta(seconds=chance.choice([0, 0, 61]))
        usage.consume(subject, units, idempotency_key=key, at=at)

    def reserve(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        held = usage.reserve(subject, units, idempotency_key=key, ttl_seconds=60)
        if chance.random() < 0.7:
            usage.confirm(held.reservation_id, units // 2)
        elif chance.random() < 0.5:
            usage.release(held.reservation_id)

    def refund(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        taken = LedgerEntry.objects.filter(kind__in=["consume", "confirm"], subject__subject_ref=subject)
        if row := taken.order_by("?").first():
            usage.refund(row.pk, chance.choice([None, 1, units]), reason="random", idempotency_key=uuid4().hex)

    def grant(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        if chance.random() < 0.3:
            self.shelf.give(units, to=subject)

    def adjust(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        packs = list(Entitlement.objects.filter(subject_ref=subject).select_related("product"))
        pack = chance.choice(packs)
        if chance.random() < 0.5:
            usage.adjust(pack, chance.choice([units, -units]), actor=None, reason="random")
        else:
            chance.choice([operators.revoke, operators.restore])(pack, actor=None, reason="random")

    def tell(self, subject: str, key: str, units: int, chance: random.Random) -> None:
        assert self.double.deliver([chance.choice(self.told)]) == [200]


def test_a_random_mix_of_everything_leaves_the_books_balanced(shelf: Shelf) -> None:
    mix = Mix(shelf)

    def work(number: int) -> list[Any]:
        chance = random.Random(number)
        for _ in range(40):
            mix.step(chance)
        return []

    in_processes(WORKERS, work)

    assert_books_are_balanced()


ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))


def test_a_mix_that_is_killed_half_way_leaves_the_books_balanced(shelf: Shelf) -> None:
    mix, chance = Mix(shelf), random.Random(20261123)

    def work(number: int) -> None:
        connections.close_all()
        mine = random.Random(number)
        while True:
            mix.step(mine)

    for turn in range(ROUNDS):
        connections.close_all()
        workers = [fork.Process(target=work, args=(turn * 100 + number,)) for number in range(WORKERS // 2)]
        for worker in workers:
            worker.start()
        time.sleep(0.5 + chance.random())
        for worker in workers:
            assert worker.is_alive(), "A worker failed before it was killed."
            os.kill(worker.pid or 0, signal.SIGKILL)
            worker.join(10)
        assert_books_are_balanced()
    assert LedgerEntry.objects.filter(kind="confirm").exists()
