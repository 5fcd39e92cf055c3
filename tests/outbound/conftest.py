from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from licenzy_django.models import OutboundEndpoint
from licenzy_django.outbound import endpoints
from tests.outbound.receiver import Receiver, receiving

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def inside_allowed() -> Iterator[None]:
    """Loopback and http, as in development."""
    allowed: dict[str, Any] = {"OUTBOUND_ALLOW_HTTP": True, "OUTBOUND_ALLOW_PRIVATE": True}
    with override_settings(LICENZY=django_settings.LICENZY | {"CLOCK": "django.utils.timezone.now"} | allowed):
        yield


@pytest.fixture
def endpoint(db: None, inside_allowed: None, receiver: Receiver) -> OutboundEndpoint:
    return endpoints.create("test", receiver.url)[0]
