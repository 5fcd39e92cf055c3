"""Invoices and their lines: https://docs.stripe.com/api/invoices/object"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from licenzy_django.stripe.objects.fact import Fact, Merge, State, ranked
from licenzy_django.stripe.objects.fields import (
    Json,
    first_known,
    flag,
    has_more,
    id_of,
    inside,
    listed,
    text,
    whole,
)

KEPT = (
    "status customer currency billing_reason amount_paid amount_due amount_remaining total attempt_count "
    "next_payment_attempt status_transitions paid_at paid lines has_more period start end parent subscription "
    "subscription_details subscription_item_details subscription_item invoice_item_details proration price pricing "
    "price_details charge payment payment_intent collection_method discount_amounts quantity starting_balance "
    "ending_balance pre_payment_credit_notes_amount post_payment_credit_notes_amount"
)


def fuller(left: list[State], right: list[State]) -> list[State]:
    """The lines of a finalised invoice never change; those that an earlier version of ours stored say less."""
    return max(left, right, key=lambda lines: (all("net" in line for line in lines), json.dumps(lines, sort_keys=True)))


MERGE: Mapping[str, Merge] = {
    "status": ranked("draft", "open", "uncollectible", "void", "paid"),
    "paid_at": min,
    "failed_at": min,
    "amount_paid": max,
    "credited_after_payment": max,
    "lines": fuller,
}


def parse(invoice: Json, seen_at: int | None, event_type: str) -> Fact:
    status = text(invoice, "status")
    is_paid = status == "paid" or event_type in ("invoice.paid", "invoice.payment_succeeded")
    created = whole(invoice, "created")
    paid_at = first_known(whole(inside(invoice, "status_transitions"), "paid_at"), seen_at, created)
    lines = invoice.get("lines")
    return Fact(
        "invoice",
        invoice["id"],
        {
            "status": "paid" if is_paid else status,
            "paid_at": paid_at if is_paid else None,
            "failed_at": seen_at if event_type == "invoice.payment_failed" else None,
            "created": created,
            "amount_paid": whole(invoice, "amount_paid"),
            "currency": text(invoice, "currency"),
            "total": None if status == "draft" else whole(invoice, "total"),
            "starting_balance": None if status == "draft" else whole(invoice, "starting_balance"),
            # Credit notes on an open invoice lower what is due; what they came to when it was paid is final.
            "credited_before_payment": whole(invoice, "pre_payment_credit_notes_amount") if is_paid else None,
            "credited_after_payment": whole(invoice, "post_payment_credit_notes_amount"),
            # The lines of a draft can still change; once finalised they cannot. An event carries no more than ten.
            "lines": None if status == "draft" or has_more(lines) else parse_lines(listed(lines)),
        },
        {
            "customer_id": id_of(invoice.get("customer")),
            "subscription_id": subscription_of(invoice),
            "invoice_id": invoice["id"],
            "payment_intent_id": id_of(invoice.get("payment_intent")),
            # While it is not paid, that of a try that failed.
            "charge_id": id_of(invoice.get("charge")) if is_paid else "",
        },
    )


def subscription_of(invoice: Json) -> str:
    """The subscription that an invoice bills. That of a quote, or one made by hand, names it on its lines alone."""
    parent = inside(invoice, "parent", "subscription_details")
    named = id_of(parent.get("subscription")) or id_of(invoice.get("subscription"))
    return named or next(filter(None, map(subscription_of_line, listed(invoice.get("lines")))), "")


def subscription_of_line(line: Json) -> str:
    places = (inside(line, "parent", kind) for kind in ("subscription_item_details", "invoice_item_details"))
    return next((found for place in (*places, line) if (found := id_of(place.get("subscription")))), "")


def parse_lines(lines: Sequence[Json]) -> list[State]:
    return [line_state(line) for line in lines]


def line_state(line: Json) -> State:
    # A proration is an item of the subscription's or, made by a change in mid-period, one of the invoice's own.
    of_subscription = inside(line, "parent", "subscription_item_details")
    details = of_subscription or inside(line, "parent", "invoice_item_details") or line
    pricing, period = inside(line, "pricing", "price_details"), inside(line, "period")
    amount = whole(line, "amount") or 0
    discounts = line.get("discount_amounts")
    discounted = [whole(each, "amount") or 0 for each in discounts or [] if isinstance(each, Mapping)]
    quantity = whole(line, "quantity")
    return {
        "item": id_of(of_subscription.get("subscription_item")) or id_of(line.get("subscription_item")),
        "price": id_of(pricing.get("price")) or id_of(line.get("price")) or id_of(line.get("plan")),
        "quantity": 1 if quantity is None else quantity,
        "amount": amount,
        # Flexible billing can list discounts beside gross lines; a discount on a credit is negative too.
        "net": amount - sum(discounted),
        "start": whole(period, "start"),
        "end": whole(period, "end"),
        "proration": flag(details, "proration"),
    }


@dataclass(frozen=True, slots=True)
class Line:
    """What one line bills. Amounts are the currency's smallest unit, times Unix seconds.

    Attributes:
        item: the subscription item; empty where Stripe does not say.
        quantity: None where only an earlier version of ours kept the line, and Stripe no longer has it.
        amount: below zero for a credit.
        net: the amount less its discounts.
    """

    item: str
    price: str
    quantity: int | None
    amount: int
    net: int
    start: int
    end: int
    proration: bool

    @classmethod
    def of(cls, state: State) -> Self:
        return cls(
            item=state["item"],
            price=state["price"],
            quantity=state.get("quantity"),
            amount=state.get("amount", 0),
            net=state.get("net", 0),
            start=state["start"] or 0,
            end=state["end"] or 0,
            proration=state["proration"],
        )

    @property
    def is_credit(self) -> bool:
        return self.amount < 0


@dataclass(frozen=True, slots=True)
class Invoice:
    """What decides about money. Amounts are the currency's smallest unit, times Unix seconds.

    Attributes:
        total: what was billed, before balance and credit notes; below zero goes to the customer's balance.
        starting_balance: the customer's balance before it; below zero is credit that it could use.
        credited_before_payment: credit notes that lowered what was due, once it is paid.
        credited_after_payment: credit notes that gave money back, in whatever way.
    """

    id: str
    status: str
    paid_at: int | None
    created: int
    amount_paid: int
    currency: str | None
    total: int
    starting_balance: int
    credited_before_payment: int
    credited_after_payment: int
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, fact: Fact) -> Self:
        state = fact.state
        return cls(
            id=fact.stripe_id,
            status=state["status"] or "",
            paid_at=state["paid_at"],
            created=state["created"] or 0,
            amount_paid=state["amount_paid"] or 0,
            currency=state["currency"],
            total=state.get("total") or 0,
            starting_balance=state.get("starting_balance") or 0,
            credited_before_payment=state.get("credited_before_payment") or 0,
            credited_after_payment=state.get("credited_after_payment") or 0,
            lines=tuple(map(Line.of, state["lines"] or [])),
        )

    @property
    def is_paid(self) -> bool:
        return self.paid_at is not None


def is_complete(fact: Fact) -> bool:
    """Whether a fact has all that ``Invoice`` needs. An earlier version of ours stored less."""
    return "total" in fact.state
