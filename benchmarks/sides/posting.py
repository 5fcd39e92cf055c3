"""A webhook through the whole view, URL included: the first delivery and the second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from benchmarks import stripe_objects
from benchmarks.sides.timing import statements
from benchmarks.stripe_double import double

Answer = Callable[[], HttpResponse]


def delivery(event: dict[str, Any], path: str) -> Answer:
    body, signature = stripe_objects.signed(event)
    request = RequestFactory().post(
        path, data=body, content_type="application/json", headers={"Stripe-Signature": signature}
    )

    def deliver() -> HttpResponse:
        view, args, kwargs = resolve(path)
        response = view(request, *args, **kwargs)
        assert response.status_code == 200, (response.status_code, response.content)
        return response

    return deliver


def webhook(
    path: str,
    has_effect: Callable[[int, int], bool],
    *,
    event_type: str,
    numbers: list[int],
    period: int,
    delay_ms: float,
) -> dict[str, Any]:
    """Tell of a renewal of each subscriber, twice.

    Args:
        has_effect: whether the side knows that a subscriber has reached a period. Checked for each, outside the time.
    """
    double.delay_seconds = delay_ms / 1000
    first, again, calls = [], [], []
    for number in numbers:
        stripe_objects.told_period[number] = period
        event = stripe_objects.event(event_type, number, period)
        calls_before = double.calls
        first.append(milliseconds(delivery(event, path)))
        calls.append(double.calls - calls_before)
        assert has_effect(number, period), f"{event_type} of subscriber {number} had no effect"
        again.append(milliseconds(delivery(event, path)))
    double.delay_seconds = 0.0
    return {"first": first, "again": again, "stripe_calls": max(calls)}


def milliseconds(deliver: Answer) -> float:
    began = time.perf_counter_ns()
    deliver()
    return (time.perf_counter_ns() - began) / 1e6


def webhook_statements(path: str, *, event_type: str, number: int, period: int) -> dict[str, dict[str, int]]:
    stripe_objects.told_period[number] = period
    event = stripe_objects.event(event_type, number, period)
    return {"first": statements(delivery(event, path)), "again": statements(delivery(event, path))}
