"""Stripe's words into ours: any shape from 2024-06-20 to endive in, one ``Fact`` out.

Works on plain dicts (``json.loads`` of a webhook body, or ``StripeObject.to_dict()``), since StripeObject has no dict
methods of its own and dj-stripe patches some onto it. The only module that knows where a field stands in which API
version. Every time in a state is Unix seconds, UTC. No personal data passes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
State = dict[str, Any]

ATTEMPT_METADATA_KEY = "licenzy_attempt"


@dataclass(frozen=True, slots=True)
class Fact:
    """One Stripe object as we keep it: ``state`` is merged or replaced, ``links`` name other objects by column."""

    object: str
    stripe_id: str
    state: State
    links: Mapping[str, str] = field(default_factory=dict)


def fact_of(stripe_object: Json, *, seen_at: int | None, event_type: str = "") -> Fact | None:
    """Translate one object.

    Args:
        stripe_object: the object, from an event's ``data.object`` or from a fetch.
        seen_at: when Stripe showed it so (the event's ``created``); None if only its own times are known.
        event_type: the event's type, where one brought it.

    Returns None for an object that nothing of ours depends on, or without an id.
    """
    translate = TRANSLATORS.get(str(stripe_object.get("object")))
    if translate is None or not isinstance(stripe_object.get("id"), str):
        return None
    return translate(stripe_object, seen_at, event_type)


def session_fact(session: Json, seen_at: int | None, event_type: str) -> Fact:
    # completed does not mean paid: https://docs.stripe.com/checkout/fulfillment
    confirmed = session.get("payment_status") in ("paid", "no_payment_required") and session.get("status") == "complete"
    return Fact(
        "checkout.session",
        session["id"],
        {
            "mode": session.get("mode"),
            "status": session.get("status"),
            "payment_status": session.get("payment_status"),
            "paid_at": seen_at if confirmed else None,
            # A fetched session does not say when it was paid. An event that comes later does, and then counts alone.
            "found_paid_at": session.get("created") if confirmed and seen_at is None else None,
            "failed_at": seen_at if event_type == "checkout.session.async_payment_failed" else None,
            "created": session.get("created"),
            "expires_at": session.get("expires_at"),
            # Until the form is finished the customer may change the quantity, and with it the amount.
            "amount_total": session.get("amount_total") if session.get("status") == "complete" else None,
            "currency": session.get("currency"),
            "attempt": inside(session, "metadata").get(ATTEMPT_METADATA_KEY),
            "payment_link": id_of(session.get("payment_link")) or None,
        },
        {
            "customer_id": id_of(session.get("customer")),
            "payment_intent_id": id_of(session.get("payment_intent")),
            "subscription_id": id_of(session.get("subscription")),
            "invoice_id": id_of(session.get("invoice")),
        },
    )


def session_lines(line_items: list[dict[str, Any]]) -> list[State]:
    """What a session sold: the price and quantity of each line."""
    return [
        {"price": id_of(line.get("price")), "quantity": line.get("quantity") or 0}
        for line in line_items
        if line.get("price")
    ]


def paid_at_of(session: Fact) -> int | None:
    """When a session was confirmed as paid or as needing no payment; None while it was not."""
    return first_known(session.state.get("paid_at"), session.state.get("found_paid_at"))


def subscription_fact(subscription: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "subscription",
        subscription["id"],
        {
            "status": subscription.get("status"),
            "created": subscription.get("created"),
            "items": [subscription_item(subscription, item) for item in listed(subscription.get("items"))],
            "cancel_at": subscription.get("cancel_at"),
            "cancel_at_period_end": bool(subscription.get("cancel_at_period_end")),
            "canceled_at": subscription.get("canceled_at"),
            "ended_at": subscription.get("ended_at"),
            "latest_invoice": id_of(subscription.get("latest_invoice")),
            "seen_at": seen_at,
        },
        {"customer_id": id_of(subscription.get("customer")), "subscription_id": subscription["id"]},
    )


def subscription_item(subscription: Json, item: Json) -> State:
    # Since basil the period stands on the item; before it stood on the subscription. Old items may lack `price`.
    price = item.get("price") or item.get("plan")
    return {
        "id": item.get("id"),
        "price": id_of(price),
        "quantity": item.get("quantity") if item.get("quantity") is not None else 1,
        "created": item.get("created"),
        "period_start": item.get("current_period_start") or subscription.get("current_period_start"),
        "period_end": item.get("current_period_end") or subscription.get("current_period_end"),
    }


def invoice_fact(invoice: Json, seen_at: int | None, event_type: str) -> Fact:
    status = invoice.get("status")
    is_paid = status == "paid" or event_type in ("invoice.paid", "invoice.payment_succeeded")
    paid_at = first_known(inside(invoice, "status_transitions").get("paid_at"), seen_at, invoice.get("created"))
    parent = inside(invoice, "parent", "subscription_details")
    lines = invoice.get("lines")
    return Fact(
        "invoice",
        invoice["id"],
        {
            "status": "paid" if is_paid else status,
            "paid_at": paid_at if is_paid else None,
            "failed_at": seen_at if event_type == "invoice.payment_failed" else None,
            "created": invoice.get("created"),
            "amount_paid": invoice.get("amount_paid"),
            "currency": invoice.get("currency"),
            # The lines of a draft can still change; once finalised they cannot. An event carries no more than ten.
            "lines": None if status == "draft" or has_more(lines) else invoice_lines(listed(lines)),
        },
        {
            "customer_id": id_of(invoice.get("customer")),
            "subscription_id": id_of(parent.get("subscription")) or id_of(invoice.get("subscription")),
            "invoice_id": invoice["id"],
            "payment_intent_id": id_of(invoice.get("payment_intent")),
            # While it is not paid, that of a try that failed.
            "charge_id": id_of(invoice.get("charge")) if is_paid else "",
        },
    )


def invoice_lines(lines: Sequence[Json]) -> list[State]:
    return [invoice_line(line) for line in lines]


def invoice_line(line: Json) -> State:
    # A proration is an item of the subscription's or, made by a change in mid-period, one of the invoice's own.
    of_subscription = inside(line, "parent", "subscription_item_details")
    details = of_subscription or inside(line, "parent", "invoice_item_details") or line
    pricing, period = inside(line, "pricing", "price_details"), inside(line, "period")
    return {
        "item": id_of(of_subscription.get("subscription_item")) or id_of(line.get("subscription_item")),
        "price": id_of(pricing.get("price")) or id_of(line.get("price")) or id_of(line.get("plan")),
        "start": period.get("start"),
        "end": period.get("end"),
        "proration": bool(details.get("proration")),
    }


def invoice_payment_fact(invoice_payment: Json, seen_at: int | None, event_type: str) -> Fact:
    payment = inside(invoice_payment, "payment")
    return Fact(
        "invoice_payment",
        invoice_payment["id"],
        {"status": invoice_payment.get("status")},
        {
            "invoice_id": id_of(invoice_payment.get("invoice")),
            "payment_intent_id": id_of(payment.get("payment_intent")),
            "charge_id": id_of(payment.get("charge")),
        },
    )


def charge_fact(charge: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "charge",
        charge["id"],
        {
            "amount": charge.get("amount"),
            "currency": charge.get("currency"),
            "amount_refunded": charge.get("amount_refunded"),
            "created": charge.get("created"),
            "refunded_at": seen_at if charge.get("refunded") else None,
        },
        {
            "customer_id": id_of(charge.get("customer")),
            "payment_intent_id": id_of(charge.get("payment_intent")),
            "charge_id": charge["id"],
            "invoice_id": id_of(charge.get("invoice")),
        },
    )


def refund_fact(refund: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "refund",
        refund["id"],
        {
            "status": refund.get("status"),
            "amount": refund.get("amount"),
            "currency": refund.get("currency"),
            "created": refund.get("created"),
        },
        {"payment_intent_id": id_of(refund.get("payment_intent")), "charge_id": id_of(refund.get("charge"))},
    )


def dispute_fact(dispute: Json, seen_at: int | None, event_type: str) -> Fact:
    return Fact(
        "dispute",
        dispute["id"],
        {
            "status": dispute.get("status"),
            "amount": dispute.get("amount"),
            "currency": dispute.get("currency"),
            "created": dispute.get("created"),
            "seen_at": seen_at,
        },
        {"payment_intent_id": id_of(dispute.get("payment_intent")), "charge_id": id_of(dispute.get("charge"))},
    )


def customer_fact(customer: Json, seen_at: int | None, event_type: str) -> Fact:
    # A deleted customer is retrieved as {"id", "object", "deleted": true} with status 200.
    is_deleted = event_type == "customer.deleted" or bool(customer.get("deleted"))
    return Fact(
        "customer",
        customer["id"],
        {"is_deleted": is_deleted, "deleted_at": seen_at if is_deleted else None},
        {"customer_id": customer["id"]},
    )


TRANSLATORS: Mapping[str, Callable[[Json, int | None, str], Fact]] = {
    "checkout.session": session_fact,
    "subscription": subscription_fact,
    "invoice": invoice_fact,
    "invoice_payment": invoice_payment_fact,
    "charge": charge_fact,
    "refund": refund_fact,
    "dispute": dispute_fact,
    "customer": customer_fact,
}


def id_of(reference: Any) -> str:
    """The id of an object that may be given as its id or expanded; empty if absent."""
    if isinstance(reference, Mapping):
        reference = reference.get("id")
    return reference if isinstance(reference, str) else ""


def inside(stripe_object: Json, *names: str) -> Json:
    """The object that these names lead to, empty if absent or something else."""
    found: Any = stripe_object
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def first_known(*times: int | None) -> int | None:
    """0 is a time too."""
    return next((at for at in times if at is not None), None)


def listed(stripe_list: Any) -> list[Json]:
    """The rows of one page of a Stripe list, empty if absent."""
    rows = stripe_list.get("data") if isinstance(stripe_list, Mapping) else None
    return [row for row in rows or [] if isinstance(row, Mapping)]


def has_more(stripe_list: Any) -> bool:
    return isinstance(stripe_list, Mapping) and bool(stripe_list.get("has_more"))
