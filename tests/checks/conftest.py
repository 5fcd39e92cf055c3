"""A project that nothing is wrong with; each test breaks one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks

GOOD = {
    "TEST_SECRET_KEY": "sk_test_1",
    "TEST_WEBHOOK_SECRETS": ["whsec_1"],
    "SUCCESS_URL": "https://shop.example.com/thanks/?session_id={CHECKOUT_SESSION_ID}",
    "CANCEL_URL": "https://shop.example.com/",
}
LIVE = {"MODE": "live", "LIVE_SECRET_KEY": "rk_live_1", "LIVE_WEBHOOK_SECRETS": ["whsec_2"]}

Found = Callable[..., list[checks.CheckMessage]]


@pytest.fixture(autouse=True)
def host(settings: Any) -> None:
    settings.LICENZY = GOOD


@pytest.fixture
def found(settings: Any) -> Found:
    """``found(SUCCESS_URL="/thanks/")``: what ``manage.py check --tag licenzy`` says then, errors and hints."""

    def run(*, deploy: bool = False, **changed: Any) -> list[checks.CheckMessage]:
        settings.LICENZY = GOOD | changed
        messages = checks.run_checks(tags=["licenzy"], include_deployment_checks=deploy)
        ours = [message for message in messages if str(message.id).startswith("licenzy.")]
        assert all(message.hint for message in ours)
        return ours

    return run


@pytest.fixture
def ids(found: Found) -> Callable[..., list[str | None]]:
    return lambda **changed: [message.id for message in found(**changed)]
