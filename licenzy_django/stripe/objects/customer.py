"""Customers, as far as they end: https://docs.stripe.com/api/customers/object"""

from __future__ import annotations

from collections.abc import Mapping

from licenzy_django.stripe.objects.fact import Fact, Merge
from licenzy_django.stripe.objects.fields import Json, flag

MERGE: Mapping[str, Merge] = {"is_deleted": max, "deleted_at": min}
KEPT = "deleted"


def parse(customer: Json, seen_at: int | None, event_type: str) -> Fact:
    # A deleted customer is retrieved as {"id", "object", "deleted": true} with status 200.
    is_deleted = event_type == "customer.deleted" or flag(customer, "deleted")
    return Fact(
        "customer",
        customer["id"],
        {"is_deleted": is_deleted, "deleted_at": seen_at if is_deleted else None},
        {"customer_id": customer["id"]},
    )
