"""A shared cache: no query, and never an answer that a committed change has made wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connections, transaction
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from licenzy_django import access, clock, operators, usage
from licenzy_django.access import entitlement_rows, rows_as_json, shared_cache
from licenzy_django.access.entitlement_rows import EntitlementRow
from licenzy_django.db.location import location_of
from licenzy_django.models import Entitlement, Kind, Product
from licenzy_django.testing import entitled, stripe_double_in_memory
from tests.access.caches import CountingCache
from tests.fixtures import Costs

pytestmark = [
    pytest.mark.usefixtures("rested_cache"),
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
OFTEN = 5


@pytest.fixture(autouse=True)
def cache(settings: Settings) -> Iterator[Any]:
    """One that all processes share, as far as this one can tell."""
    settings.CACHES = {"shared": {"BACKEND": "tests.access.caches.CountingCache", "LOCATION": "gates"}}
    settings.LICENZY = {**settings.LICENZY, "CACHE": "shared"}
    caches["shared"].clear()
    CountingCache.trips.clear()
    yield caches["shared"]
    caches["shared"].clear()


def broken(settings: Settings) -> None:
    settings.CACHES = {"shared": {"BACKEND": "tests.access.caches.BrokenCache"}}


def revoke(row: Entitlement) -> None:
    operators.revoke(row, actor=None, reason="a test")


# --- what it saves ---


def test_a_known_subject_costs_no_query_and_one_round_trip(costs: Costs) -> None:
    entitled("user_1", "PRO_MONTHLY")
    with costs(1):
        assert access.check("user_1")
    CountingCache.trips.clear()

    with costs(0):
        for _ in range(OFTEN):
            assert access.check("user_1", "PRO_MONTHLY")
            assert not access.check("user_1", "OTHER")

    assert CountingCache.trips == ["get_many"] * (2 * OFTEN)


def test_a_subject_without_anything_costs_no_query_either(costs: Costs) -> None:
    access.check("user_1")
    with costs(0):
        assert not access.check("user_1")


def test_without_the_setting_every_check_asks_the_database(settings: Settings, costs: Costs) -> None:
    settings.LICENZY = {**settings.LICENZY, "CACHE": ""}
    with costs(2):
        access.check("user_1")
        access.check("user_1")
    assert CountingCache.trips == []


def test_a_check_at_another_moment_asks_the_database(costs: Costs) -> None:
    access.check("user_1")
    with costs(1):
        access.check("user_1", at=timezone.now())


# --- a committed change is seen by the next check ---


def test_a_grant_and_a_revocation_are_seen_by_the_very_next_check() -> None:
    assert not access.check("user_1")
    row = entitled("user_1")
    assert access.check("user_1")
    revoke(row)
    assert access.check("user_1").reason == "revoked"
    operators.restore(row, actor=None, reason="a test")
    assert access.check("user_1")


def test_what_is_not_committed_is_seen_by_its_own_transaction_alone(costs: Costs) -> None:
    row = entitled("user_1")
    assert access.check("user_1")

    with transaction.atomic():
        revoke(row)
        CountingCache.trips.clear()
        assert not access.check("user_1")
        assert CountingCache.trips == [], "An uncommitted answer must not reach the cache."
        transaction.set_rollback(True)

    assert access.check("user_1")


def test_a_savepoint_that_is_rolled_back_leaves_nothing_behind() -> None:
    row = entitled("user_1")
    with transaction.atomic():
        with transaction.atomic():
            revoke(row)
            assert not access.check("user_1")
            transaction.set_rollback(True)
        assert access.check("user_1")
    assert access.check("user_1")


def test_what_a_product_gives_is_seen_by_the_very_next_check() -> None:
    entitled("user_1", "PRO_MONTHLY")
    assert not access.check("user_1", feature="export")
    product = Product.objects.get()
    product.features = ["export"]
    product.save()
    assert access.check("user_1", feature="export")


def test_modes_and_subjects_do_not_share_an_entry() -> None:
    entitled("user_1", mode="live")
    assert access.check("user_1", mode="live")
    assert not access.check("user_1", mode="test")
    assert not access.check("user_2", mode="live")
    assert access.check("user_1", mode="live")


def test_any_subject_ref_makes_a_key_that_memcached_takes(recwarn: pytest.WarningsRecorder) -> None:
    for subject_ref in ("ü" * 255, "org:acme/eu dept", "U1", "u1"):
        access.check(subject_ref)
    names = {name.split(":", 2)[2] for name in caches["shared"]._cache}  # type: ignore[attr-defined]
    assert all(len(name) < 200 and name.isascii() and " " not in name for name in names)
    assert not recwarn.list


# --- races ---


def during_the_next_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens after a reader has its rows and before it remembers them."""
    read, waiting = entitlement_rows.rows_of, [happens]

    def slow_read(subject_ref: str, mode: str, **given: Any) -> Any:
        rows = read(subject_ref, mode, **given)
        if waiting:
            waiting.pop()()
        return rows

    monkeypatch.setattr(entitlement_rows, "rows_of", slow_read)


