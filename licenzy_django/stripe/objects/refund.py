"""Refunds: https://docs.stripe.com/api/refunds/object"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, ranked
from licenzy_django.stripe.objects.fields import Json, id_of, text, whole

# One that succeeded can still fail, when the customer's bank sends it back.
MERGE: Mapping[str, Merge] = {"status": ranked("pending", "requires_action", "succeeded", "canceled", "failed")}
KEPT = "status payment_intent charge amount currency reason failure_reason pending_reason"


def parse(refund: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "refund",
        refund["id"],
        {
            "status": text(refund, "status"),
            "amount": whole(refund, "amount"),
            "currency": text(refund, "currency"),
            "created": whole(refund, "created"),
        },
        {"payment_intent_id": id_of(refund.get("payment_intent")), "charge_id": id_of(refund.get("charge"))},
    )


@dataclass(frozen=True, slots=True)
class Refund:
    """What decides about money. The amount is the currency's smallest unit, the time Unix seconds."""

    id: str
    status: str
    amount: int
    currency: str | None
    created: int

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            status=state["status"] or "",
            amount=state["amount"] or 0,
            currency=state["currency"],
            created=state["created"] or 0,
        )
