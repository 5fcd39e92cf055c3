"""Run as a process of its own by test_checkout_crashes: starts a checkout and is killed where it is told to be."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django


def die(*args: Any, **kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(database: str, where: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from licenzy_django import checkout
    from licenzy_django.checkout import pages, sessions
    from licenzy_django.stripe import customers

    if where == "after_the_customer":
        customers.bind_customer = die  # type: ignore[assignment]
    elif where == "after_the_session":
        pages.close = die  # type: ignore[assignment]
    elif where == "before_stripe":
        sessions.open_session = die  # type: ignore[assignment]
    checkout.start("user_1", "PRO_MONTHLY", idempotency_key="order-1", customer_email="ada@example.com")


if __name__ == "__main__":
    main(*sys.argv[1:])
