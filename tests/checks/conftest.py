"""A project that nothing is wrong with; each test breaks one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks

LETTERS = "qwertzuiopasdfghjklyxcvbnm"  # as random as a check can tell
GOOD = {
    "TEST_SECRET_KEY": f"sk_test_{LETTERS}",
    "TEST_WEBHOOK_SECRETS": [f"whsec_{LETTERS}1"],
    "SUCCESS_URL": "https://shop.example.com/thanks/?session_id={CHECKOUT_SESSION_ID}",
    "CANCEL_URL": "https://shop.example.com/",
}
LIVE = {
    "MODE": "live",
    "LIVE_SECRET_KEY": f"rk_live_{LETTERS}",
    "LIVE_WEBHOOK_SECRETS": [f"whsec_{LETTERS}2"],
}

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
