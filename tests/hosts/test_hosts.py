"""Hosts that are set up in other ways than ours, really started (``make test-hosts``)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from psycopg import IsolationLevel

from tests.shelf import ON_POSTGRESQL

pytestmark = [pytest.mark.hosts, pytest.mark.django_db(transaction=True)]
POSTGRESQL_ONLY = pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has neither schemas nor two writers at once")
Started = Callable[..., None]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """An empty one."""
    if not ON_POSTGRESQL:
        yield str(tmp_path / "host.sqlite3")
        return
    name = f"licenzy_host_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def host(database: str) -> Started:
    def start(what: str, *, of_database: dict[str, Any] | None = None, **changes: Any) -> None:
        given = json.dumps({"DATABASE": {"NAME": database, **(of_database or {})}, **changes})
        tried = subprocess.run(
            [sys.executable, "-m", "tests.hosts.inside", what],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.hosts.settings", "HOST": given},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert tried.returncode == 0, tried.stderr

    return start


@pytest.fixture
def redis() -> Iterator[str]:
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("There is no redis-server")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    )
    for _ in range(100):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_a_database_with_a_zone_of_its_own(zone: str, host: Started) -> None:
    host("a_zone_of_its_own", of_database={"TIME_ZONE": zone})


@POSTGRESQL_ONLY
def test_a_schema_for_each_tenant_and_one_cache(host: Started, redis: str) -> None:
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis}
    host("two_schemas_and_one_cache", CACHES={"default": cache}, LICENZY={"CACHE": "default"})


def test_a_cache_with_a_json_serializer(host: Started, redis: str) -> None:
    cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis,
        "OPTIONS": {"serializer": "tests.hosts.serializers.JsonSerializer"},
    }
    host("a_cache_with_a_json_serializer", CACHES={"default": cache}, LICENZY={"CACHE": "default"})


@POSTGRESQL_ONLY
def test_each_request_is_a_transaction(host: Started) -> None:
    host("requests_in_a_transaction", of_database={"ATOMIC_REQUESTS": True}, ROOT_URLCONF="tests.hosts.urls")


@POSTGRESQL_ONLY
@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_an_isolation_level_that_fails_under_load_is_refused_before_the_start(level: int, host: Started) -> None:
    host("an_isolation_level_in_the_settings", of_database={"OPTIONS": {"isolation_level": level}})


@POSTGRESQL_ONLY
def test_an_isolation_level_of_the_servers_is_found_by_the_doctor(host: Started) -> None:
    host("an_isolation_level_of_the_database")


def test_autocommit_off_is_refused_before_the_start(host: Started) -> None:
    host("no_autocommit", of_database={"AUTOCOMMIT": False})


@POSTGRESQL_ONLY
def test_sixteen_threads_find_no_500(host: Started) -> None:
    host("sixteen_threads_that_spend")


@POSTGRESQL_ONLY
def test_where_the_check_is_silenced_a_conflict_is_503_and_the_same_key_goes_on(host: Started) -> None:
    level = {"isolation_level": IsolationLevel.SERIALIZABLE}
    host("sixteen_threads_that_are_not_isolated_as_they_should_be", of_database={"OPTIONS": level})
