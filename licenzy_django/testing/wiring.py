"""Puts a double in Stripe's place, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from licenzy_django.conf import as_list
from licenzy_django.stripe import client
from licenzy_django.testing.double import WEBHOOK_SECRET, StripeDouble

if TYPE_CHECKING:
    from licenzy_django.simulator.http import SimulatorHTTPClient
    from licenzy_django.simulator.simulator import Simulator

running: list[StripeDouble] = []


def http_client() -> SimulatorHTTPClient:
    """What ``LICENZY["STRIPE_HTTP_CLIENT"]`` names while a double is running."""
    return running[-1].http_client


def now() -> datetime:
    """The double's clock: it stands still unless ``advance`` moves it."""
    return running[-1].now if running else timezone.now()


@contextmanager
def licenzy_set_to(configured: dict[str, Any]) -> Iterator[None]:
    """Not ``override_settings``: of two that overlap the later must be undone first, or one stays for ever. But what a
    test sets through pytest-django's ``settings`` is undone when that fixture ends, which may be after the double.
    """
    holder: Any = vars(settings)["_wrapped"]
    before = {name: value for name, value in vars(holder).items() if name == "LICENZY"}
    settings.LICENZY = configured
    try:
        yield
    finally:
        vars(holder).pop("LICENZY", None)
        vars(holder).update(before)
        # What LazySettings remembers of it.
        vars(settings).pop("LICENZY", None)


@contextmanager
def stripe_double_in_memory(simulator: Simulator | None = None) -> Iterator[StripeDouble]:
    """Everything inside talks to a Stripe in memory, in test mode, with the double's clock."""
    from licenzy_django.simulator import Simulator

    double = StripeDouble(simulator or Simulator())
    given = getattr(settings, "LICENZY", {})
    configured = {
        **given,
        "MODE": "test",
        "TEST_SECRET_KEY": "sk_test_double",
        "TEST_WEBHOOK_SECRETS": [WEBHOOK_SECRET],
        "SUCCESS_URL": given.get("SUCCESS_URL") or "https://testserver/return?session_id={CHECKOUT_SESSION_ID}",
        "CANCEL_URL": given.get("CANCEL_URL") or "https://testserver/",
        # What a view builds from a request of Django's test client.
        "ALLOWED_REDIRECT_HOSTS": [*as_list(given.get("ALLOWED_REDIRECT_HOSTS")), "testserver"],
        "STRIPE_API_BASE": "",
        "STRIPE_HTTP_CLIENT": "licenzy_django.testing.http_client",
        "CLOCK": "licenzy_django.testing.now",
        # No cache sees that a test is rolled back.
        "CACHE": "",
    }
    running.append(double)
    client.build_client.cache_clear()
    try:
        with licenzy_set_to(configured):
            yield double
    finally:
        running.remove(double)
        client.build_client.cache_clear()
