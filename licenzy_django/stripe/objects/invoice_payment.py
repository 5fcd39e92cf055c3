"""Payments of invoices, the only link from a payment to its invoice since basil:
https://docs.stripe.com/api/invoice-payment/object"""

from __future__ import annotations

from collections.abc import Mapping

from licenzy_django.stripe.objects.fact import Fact, Merge, ranked
from licenzy_django.stripe.objects.fields import Json, id_of, inside, text, whole

MERGE: Mapping[str, Merge] = {"status": ranked("open", "canceled", "paid"), "amount_paid": max}


def parse(invoice_payment: Json, seen_at: int | None, event_type: str) -> Fact:
    payment = inside(invoice_payment, "payment")
    return Fact(
        "invoice_payment",
        invoice_payment["id"],
        {"status": text(invoice_payment, "status"), "amount_paid": whole(invoice_payment, "amount_paid")},
        {
            "invoice_id": id_of(invoice_payment.get("invoice")),
            "payment_intent_id": id_of(payment.get("payment_intent")),
            "charge_id": id_of(payment.get("charge")),
        },
    )