@pytest.mark.parametrize("is_known", [False, True])
def test_a_reader_that_raced_the_writer_fills_only_what_is_outdated(
    is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = entitled("user_1")
    if is_known:
        access.check("user_1")
        caches["shared"].delete(f"{shared_cache.key_of('user_1', shared_cache.place_of('test'))}:rows")
    during_the_next_read(monkeypatch, lambda: revoke(row))

    assert access.check("user_1"), "It was asked before the revocation."
    assert not access.check("user_1")
    assert not access.check("user_1")


def test_a_reader_that_stalls_while_the_version_is_evicted_fills_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    row = entitled("user_1")

    def revoked_and_evicted() -> None:
        revoke(row)
        caches["shared"].clear()

    during_the_next_read(monkeypatch, revoked_and_evicted)
    assert access.check("user_1")
    assert not access.check("user_1")


def test_of_two_that_make_the_first_version_one_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingCache, "add", lambda self, *given: False)
    entitled("user_1")
    caches["shared"].clear()
    CountingCache.trips.clear()
    assert access.check("user_1")
    assert CountingCache.trips == ["get_many"]


def test_a_reader_with_an_old_snapshot_fills_nothing(settings: Settings) -> None:
    with transaction.atomic():
        settings.DATABASES["default"].setdefault("OPTIONS", {})["isolation_level"] = "a snapshot"
        try:
            assert not shared_cache.reads_what_is_committed()
            access.check("user_1")
        finally:
            del settings.DATABASES["default"]["OPTIONS"]["isolation_level"]
    assert "set" not in CountingCache.trips


# --- the clock ---


