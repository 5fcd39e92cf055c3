"""Units are used by many at once while Stripe renews, refunds, disputes and changes what they come with."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db.models import Sum

from licenzy_django import subscriptions, usage
from licenzy_django.exceptions import InsufficientUsage, ReservationClosed
from licenzy_django.models import LedgerEntry, Pack
from licenzy_django.testing import StripeDouble
from tests.shelf import ON_POSTGRESQL
from tests.threads import in_threads

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.sells(
        PRO={"units": 1000, "rollover_units": 300, "rollover_windows": 2},
        MAX={"amount": 4000, "units": 2500},
        CREDITS={"kind": "usage_pack", "units": 400},
    ),
]
REF = "user_1"
WORKERS = 16 if ON_POSTGRESQL else 4
HAPPENINGS: list[Callable[[StripeDouble, Any], Any]] = [
    lambda stripe, session: stripe.advance(days=31),
    lambda stripe, session: stripe.refund(session),
    lambda stripe, session: stripe.advance(days=31),
    lambda stripe, session: stripe.buy(REF, "CREDITS"),
    lambda stripe, session: changed(stripe, "PRO", "MAX"),
    lambda stripe, session: disputed_and_won(stripe),
    lambda stripe, session: stripe.advance(days=31),
    lambda stripe, session: changed(stripe, "MAX", "PRO"),
]


def changed(stripe: StripeDouble, code: str, to: str) -> None:
    subscriptions.change(REF, code, to_product_code=to, when="now", idempotency_key=uuid4().hex)
    stripe.deliver()


def disputed_and_won(stripe: StripeDouble) -> None:
    dispute = stripe.dispute(stripe.simulator.all("payment_intent")[-1]["id"])
    stripe.close_dispute(dispute["id"], won=True)


def test_units_are_conserved_while_windows_open_and_roll_and_are_voided(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO")
    is_over = threading.Event()
    taken: list[int] = []

    def use(number: int) -> Any:
        if not number:
            try:
                for happens in HAPPENINGS:
                    happens(stripe, session)
            finally:
                is_over.set()
            return
        choose = random.Random(number)
        while not is_over.is_set():
            try:
                taken.append(use_some(choose))
            except (InsufficientUsage, ReservationClosed):
                is_over.wait(0.05)

    in_threads(WORKERS, use)

    call_command("licenzy_doctor", only=["books"])
    used, given_back = units_of("consume", "confirm"), units_of("refund")
    assert used == sum(taken)
    assert used - given_back == Pack.objects.aggregate(units=Sum("units_consumed"))["units"] > 0
    assert given_back > 0


def units_of(*kinds: str) -> int:
    return int(LedgerEntry.objects.filter(kind__in=kinds).aggregate(units=Sum("units"))["units"])


def use_some(choose: random.Random) -> int:
    units = choose.randint(1, 9)
    if choose.random() < 0.6:
        return usage.consume(REF, units, idempotency_key=uuid4().hex).consumed
    if choose.random() < 0.3:
        key = uuid4().hex
        consumed = usage.consume(REF, units, idempotency_key=key).consumed
        usage.refund(key, reason="a mistake", idempotency_key=key)
        return consumed
    held = usage.reserve(REF, units, idempotency_key=uuid4().hex)
    return usage.confirm(held.reservation_id, choose.randint(0, units)).consumed
