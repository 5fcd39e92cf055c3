from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def both_ways(way_of_taking_units: str) -> None:
    """All tests of this folder hold on both."""