def test_what_ends_by_the_clock_ends_on_time_without_a_query(costs: Costs, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_at = timezone.now() + timedelta(seconds=30)
    entitled("user_1", available_until=ends_at)
    access.check("user_1")
    for moment, expected in ((ends_at - timedelta(microseconds=1), True), (ends_at, False)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        with costs(0):
            assert bool(access.check("user_1")) is expected


def test_a_writer_that_died_leaves_an_old_answer_for_cache_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    row = entitled("user_1")
    access.check("user_1")
    with monkeypatch.context() as death:
        death.setattr(shared_cache, "bump", lambda *given: None)
        revoke(row)
    assert access.check("user_1"), "The old answer, for a bounded time."

    read_at = shared_cache.time.time()
    monkeypatch.setattr(shared_cache.time, "time", lambda: read_at + 60)
    assert not access.check("user_1")


def test_a_reader_that_stalls_does_not_prolong_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It remembers late what it read early; counted is from when it read."""
    row = entitled("user_1")
    now = [shared_cache.time.time()]
    monkeypatch.setattr(shared_cache.time, "time", lambda: now[0])

    def a_writer_dies_meanwhile() -> None:
        with monkeypatch.context() as death:
            death.setattr(shared_cache, "bump", lambda *given: None)
            revoke(row)
        now[0] += 50

    during_the_next_read(monkeypatch, a_writer_dies_meanwhile)
    assert access.check("user_1")
    now[0] += 9
    assert access.check("user_1"), "The old answer, for a bounded time."
    now[0] += 2
    assert not access.check("user_1")


# --- a cache that fails ---


def test_a_cache_that_is_down_means_a_query(settings: Settings, costs: Costs, caplog: pytest.LogCaptureFixture) -> None:
    broken(settings)
    row = entitled("user_1")
    with costs(1):
        assert access.check("user_1")
    revoke(row)
    with costs(1):
        assert not access.check("user_1")
    assert {record.levelname for record in caplog.records} == {"ERROR"}


def test_a_cache_that_is_down_is_left_alone_for_a_while(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    broken(settings)
    for _ in range(OFTEN):
        access.check("user_1")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("garbage", ["text", 7, [], (1, 2, 3), {"rows": []}, ["v", 0, None], b"\xff", "[1,2,3]"])
def test_garbage_in_the_cache_means_a_query(garbage: object, costs: Costs) -> None:
    entitled("user_1")
    access.check("user_1")
    caches["shared"].set(f"{shared_cache.key_of('user_1', shared_cache.place_of('test'))}:rows", garbage)
    with costs(1):
        assert access.check("user_1")
    with costs(0):
        assert access.check("user_1")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (None, None),
        ("grants_access", "yes"),
        ("grants_access", 1),
        ("units_remaining", "7"),
        ("units_remaining", True),
        ("available_until", 7),
        ("available_until", "2030-01-01T00:00:00"),
        ("features", "export"),
        ("features", [1]),
        ("status", "unheard of"),
        ("product_code", None),
    ],
)
def test_rows_of_another_shape_or_type_are_a_miss(column: str | None, value: object, costs: Costs) -> None:
    entitled("user_1")
    access.check("user_1")
    name = f"{shared_cache.key_of('user_1', shared_cache.place_of('test'))}:rows"
    version, read_at, rows = json.loads(caches["shared"].get(name))
    if column is None:
        rows[0].pop()
    else:
        rows[0][[field.name for field in fields(EntitlementRow)].index(column)] = value
    caches["shared"].set(name, json.dumps([version, read_at, rows]))
    with costs(1):
        assert access.check("user_1")


def test_what_is_kept_is_plain_json() -> None:
    at = timezone.now()
    entitled("user_1", "PRO", features=["export", "api"], not_before=at)
    access.check("user_1")
    key = shared_cache.key_of("user_1", shared_cache.place_of("test"))
    kept = caches["shared"].get_many([f"{key}:version", f"{key}:rows"])
    assert {type(value) for value in kept.values()} == {str}
    [row] = [rows_as_json.row_of(values) for values in json.loads(kept[f"{key}:rows"])[2]]
    assert [row] == entitlement_rows.rows_of("user_1", "test", at=at)


# --- one cache for several databases and schemas ---


def test_another_schema_or_database_has_entries_of_its_own(monkeypatch: pytest.MonkeyPatch, costs: Costs) -> None:
    """As django-tenants says which tenant it is: the connection knows the name of its schema."""
    request = RequestFactory().get("/")
    request.user = User(pk=1)
    entitled("user_1")
    assert access.check(request)
    with costs(0):
        assert access.check("user_1")

    for schema in ("tenant_a", "tenant_b"):
        monkeypatch.setattr(connections["default"], "schema_name", schema, raising=False)
        with costs(1):
            access.check("user_1")
        with costs(0):
            access.check(request)


def test_each_database_and_schema_is_a_location_of_its_own() -> None:
    settings = {"ENGINE": "postgresql", "HOST": "a", "PORT": 5432, "NAME": "shop", "OPTIONS": {}}
    others = [{"HOST": "b"}, {"PORT": 5433}, {"NAME": "blog"}, {"OPTIONS": {"options": "-c search_path=tenant_a"}}]
    connections = [SimpleNamespace(alias="default", settings_dict=settings | other) for other in ({}, *others)]
    connections.append(SimpleNamespace(alias="default", settings_dict=settings, schema_name="tenant_a"))
    assert len({location_of(each) for each in connections}) == len(connections)
    assert location_of(connections[0]) == location_of(connections[0])


def test_a_change_outdates_the_schema_in_which_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    row = entitled("user_1")
    assert access.check("user_1")
    with monkeypatch.context() as elsewhere, transaction.atomic():
        revoke(row)
        elsewhere.setattr(connections["default"], "schema_name", "tenant_b", raising=False)
    assert not access.check("user_1")


def test_the_test_kit_leaves_the_shared_cache_alone(settings: Settings, costs: Costs) -> None:
    access.check("user_1")
    with stripe_double_in_memory():
        CountingCache.trips.clear()
        access.check("user_1")
        assert CountingCache.trips == []
    shared_cache.rest.until = float("inf")
    with costs(1):
        access.check("user_1")


# --- units ---


@pytest.fixture
def pack() -> Entitlement:
    product = Product.objects.create(
        mode="test", code="CREDITS", name="Credits", kind=Kind.USAGE_PACK, units=10, stripe_price_id="price_credits"
    )
    return entitled("user_1", product.code)


def consume(units: int, key: str) -> None:
    usage.consume("user_1", units, idempotency_key=key)


def test_using_units_costs_no_round_trip_until_a_pack_is_empty(pack: Entitlement, costs: Costs) -> None:
    assert access.check("user_1", "CREDITS")
    CountingCache.trips.clear()
    consume(9, "k1")
    assert CountingCache.trips == []
    with costs(0):
        assert access.check("user_1", "CREDITS")

    consume(1, "k2")
    assert access.check("user_1", "CREDITS").reason == "usage_exhausted"


def test_an_emptied_pack_is_seen_while_others_have_units(pack: Entitlement) -> None:
    second = Product.objects.create(
        mode="test", code="MORE", name="More", kind=Kind.USAGE_PACK, units=5, stripe_price_id="price_more"
    )
    entitled("user_1", second.code)
    assert access.check("user_1", "CREDITS")
    usage.consume("user_1", 12, idempotency_key="k1")
    assert not access.check("user_1", "CREDITS")
    assert access.check("user_1", "MORE")


@pytest.mark.parametrize("units", [0, 4, None])
def test_units_that_come_back_are_seen_by_the_very_next_check(units: int | None, pack: Entitlement) -> None:
    reserved = usage.reserve("user_1", 10, idempotency_key="k1")
    assert not access.check("user_1")
    if units is None:
        usage.release(reserved.reservation_id)
    else:
        usage.confirm(reserved.reservation_id, units)
    assert access.check("user_1")


def test_a_confirmed_reservation_gives_nothing_back_when_its_time_is_over(
    pack: Entitlement, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved = usage.reserve("user_1", 10, idempotency_key="k1", ttl_seconds=10)
    assert not access.check("user_1")
    usage.confirm(reserved.reservation_id, 10)
    later = timezone.now() + timedelta(seconds=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert not access.check("user_1")


def test_a_lapsed_reservation_is_seen_by_the_clock_alone(
    pack: Entitlement, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage.reserve("user_1", 10, idempotency_key="k1", ttl_seconds=10)
    assert not access.check("user_1")
    later = timezone.now() + timedelta(seconds=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    with costs(0):
        assert access.check("user_1")
