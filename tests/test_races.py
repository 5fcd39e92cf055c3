"""Real threads and processes on a real database: PostgreSQL in CI, and SQLite as this project sets it up."""

from __future__ import annotations

import multiprocessing
import random
import threading
from typing import Any

import pytest
from django.db import connection, connections

from licenzy_django import access, sync
from licenzy_django.checkout import attempts
from licenzy_django.entitlements import rebuild
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, StripeEvent
from licenzy_django.stripe import client, facts
from licenzy_django.sync import comparison
from licenzy_django.testing import StripeDouble
from tests.histories import EVERYTHING, HISTORIES, REF, forget_what_stripe_told, handled, state, sub
from tests.threads import in_threads

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.sells(**EVERYTHING)]
Json = dict[str, Any]


def test_the_same_event_by_twenty_threads_grants_once(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "CREDITS"))
    (event,) = handled(stripe.take_events())

    statuses = in_threads(20, lambda number: stripe.deliver([event])[0])

    assert statuses == [200] * 20
    assert StripeEvent.objects.get(event_id=event["id"]).status == "processed"
    assert Entitlement.objects.count() == 1
    assert EntitlementChange.objects.count() == 1
    assert access.summary(REF).usage_remaining == 100


NAMES = ["first period refunded at once", "two passes, the first refunded", "renewal that fails and recovers",
         "dispute won", "swap and back", "two packs, one disputed"]  # fmt: skip


def deliver_shuffled(stripe: StripeDouble, events: list[Json], seed: int, results: Any) -> None:
    connections.close_all()
    sent = list(events) * 2
    random.Random(seed).shuffle(sent)
    results.put(sorted(set(stripe.deliver(sent))))
    connections.close_all()


@pytest.mark.parametrize("history", [each for each in HISTORIES if each.name in NAMES], ids=str)
def test_a_whole_history_by_eight_processes_at_once_ends_as_it_does_in_order(history, stripe: StripeDouble) -> None:  # type: ignore[no-untyped-def]
    history.prelude(stripe)
    history.tail(stripe)
    events = handled(stripe.take_events())
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    workers = [fork.Process(target=deliver_shuffled, args=(stripe, events, seed, results)) for seed in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0] * 8
    assert [results.get() for _ in workers] == [[200]] * 8
    together = state()
    forget_what_stripe_told()
    stripe.deliver(events)
    assert together == state()


def test_stripe_firebase_extensions_119_a_slow_worker_does_not_overwrite_a_newer_answer(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """invertase/stripe-firebase-extensions#119: fetching without serialisation loses too."""
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.cancel_at_period_end(session["subscription"])
    (slow_event,) = stripe.take_events()
    fetched, newer_is_kept = threading.Event(), threading.Event()
    fetch = client.fetch_subscription

    def slow_fetch(mode: str, subscription_id: str) -> Json:
        answer = fetch(mode, subscription_id)
        if threading.current_thread() is slow:
            fetched.set()
            assert newer_is_kept.wait(20)
        return answer

    def deliver_slowly() -> None:
        try:
            stripe.deliver([slow_event])
        finally:
            connections.close_all()

    monkeypatch.setattr(client, "fetch_subscription", slow_fetch)
    slow = threading.Thread(target=deliver_slowly)
    slow.start()
    assert fetched.wait(20)
    stripe.simulator.pause(sub(stripe))
    stripe.deliver()
    newer_is_kept.set()
    slow.join(20)

    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "paused")


def test_a_refund_and_its_purchase_at_the_same_moment_find_each_other(stripe: StripeDouble) -> None:
    for number in range(12):
        session = stripe.simulator.pay(stripe.checkout(f"user_{number}", "WEEK_PASS"))
        stripe.simulator.refund(session)
        events = handled(stripe.take_events())

        in_threads(len(events), lambda which, events=events: stripe.deliver([events[which]]))

        refused = access.check(f"user_{number}")
        assert (bool(refused), refused.reason) == (False, "refunded")


def test_a_worker_that_saw_a_checkout_unpaid_does_not_unfinish_it(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = stripe.simulator.pay_by_bank(stripe.checkout(REF, "WEEK_PASS"))
    (completed,) = handled(stripe.take_events())
    kept, newer_is_settled = threading.Event(), threading.Event()
    keep = facts.save

    def slow_keep(fact: Any, **given: Any) -> Any:
        whole = keep(fact, **given)
        if threading.current_thread() is slow:
            kept.set()
            assert newer_is_settled.wait(20)
        return whole

    def deliver_slowly() -> None:
        try:
            stripe.deliver([completed])
        finally:
            connections.close_all()

    monkeypatch.setattr(facts, "save", slow_keep)
    slow = threading.Thread(target=deliver_slowly)
    slow.start()
    assert kept.wait(20)
    stripe.simulator.settle_bank(session)
    stripe.deliver()
    newer_is_settled.set()
    slow.join(20)

    assert CheckoutAttempt.objects.get().status == "finalized"
    assert access.check(REF)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one lock for all")
def test_the_return_page_and_the_webhook_do_not_wait_for_each_other(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = stripe.simulator.pay(stripe.checkout(REF, "WEEK_PASS"))
    events = handled(stripe.take_events())
    webhook_has_the_attempt, page_has_the_subject = threading.Event(), threading.Event()
    settle, lock = attempts.update_status, rebuild.lock_subject

    def slow_settle(*args: Any) -> bool:
        is_finalized = settle(*args)
        webhook_has_the_attempt.set()
        page_has_the_subject.wait(1)
        return is_finalized

    def slow_lock(subject_id: int) -> Any:
        subject = lock(subject_id)
        page_has_the_subject.set()
        webhook_has_the_attempt.wait(20)
        return subject

    monkeypatch.setattr(attempts, "update_status", slow_settle)
    monkeypatch.setattr(comparison, "lock_subject", slow_lock)

    def act(number: int) -> Any:
        return sync.refresh_checkout(session["id"], REF, mode="test") if number else stripe.deliver(events)

    statuses, attempt = in_threads(2, act)

    assert statuses == [200]
    assert attempt.status == "finalized"


def test_many_subjects_at_once_meet_no_lock_error(stripe: StripeDouble) -> None:
    for number in range(10):
        stripe.simulator.pay(stripe.checkout(f"user_{number}", "PRO_MONTHLY"))
    events = handled(stripe.take_events())
    random.Random(1).shuffle(events)

    statuses = in_threads(8, lambda number: stripe.deliver(events[number::8]))

    assert {status for some in statuses for status in some} == {200}
    assert all(access.check(f"user_{number}") for number in range(10))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="what SQLite needs")
def test_sqlite_is_set_up_as_the_check_asks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
