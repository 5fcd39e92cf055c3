"""The cache of access checks."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.checks import cache as checks_of_cache
from tests.checks.conftest import Found

BACKENDS = "django.core.cache.backends"


@pytest.fixture(autouse=True)
def caches(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": f"{BACKENDS}.locmem.LocMemCache"},
        "shared": {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    }


def test_w030_a_cache_of_each_process_for_itself(found: Found) -> None:
    [message] = found(CACHE="default", CACHE_SECONDS=45)
    assert (message.id, "45 seconds" in message.msg) == ("licenzy.W030", True)


def test_e030_a_cache_that_does_not_exist(found: Found) -> None:
    [message] = found(CACHE="redis")
    assert (message.id, "default, shared" in str(message.hint)) == ("licenzy.E030", True)


@pytest.mark.parametrize("alias", ["", "shared"])
def test_a_shared_cache_or_none_is_fine(alias: str, found: Found) -> None:
    assert found(CACHE=alias) == []


def test_a_misspelt_key_is_told_by_its_own_check_alone(settings: Any) -> None:
    settings.LICENZY = {"CASHE": "default"}
    assert checks_of_cache.check_cache_is_shared() == []
