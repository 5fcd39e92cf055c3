"""The invoice of a change is what its preview said, to the cent: plans, quantities, moments, currencies at random."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from licenzy_django import subscriptions
from licenzy_django.models import Kind, Product, StripeFact
from licenzy_django.subscriptions.tokens import VALID_FOR
from licenzy_django.testing import StripeDouble, stripe_double_in_memory

numbers = count(1)
AMOUNTS = st.one_of(st.sampled_from([0, 1, 99, 100, 1900, 2900, 19_000]), st.integers(1, 250_000))
PLANS = st.tuples(AMOUNTS, st.sampled_from(["month", "year", "week"]), st.integers(1, 12))
CURRENCIES = st.sampled_from(["eur", "usd", "jpy", "krw", "bhd"])
OLDEST = 6 * 86_400
"""In seconds: before the shortest period ends."""


def sell(stripe: StripeDouble, code: str, amount: int, interval: str, currency: str) -> Product:
    price = f"price_{code.lower()}"
    recurring = {"interval": interval}
    stripe.simulator.create_price(
        {"id": price, "currency": currency, "unit_amount": amount, "recurring": recurring, "product_name": code}
    )
    return Product.objects.create(mode="test", code=code, name=code, kind=Kind.SUBSCRIPTION, stripe_price_id=price)


def check(had: Any, wanted: Any, currency: str, age: int, waits: int) -> None:
    with stripe_double_in_memory() as stripe:
        compare(stripe, had, wanted, currency, age, waits)


def compare(stripe: StripeDouble, had: Any, wanted: Any, currency: str, age: int, waits: int) -> None:
    number = next(numbers)
    subject, codes = f"user_{number}", (f"HAD_{number}", f"WANTED_{number}")
    for code, (amount, interval, _) in zip(codes, (had, wanted), strict=True):
        sell(stripe, code, amount, interval, currency)
    stripe.buy(subject, codes[0], quantity=had[2])
    stripe.advance(seconds=age)
    asked: dict[str, Any] = {"to_product_code": codes[1], "quantity": wanted[2], "when": "now"}

    shown = subscriptions.preview(subject, codes[0], **asked)
    # Periods that begin anew are billed from the moment of the change, which Stripe lets nobody choose.
    stripe.advance(seconds=waits if had[1] == wanted[1] else 0)
    done = subscriptions.change(
        subject, codes[0], **asked, change_token=shown.change_token, idempotency_key=f"key-{number}"
    )

    fact = StripeFact.objects.get(object="subscription", subject__subject_ref=subject)
    invoice = stripe.simulator.get("invoice", fact.state["latest_invoice"])
    assert (done.status, invoice["billing_reason"]) == ("changed", "subscription_update")
    assert (shown.amount_due, shown.currency) == (invoice["amount_due"], invoice["currency"])
    assert sum(line.amount for line in shown.lines) == invoice["total"]
    assert [line.amount for line in shown.lines] == [line["amount"] for line in invoice["lines"]["data"]]
    assert shown.next_amount == wanted[0] * wanted[2]


@pytest.mark.slow
@settings(
    max_examples=200,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PLANS, PLANS, CURRENCIES, st.integers(0, OLDEST), st.integers(0, int(VALID_FOR.total_seconds()) - 1))
def test_two_hundred_random_changes(db: None, had: Any, wanted: Any, currency: str, age: int, waits: int) -> None:
    check(had, wanted, currency, age, waits)


@pytest.mark.parametrize(
    ("had", "wanted", "currency"),
    [
        ((1900, "month", 1), (2900, "month", 1), "eur"),
        ((1900, "month", 3), (1900, "month", 7), "jpy"),
        ((1900, "month", 1), (19_000, "year", 1), "eur"),
        ((2900, "month", 5), (1900, "month", 1), "usd"),
    ],
)
def test_some_of_them(db: None, had: Any, wanted: Any, currency: str) -> None:
    check(had, wanted, currency, age=123_456, waits=777)
