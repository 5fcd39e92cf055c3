"""Disputes: https://docs.stripe.com/api/disputes/object"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact
from licenzy_django.stripe.objects.fields import Json, id_of, text, whole

KEPT = "status payment_intent charge amount currency reason is_charge_refundable"


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


@dataclass(frozen=True, slots=True)
class Dispute:
    """What decides about money. ``created`` is Unix seconds."""

    id: str
    status: str
    created: int

    @classmethod
    def of(cls, fact: Fact) -> Self:
        return cls(id=fact.stripe_id, status=fact.state["status"] or "", created=fact.state["created"] or 0)
