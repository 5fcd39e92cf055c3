"""A time without a zone names no moment: every verb that takes one says so, and does nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from licenzy_django import access, operators, pruning, usage
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Entitlement
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble

NAIVE = datetime(2030, 1, 1)  # noqa: DTZ001 - the point of it

VERBS: dict[str, Callable[[], Any]] = {
    "access.check": lambda: access.check("user_1", at=NAIVE),
    "access.summary": lambda: access.summary("user_1", at=NAIVE),
    "access.entitlements_of": lambda: access.entitlements_of("user_1", at=NAIVE),
    "usage.consume": lambda: usage.consume("user_1", 1, idempotency_key="k", at=NAIVE),
    "usage.reserve": lambda: usage.reserve("user_1", 1, idempotency_key="k", at=NAIVE),
    "usage.confirm": lambda: usage.confirm("res_1", 1, at=NAIVE),
    "usage.release": lambda: usage.release("res_1", at=NAIVE),
    "usage.remaining": lambda: usage.remaining("user_1", at=NAIVE),
    "usage.by_day": lambda: usage.by_day("user_1", at=NAIVE),
    "pruning.sent_deliveries": lambda: pruning.sent_deliveries(1, at=NAIVE),
    "pruning.raw_payloads": lambda: pruning.raw_payloads(1, at=NAIVE),
    "pruning.checkout_answers": lambda: pruning.checkout_answers(1, at=NAIVE),
    "endpoints.rotate_secret": lambda: endpoints.rotate_secret(
        endpoints.create("test", "https://hooks.example.com/in")[0], at=NAIVE
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("verb", VERBS)
def test_a_naive_time_is_refused(verb: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        VERBS[verb]()

    assert "time zone" in str(raised.value.extra["fields"]["at"])


def test_a_grant_until_a_naive_time_is_refused(stripe_double: StripeDouble, admin_user: Any) -> None:
    product = stripe_double.sell("PRO_MONTHLY")

    with pytest.raises(InvalidRequest) as raised:
        operators.grant("user_1", product, until=NAIVE, actor=admin_user, reason="a gift", request_id="r")

    assert "time zone" in str(raised.value.extra["fields"]["until"])
    assert not Entitlement.objects.exists()
