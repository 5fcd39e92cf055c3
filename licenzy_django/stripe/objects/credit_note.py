"""Credit notes: https://docs.stripe.com/api/credit_notes/object"""

from __future__ import annotations

from collections.abc import Mapping

from licenzy_django.stripe.objects.fact import Fact, Merge, ranked
from licenzy_django.stripe.objects.fields import Json, id_of, listed, text, whole

MERGE: Mapping[str, Merge] = {"status": ranked("issued", "void")}


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
