"""cProfile over one of our hot paths, without paths of the machine in what it says."""

from __future__ import annotations

import cProfile
import io
import pstats
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

from benchmarks import stripe_objects
from benchmarks.sides import licenzy
from benchmarks.sides.posting import delivery

Calls = list[Callable[[], Any]]
LINES = 40


def gate_calls(calls: int) -> Calls:
    from licenzy_django import access

    users = [licenzy.user_of(number) for number in range(1, calls + 1)]
    return [lambda user=user: access.check(user, licenzy.PRODUCT_CODE) for user in users]  # type: ignore[misc]


def check_calls(calls: int) -> Calls:
    key, path = licenzy.api_key(), "/access/check"
    bodies = [{"subject_ref": f"user_{number}"} for number in range(1, calls + 1)]
    headers = {"Authorization": f"Bearer {key}"}
    requests = [RequestFactory().post(path, body, "application/json", headers=headers) for body in bodies]

    def ask(request: HttpRequest) -> None:
        assert resolve(path).func(request).status_code == 200

    return [partial(ask, request) for request in requests]


def webhook_calls(calls: int) -> Calls:
    for number in range(1, calls + 1):
        stripe_objects.told_period[number] = 1
    events = [stripe_objects.event("customer.subscription.updated", number, 1) for number in range(1, calls + 1)]
    return [delivery(event, licenzy.WEBHOOK_PATH) for event in events]


HOT_PATHS = {"gate": gate_calls, "check": check_calls, "webhook": webhook_calls}


def profile(hot_path: str, calls: int) -> str:
    prepared = HOT_PATHS[hot_path](calls)
    for call in prepared[:10]:
        call()
    profiler = cProfile.Profile()
    profiler.enable()
    for call in prepared[10:]:
        call()
    profiler.disable()
    printed = io.StringIO()
    pstats.Stats(profiler, stream=printed).sort_stats("cumulative").print_stats(LINES)
    return re.sub(r"\S*/(?:site-packages|lib/python[\d.]+|main)/", "", shortened(printed.getvalue()))


def shortened(text: str) -> str:
    """Our own files from the package on."""
    return re.sub(r"\S*/((?:licenzy_django|benchmarks)/)", r"\1", text)
