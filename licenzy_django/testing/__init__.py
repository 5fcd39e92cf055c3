"""The host's test kit: a Stripe in memory, real signatures, no network.

In a ``conftest.py``: ``pytest_plugins = ["licenzy_django.testing"]``. Then a test takes ``stripe_double``::

    def test_paying_turns_access_on(stripe_double, client):
        stripe_double.sell("PRO_MONTHLY", kind="subscription")
        assert not access.check("user_1")

        stripe_double.buy("user_1", "PRO_MONTHLY")

        assert access.check("user_1")

Without pytest, ``with stripe_double_in_memory() as stripe_double:`` does the same. The simulator need not be installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from licenzy_django.testing.double import (
        WEBHOOK_SECRET,
        StripeDouble,
        answer_of_webhook,
        id_in,
        in_every_order,
        post_to_webhook,
    )
    from licenzy_django.testing.grants import entitled
    from licenzy_django.testing.wiring import http_client, now, running, stripe_double_in_memory

if find_spec("pytest"):
    from licenzy_django.testing.fixtures import stripe_double as stripe_double

__all__ = [
    "WEBHOOK_SECRET",
    "StripeDouble",
    "answer_of_webhook",
    "entitled",
    "http_client",
    "id_in",
    "in_every_order",
    "now",
    "post_to_webhook",
    "running",
    "stripe_double_in_memory",
]
ROOMS = ("double", "grants", "wiring")


def __getattr__(name: str) -> Any:
    """Late, because pytest may load a plugin before Django is set up, and models cannot be imported before that."""
    if not name.startswith("_") and not name.startswith("pytest"):
        for room in ROOMS:
            found = vars(import_module(f"{__name__}.{room}"))
            if name in found:
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
