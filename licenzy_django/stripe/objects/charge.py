"""Charges: https://docs.stripe.com/api/charges/object"""

from __future__ import annotations

from collections.abc import Mapping

from licenzy_django.stripe.objects.fact import Fact, Merge
from licenzy_django.stripe.objects.fields import Json, flag, id_of, text, whole

MERGE: Mapping[str, Merge] = {"amount_refunded": max, "refunded_at": min}


def parse(charge: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "charge",
        charge["id"],
        {
            "amount": whole(charge, "amount"),
            "currency": text(charge, "currency"),
            "amount_refunded": whole(charge, "amount_refunded"),
            "created": whole(charge, "created"),
            "refunded_at": seen_at if flag(charge, "refunded") else None,
        },
        {
            "customer_id": id_of(charge.get("customer")),
            "payment_intent_id": id_of(charge.get("payment_intent")),
            "charge_id": charge["id"],
            "invoice_id": id_of(charge.get("invoice")),
        },
    )
