"""The simulator that the demo uses: the same verbs, kept in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
import time_machine
from django.db import connection

from licenzy_django import simulator as package
from licenzy_django.simulator import account
from licenzy_django.simulator.account import database_simulator, forget_clock
from licenzy_django.simulator.models import Account, Event, SavedAnswer, Thing
from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.simulator import Simulator
from tests.simulator.conftest import DAY, Shop, make_shop

pytestmark = pytest.mark.django_db
PRICE = "price_pro_monthly"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def kept() -> Iterator[Shop]:
    forget_clock()
    yield make_shop(database_simulator())
    forget_clock()


def client() -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_simulator", http_client=package.http_client(), max_network_retries=2)


def test_a_whole_history_is_the_same_as_in_memory(kept: Shop, shop: Shop) -> None:
    def history(where: Shop) -> list[str]:
        ref = where.simulator.pay(where.session(where.month, customer=where.customer["id"]))["subscription"]
        where.simulator.renew(ref)
        where.simulator.renew(ref, paid=False)
        where.simulator.recover(ref)
        where.simulator.swap_price(ref, where.year)
        where.simulator.refund(ref)
        where.simulator.close_dispute(where.simulator.dispute(ref, amount=5), "won")
        where.simulator.cancel_at_period_end(ref)
        where.simulator.advance(370 * DAY)
        where.simulator.delete_customer(where.customer)
        return where.told()

    assert history(kept) == history(shop)
    assert Event.objects.count() == len(shop.simulator.events())


def test_another_instance_sees_the_same_world(kept: Shop) -> None:
    session = kept.simulator.pay(kept.session(kept.pack))
    other = database_simulator()
    assert other.get("checkout.session", session["id"])["payment_status"] == "paid"
    assert [event["type"] for event in other.events()] == [event["type"] for event in kept.simulator.events()]


def test_a_verb_that_is_refused_changes_nothing(kept: Shop) -> None:
    session = kept.simulator.pay(kept.session(kept.pack))
    before = list(Thing.objects.values_list("body", flat=True))
    with pytest.raises(RefusalError):
        kept.simulator.refund(session, amount=5_000)
    assert list(Thing.objects.values_list("body", flat=True)) == before


def test_the_prices_of_the_settings_exist_from_the_start(settings: Any) -> None:
    price = client().v1.prices.retrieve(PRICE)
    assert (price.unit_amount, price.type) == (1900, "recurring")
    listed = {price.id for price in client().v1.prices.list({"limit": 100}).data}
    assert listed == {entry["id"] for entry in settings.LICENZY_SIMULATOR["PRICES"]}
    assert client().v1.prices.list({"limit": 100}).data[0].product


def test_the_clock_is_real_time_plus_what_was_skipped() -> None:
    forget_clock()
    with time_machine.travel(NOON, tick=False):
        assert package.now() == NOON
        database_simulator().advance(3 * DAY)
        forget_clock()
        assert package.now() == NOON + timedelta(days=3)
    assert package.now().tzinfo is not None
    Account.objects.all().delete()
    forget_clock()


def test_asking_the_time_often_costs_one_query(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "CLOCK_AGE_SECONDS", 3600)  # a busy machine may need a second for this
    forget_clock()
    with django_assert_num_queries(1):
        for _ in range(5):
            package.now()


def test_a_replayed_key_makes_one_session(kept: Shop) -> None:
    wanted: Any = {
        "mode": "subscription", "success_url": "https://x.example/", "line_items": [{"price": PRICE, "quantity": 1}],
    }  # fmt: skip
    create = client().v1.checkout.sessions.create
    first = create(wanted, {"idempotency_key": "k"})
    assert create(wanted, {"idempotency_key": "k"}).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        create(wanted | {"metadata": {"a": "1"}}, {"idempotency_key": "k"})
    assert Thing.objects.filter(kind="checkout.session").count() == 1


def test_the_key_of_a_dead_process_can_be_taken_over_after_a_while(kept: Shop) -> None:
    store = kept.simulator.store
    assert store.claim("k", "same").state == "ours"
    assert store.claim("k", "same").state == "in_flight"
    assert store.claim("k", "other").state == "mismatch"
    SavedAnswer.objects.update(claimed_at=time.time() - 60)
    assert store.claim("k", "same").state == "ours"
    assert store.claim("k", "same").state == "in_flight"


def test_reading_takes_no_lock_and_few_queries(kept: Shop, django_assert_max_num_queries: Any) -> None:
    session = kept.simulator.pay(kept.session(kept.pack))
    with django_assert_max_num_queries(2):
        client().v1.checkout.sessions.retrieve(session["id"])


def test_the_two_worlds_are_apart(kept: Shop) -> None:
    live = kept.simulator.live
    live.create_customer({"email": "live@example.com"})
    assert [thing["email"] for thing in live.all("customer")] == ["live@example.com"]
    assert len(kept.simulator.all("customer")) == 1


@pytest.mark.django_db(transaction=True)
def test_threads_with_one_key_make_one_session_and_nobody_gets_a_500() -> None:
    database_simulator().all("price")
    wanted: Any = {
        "mode": "subscription", "success_url": "https://x.example/", "line_items": [{"price": PRICE, "quantity": 1}],
    }  # fmt: skip
    outcomes: list[str] = []

    def create() -> None:
        try:
            outcomes.append(client().v1.checkout.sessions.create(wanted, {"idempotency_key": "same"}).id)
        except stripe.APIError as refused:
            outcomes.append(str(refused.http_status))
        finally:
            connection.close()

    in_threads(8, create)
    assert len(outcomes) == 8
    assert len(set(outcomes) - {"409"}) == 1
    assert Thing.objects.filter(kind="checkout.session").count() == 1


@pytest.mark.django_db(transaction=True)
def test_threads_pay_a_session_once() -> None:
    simulator = database_simulator()
    simulator.all("price")
    session = simulator.create_session(
        {"mode": "subscription", "success_url": "https://x.example/", "line_items": [{"price": PRICE, "quantity": 1}]}
    )
    outcomes: list[bool] = []

    def pay() -> None:
        try:
            database_simulator().pay(session)
            outcomes.append(True)
        except RefusalError:
            outcomes.append(False)
        finally:
            connection.close()

    in_threads(6, pay)
    assert sorted(outcomes) == [False] * 5 + [True]
    assert Thing.objects.filter(kind="subscription").count() == 1
    assert Event.objects.filter(type="checkout.session.completed").count() == 1


def in_threads(count: int, act: Any) -> None:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_importing_the_package_imports_neither_stripe_nor_a_model() -> None:
    import subprocess
    import sys

    code = (
        "import sys, licenzy_django.simulator; print([n for n in ('stripe', 'django.db.models') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert package.Simulator is Simulator
    with pytest.raises(AttributeError):
        package.nonsense  # noqa: B018
