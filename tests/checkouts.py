"""A checkout as the app starts it, and what of it reached Stripe."""

from __future__ import annotations

from typing import Any

from licenzy_django import checkout
from licenzy_django.checkout import StartedCheckout
from licenzy_django.testing import StripeDouble


def start(product: str = "PRO_MONTHLY", key: str = "order-1", subject: str = "user_1", **more: Any) -> StartedCheckout:
    return checkout.start(subject, product, idempotency_key=key, **more)


def asked(stripe: StripeDouble, path: str) -> list[tuple[str, str | None]]:
    """Body and idempotency key of each POST that reached Stripe."""
    return [(r.body, r.idempotency_key) for r in stripe.requests if (r.method, r.path) == ("POST", path)]


def open_pages(stripe: StripeDouble) -> list[str]:
    return [session["url"] for session in stripe.simulator.all("checkout.session") if session["status"] == "open"]
