from __future__ import annotations

import pytest

from licenzy_django.access import shared_cache
from licenzy_django.testing import entitled


@pytest.mark.django_db
def test_entitled_switches_the_shared_cache_off_for_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_cache.rest, "until", 0.0)
    entitled("user_1")
    assert shared_cache.rest.until == float("inf")
