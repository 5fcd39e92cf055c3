"""Disputes: https://docs.stripe.com/api/disputes/object"""

from __future__ import annotations

from licenzy_django.stripe.objects.fact import Fact
from licenzy_django.stripe.objects.fields import Json, id_of, text, whole


def parse(dispute: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "dispute",
        dispute["id"],
        {
            "status": text(dispute, "status"),
            "amount": whole(dispute, "amount"),
            "currency": text(dispute, "currency"),
            "created": whole(dispute, "created"),
            "seen_at": seen_at,
        },
        {"payment_intent_id": id_of(dispute.get("payment_intent")), "charge_id": id_of(dispute.get("charge"))},
    )
