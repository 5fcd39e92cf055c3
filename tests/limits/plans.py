"""A plan with limits, and a subject that has it."""

from __future__ import annotations

from licenzy_django.models import Entitlement, Kind, Product
from licenzy_django.testing import entitled


def plan(to: str = "org:acme", *, code: str = "PRO", **limits: int | str | None) -> Entitlement:
    """Give a subject a subscription with these limits; the product is made."""
    terms = {"name": code, "kind": Kind.SUBSCRIPTION, "stripe_price_id": f"price_{code.lower()}", "limits": limits}
    Product.objects.update_or_create(mode="test", code=code, defaults=terms)
    return entitled(to, code)
