from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def rested(rested_cache: None) -> None:
    """Statements are counted in most tests of this folder."""
