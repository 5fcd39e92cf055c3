"""Charges: https://docs.stripe.com/api/charges/object"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge
from licenzy_django.stripe.objects.fields import Json, flag, id_of, text, whole

MERGE: Mapping[str, Merge] = {"amount_refunded": max, "refunded_at": min}
KEPT = (
    "status customer invoice payment_intent amount amount_captured amount_refunded refunds refunded currency disputed"
)


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


@dataclass(frozen=True, slots=True)
class Charge:
    """What decides about money. Amounts are the currency's smallest unit, times Unix seconds.

    Attributes:
        amount_refunded: in total, by refunds that may be unknown to us, or may have failed since.
        refunded_at: when it was first seen as refunded in full.
    """

    id: str
    amount: int
    currency: str | None
    amount_refunded: int
    created: int
    refunded_at: int | None

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            amount=state["amount"] or 0,
            currency=state["currency"],
            amount_refunded=state["amount_refunded"] or 0,
            created=state["created"] or 0,
            refunded_at=state["refunded_at"],
        )
