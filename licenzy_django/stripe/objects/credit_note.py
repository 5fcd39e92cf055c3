"""Credit notes: https://docs.stripe.com/api/credit_notes/object"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, ranked
from licenzy_django.stripe.objects.fields import Json, id_of, listed, text, whole

MERGE: Mapping[str, Merge] = {"status": ranked("issued", "void")}
KEPT = "status customer invoice reason amount post_payment_amount pre_payment_amount refunds refund amount_refunded"


def parse(credit_note: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "credit_note",
        credit_note["id"],
        {
            "status": text(credit_note, "status"),
            "created": whole(credit_note, "created"),
            "credited_after_payment": whole(credit_note, "post_payment_amount"),
            "refunded": refunded(credit_note),
        },
        {"customer_id": id_of(credit_note.get("customer")), "invoice_id": id_of(credit_note.get("invoice"))},
    )


def refunded(credit_note: Json) -> int:
    """What of it went back as refunds, which are objects of their own; the rest went to the balance or elsewhere."""
    refunds = credit_note.get("refunds")
    rows = [row for row in refunds if isinstance(row, Mapping)] if isinstance(refunds, list) else listed(refunds)
    return sum(whole(row, "amount_refunded") or 0 for row in rows)


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What decides about money. Amounts are the currency's smallest unit, the time Unix seconds.

    Attributes:
        credited_after_payment: what it gave back of a paid invoice, in whatever way.
        refunded: what of that went back as refunds.
    """

    id: str
    status: str
    created: int
    credited_after_payment: int
    refunded: int

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            status=state["status"] or "",
            created=state["created"] or 0,
            credited_after_payment=state["credited_after_payment"] or 0,
            refunded=state["refunded"] or 0,
        )
