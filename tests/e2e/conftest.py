from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shops import Shop, open_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose webhooks come at once."""
    with open_shop(tmp_path_factory.mktemp("shop"), webhook_delay_seconds=0) as shop:
        yield shop
