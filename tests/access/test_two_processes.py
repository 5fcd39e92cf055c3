"""Two processes, one database, one cache: in files everywhere, in Redis where one answers (``TEST_REDIS_URL``)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.db import connection
from pytest_django import Settings

from licenzy_django import access, operators
from licenzy_django.testing import entitled
from tests.fixtures import Costs

pytestmark = [
    pytest.mark.usefixtures("rested_cache"),
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
BACKENDS = "django.core.cache.backends"
SECONDS = 2


class OtherProcess:
    def __init__(self, cache: dict[str, Any]) -> None:
        arguments = [str(connection.settings_dict["NAME"]), json.dumps(cache), str(SECONDS)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.access.other_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.answer()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait(10)


@pytest.fixture(params=["files", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> Iterator[dict[str, Any]]:
    if request.param == "files":
        chosen = {"BACKEND": f"{BACKENDS}.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
    else:
        skip_without_redis()
        chosen = {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": REDIS, "KEY_PREFIX": f"test-{uuid4().hex}"}
    settings.CACHES = {"shared": chosen}
    settings.LICENZY = {**settings.LICENZY, "CACHE": "shared", "CACHE_SECONDS": SECONDS}
    yield settings.CACHES
    if request.param == "redis":
        forget(chosen["KEY_PREFIX"])
    caches["shared"].close()


def forget(prefix: str) -> None:
    """Somebody else may use this Redis."""
    import redis

    with redis.Redis.from_url(REDIS) as server:
        for name in server.scan_iter(f"{prefix}*"):
            server.delete(name)


def skip_without_redis() -> None:
    import redis

    try:
        with redis.Redis.from_url(REDIS) as server:
            server.ping()
    except redis.ConnectionError:
        pytest.skip(f"NOT TESTED: no Redis answers at {REDIS}. Start one, or set TEST_REDIS_URL.")


@pytest.fixture
def other(cache: dict[str, Any]) -> Iterator[OtherProcess]:
    other = OtherProcess(cache)
    yield other
    other.close()


def test_a_change_in_one_process_is_seen_by_the_next_check_of_the_other(other: OtherProcess, costs: Costs) -> None:
    row = entitled("user_1")
    assert access.check("user_1")
    assert other.ask("check user_1") == "True 0", "It believes what the first process has remembered."

    operators.revoke(row, actor=None, reason="a test")
    assert other.ask("check user_1") == "False 1"
    with costs(0):
        assert not access.check("user_1")

    operators.restore(row, actor=None, reason="a test")
    assert access.check("user_1")
    assert other.ask(f"revoke {row.pk}") == "revoked"
    assert not access.check("user_1")


def test_a_reader_that_stalls_between_reading_and_remembering_misleads_nobody(other: OtherProcess) -> None:
    row = entitled("user_1")
    assert other.ask("stall user_1") == "read"
    operators.revoke(row, actor=None, reason="a test")
    assert not access.check("user_1")
    assert other.ask("go on") == "True 1", "It asked before the change."
    assert not access.check("user_1")
    assert other.ask("check user_1").startswith("False")


def test_a_process_killed_before_it_told_the_cache_leaves_an_old_answer_for_a_bounded_time(other: OtherProcess) -> None:
    row = entitled("user_1")
    assert access.check("user_1")
    remembered_at = time.monotonic()
    other.tell(f"die_revoking {row.pk}")
    assert other.process.wait(10) == -signal.SIGKILL
    row.refresh_from_db()
    assert row.revoked_at is not None, "It died after the commit."

    while access.check("user_1"):
        assert time.monotonic() - remembered_at < SECONDS + 0.5
        time.sleep(0.05)
