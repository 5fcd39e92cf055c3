"""What cannot be derived is not kept: a field of another type than Stripe documents never becomes a fact."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from licenzy_django.stripe.objects import OddObjectError, fact_of, fact_of_answer

Json = dict[str, Any]
ODD = ["17", "", 17, -1, 1.5, 2**70, True, [], ["x"], {}, {"id": 7}, [None], [[]], {"data": "x"}, {"data": [None, 7]}]
PERIOD = {"current_period_start": 1_700_000_000, "current_period_end": 1_702_592_000}
PRICE = {"id": "price_1", "object": "price", "recurring": {"interval": "month", "interval_count": 1}}
ITEM = {"id": "si_1", "object": "subscription_item", "price": PRICE, "quantity": 1, "created": 1_700_000_000, **PERIOD}
LINE = {
    "id": "il_1",
    "object": "line_item",
    "amount": 1900,
    "quantity": 1,
    "period": {"start": 1_700_000_000, "end": 1_702_592_000},
    "pricing": {"price_details": {"price": "price_1"}},
    "parent": {"subscription_item_details": {"subscription_item": "si_1", "proration": False}},
}
MONEY = {"amount": 1900, "currency": "eur", "created": 1_700_000_000, "payment_intent": "pi_1", "charge": "ch_1"}
GOOD: dict[str, Json] = {
    "checkout.session": {
        "id": "cs_1",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "created": 1_700_000_000,
        "expires_at": 1_700_086_400,
        "amount_total": 1900,
        "currency": "eur",
        "metadata": {"licenzy_attempt": "att_1"},
        "payment_link": "plink_1",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "subscription": "sub_1",
        "invoice": "in_1",
    },
    "subscription": {
        "id": "sub_1",
        "status": "active",
        "created": 1_700_000_000,
        "items": {"object": "list", "data": [ITEM], "has_more": False},
        "cancel_at": 1_702_592_000,
        "cancel_at_period_end": True,
        "canceled_at": 1_700_000_001,
        "ended_at": 1_702_592_000,
        "latest_invoice": "in_1",
        "customer": "cus_1",
        "trial_end": 1_700_500_000,
        "billing_cycle_anchor": 1_700_500_000,
        "quantity": 1,
        **PERIOD,
    },
    "invoice": {
        "id": "in_1",
        "status": "paid",
        "status_transitions": {"paid_at": 1_700_000_001},
        "created": 1_700_000_000,
        "amount_paid": 1900,
        "amount_due": 1900,
        "total": 1900,
        "currency": "eur",
        "billing_reason": "subscription_cycle",
        "lines": {"object": "list", "data": [LINE], "has_more": False},
        "parent": {"subscription_details": {"subscription": "sub_1"}},
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "charge": "ch_1",
    },
    "charge": {**MONEY, "id": "ch_1", "amount_refunded": 0, "refunded": False, "customer": "cus_1", "invoice": "in_1"},
    "refund": {**MONEY, "id": "re_1", "status": "succeeded"},
    "dispute": {**MONEY, "id": "dp_1", "status": "lost"},
    "subscription_schedule": {
        "id": "sub_sched_1",
        "status": "active",
        "created": 1_700_000_000,
        "end_behavior": "release",
        "current_phase": {"start_date": 1_700_000_000, "end_date": 1_702_592_000},
        "phases": [
            {
                "start_date": 1_700_000_000,
                "end_date": 1_702_592_000,
                "items": [{"price": "price_1", "plan": "price_1", "quantity": 1}],
            }
        ],
        "subscription": "sub_1",
        "released_subscription": None,
        "customer": "cus_1",
    },
}


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every field of an object is, those inside other objects and rows too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*path, name)
        yield from paths_of(each, (*path, name))


EVERY = [(kind, path) for kind, good in GOOD.items() for path in paths_of(good) if path != ("id",)]
every_field = pytest.mark.parametrize(("kind", "path"), EVERY, ids=[".".join(map(str, (k, *p))) for k, p in EVERY])


def changed(kind: str, path: tuple[Any, ...], value: Any) -> Json:
    made: Json = copy.deepcopy({**GOOD[kind], "object": kind})
    inner: Any = made
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return made


def is_like(good: Any, found: Any) -> bool:
    """Of the same types all through: a number is a number that a database holds, a text is a text."""
    if found is None or good is None:
        return True
    if isinstance(found, int) and abs(found) > 2**63:
        return False
    if isinstance(good, dict):
        return isinstance(found, dict) and all(is_like(good.get(name), each) for name, each in found.items())
    if isinstance(good, (list, tuple)):
        example = good[0] if good else None
        return isinstance(found, (list, tuple)) and all(is_like(example, each) for each in found)
    return type(found) is type(good)


@every_field
def test_an_odd_field_is_refused_or_kept_in_its_type(kind: str, path: tuple[Any, ...]) -> None:
    good = fact_of({**GOOD[kind], "object": kind}, seen_at=1_700_000_002)
    assert good is not None
    for value in ODD:
        try:
            fact = fact_of(changed(kind, path, value), seen_at=1_700_000_002)
        except OddObjectError:
            continue
        assert fact is not None
        assert is_like(good.state, fact.state), (value, fact.state)
        assert all(isinstance(link, str) for link in fact.links.values()), (value, fact.links)


@pytest.mark.parametrize("kind", GOOD)
def test_an_absent_field_is_not_odd(kind: str) -> None:
    for path in paths_of(GOOD[kind]):
        if path != ("id",) and isinstance(path[-1], str):
            assert fact_of(changed(kind, path, None), seen_at=1_700_000_002) is not None


@pytest.mark.parametrize("kind", ["charge", "refund", "dispute"])
def test_an_amount_as_text_is_refused(kind: str) -> None:
    with pytest.raises(OddObjectError, match="amount"):
        fact_of(changed(kind, ("amount",), "1900"), seen_at=None)


@pytest.mark.parametrize(
    "answer", [{}, {"object": "list", "data": []}, {"object": "charge"}, {"object": "charge", "id": 7}]
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(answer: Json) -> None:
    with pytest.raises(OddObjectError, match="not what was asked for"):
        fact_of_answer(answer)


@pytest.mark.parametrize("kind", ["charge", "refund", "dispute"])
def test_an_amount_of_more_than_twelve_digits_is_refused(kind: str) -> None:
    assert fact_of(changed(kind, ("amount",), 999_999_999_999), seen_at=None)
    with pytest.raises(OddObjectError, match="amount is beyond"):
        fact_of(changed(kind, ("amount",), 10**12), seen_at=None)
