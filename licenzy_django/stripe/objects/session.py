"""Checkout sessions: https://docs.stripe.com/api/checkout/sessions/object"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, State, ranked
from licenzy_django.stripe.objects.fields import Json, first_known, id_of, inside, text, whole

ATTEMPT_METADATA_KEY = "licenzy_attempt"
CONFIRMED = ("paid", "no_payment_required")

MERGE: Mapping[str, Merge] = {
    "status": ranked("open", "expired", "complete"),
    "payment_status": ranked("unpaid", "no_payment_required", "paid"),
    "paid_at": min,
    "found_paid_at": min,
    "failed_at": min,
}
KEPT = (
    "mode status payment_status payment_intent subscription invoice customer amount_total currency payment_link "
    "recovered_from expires_at metadata"
)
"""What of it an event is stored with."""


def parse(session: Json, seen_at: int | None, event_type: str) -> Fact:
    status, payment_status = text(session, "status"), text(session, "payment_status")
    # completed does not mean paid: https://docs.stripe.com/checkout/fulfillment
    is_confirmed = payment_status in CONFIRMED and status == "complete"
    created = whole(session, "created")
    return Fact(
        "checkout.session",
        session["id"],
        {
            "mode": text(session, "mode"),
            "status": status,
            "payment_status": payment_status,
            "paid_at": seen_at if is_confirmed else None,
            # A fetched session does not say when it was paid. An event that comes later does, and then counts alone.
            "found_paid_at": created if is_confirmed and seen_at is None else None,
            "failed_at": seen_at if event_type == "checkout.session.async_payment_failed" else None,
            "created": created,
            "expires_at": whole(session, "expires_at"),
            # Until the form is finished the customer may change the quantity, and with it the amount.
            "amount_total": whole(session, "amount_total") if status == "complete" else None,
            "currency": text(session, "currency"),
            "attempt": text(inside(session, "metadata"), ATTEMPT_METADATA_KEY),
            "payment_link": id_of(session.get("payment_link")) or None,
        },
        {
            "customer_id": id_of(session.get("customer")),
            "payment_intent_id": id_of(session.get("payment_intent")),
            "subscription_id": id_of(session.get("subscription")),
            "invoice_id": id_of(session.get("invoice")),
        },
    )


def parse_lines(line_items: Sequence[Json]) -> list[State]:
    """What a session sold: the price and quantity of each line."""
    return [
        {"price": id_of(line.get("price")), "quantity": whole(line, "quantity") or 0}
        for line in line_items
        if line.get("price")
    ]


@dataclass(frozen=True, slots=True)
class Session:
    """What decides about money. Times are Unix seconds, amounts the currency's smallest unit.

    Attributes:
        paid_at: when it was confirmed as paid or as needing no payment; None while it was not.
        lines: price and quantity of each; empty while they are not known.
    """

    id: str
    paid_at: int | None
    amount_total: int | None
    currency: str | None
    payment_intent_id: str
    invoice_id: str
    lines: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            paid_at=paid_at_of(fact),
            amount_total=state.get("amount_total"),
            currency=state.get("currency"),
            payment_intent_id=fact.links.get("payment_intent_id", ""),
            invoice_id=fact.links.get("invoice_id", ""),
            lines=tuple((line["price"], line["quantity"]) for line in state.get("lines") or []),
        )


def paid_at_of(session: Fact) -> int | None:
    return first_known(session.state.get("paid_at"), session.state.get("found_paid_at"))
