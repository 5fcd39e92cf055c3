"""What development may allow."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "expected"), [("OUTBOUND_ALLOW_HTTP", "licenzy.W020"), ("OUTBOUND_ALLOW_PRIVATE", "licenzy.W021")]
)
def test_w020_w021_only_development_may(settings: Any, ids: Any, name: str, expected: str) -> None:
    assert ids(**{name: True}) == [expected]
    settings.DEBUG = True
    assert ids(**{name: True}) == []
