"""Payments of invoices, the only link from a payment to its invoice since basil:
https://docs.stripe.com/api/invoice-payment/object"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, ranked
from licenzy_django.stripe.objects.fields import Json, id_of, inside, text, whole

MERGE: Mapping[str, Merge] = {"status": ranked("open", "canceled", "paid"), "amount_paid": max}
KEPT = "status invoice amount_paid payment payment_intent charge"


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


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """What decides about money. The amount is the currency's smallest unit, None where Stripe did not say."""

    id: str
    status: str
    amount_paid: int | None

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(id=fact.stripe_id, status=state["status"] or "", amount_paid=state.get("amount_paid"))
