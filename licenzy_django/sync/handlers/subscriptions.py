"""Subscriptions and their invoices."""

from __future__ import annotations

from dataclasses import replace

from licenzy_django.models import StripeFact, Subject
from licenzy_django.outbound.events import InvoiceOutcome
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.translate import Fact, fact_of, invoice_lines
from licenzy_django.sync.handlers.result import (
    FINAL_SEQUENCE,
    Context,
    HandlerResult,
    ignored,
    of_subscriptions,
    rebuild_of_subscription,
    subject_id_of,
)


def handle_subscription(subscription: Fact, context: Context) -> HandlerResult:
    customer_id = subscription.links["customer_id"]
    prices = [item["price"] for item in subscription.state["items"]]
    price_ids = [price_fact_id(subscription.stripe_id, price) for price in prices]
    known = facts.facts_by_id(context.mode, [subscription.stripe_id, customer_id, *price_ids])
    subject_id = subject_id_of(known.get(subscription.stripe_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        save_prices(subscription, known, context.mode)
    bring_up_to_date(subscription, known.get(subscription.stripe_id), subject_id, context)
    return HandlerResult(
        f"subscription {subscription.stripe_id}",
        subject_id,
        (rebuild_of_subscription(subscription.stripe_id, subject_id),),
    )


def bring_up_to_date(subscription: Fact, row: StripeFact | None, subject_id: int, context: Context) -> None:
    """Keep Stripe's current answer instead of a snapshot that may be old; a final snapshot is as good."""
    subject = Subject(pk=subject_id)
    if facts.is_final(subscription):
        facts.save_newest(subscription, mode=context.mode, sequence=FINAL_SEQUENCE, subject=subject)
    elif context.is_fetched:
        facts.save_newest(subscription, mode=context.mode, sequence=context.sequence, subject=subject, or_equal=True)
    elif row is None or row.fetch_sequence < context.sequence:
        save_subscription(subscription.stripe_id, subject, context, snapshot=subscription, is_new=row is None)


def save_subscription(
    subscription_id: str, subject: Subject, context: Context, *, snapshot: Fact | None = None, is_new: bool
) -> None:
    """Ask Stripe for the subscription and keep the answer.

    Where Stripe no longer knows it (a test clock was removed), the newest snapshot is all there is.
    """
    try:
        fetched = fact_of(client.fetch_subscription(context.mode, subscription_id), seen_at=None)
        assert fetched is not None
    except client.StripeObjectMissing:
        save_snapshot(snapshot, subject, context)
        return
    sequence = FINAL_SEQUENCE if facts.is_final(fetched) else context.sequence
    facts.save_newest(fetched, mode=context.mode, sequence=sequence, subject=subject, is_new=is_new)


def save_snapshot(snapshot: Fact | None, subject: Subject | None, context: Context) -> None:
    if snapshot is None:
        return
    row = facts.facts_by_id(context.mode, [snapshot.stripe_id]).get(snapshot.stripe_id)
    if row is None or (row.state.get("seen_at") or 0) <= (snapshot.state["seen_at"] or 0):
        facts.save_newest(snapshot, mode=context.mode, sequence=context.sequence, subject=subject)


def price_fact_id(subscription_id: str, price: str) -> str:
    return f"{subscription_id}/{price}"


def save_prices(subscription: Fact, known: dict[str, StripeFact], mode: str) -> None:
    """Remember every price that the subscription was ever seen with: a product that it lost has to end."""
    seen_at = subscription.state["seen_at"]
    for item in subscription.state["items"]:
        stripe_id = price_fact_id(subscription.stripe_id, item["price"])
        row = known.get(stripe_id)
        if row is None or row.state["seen_at"] > seen_at:
            links = {"subscription_id": subscription.stripe_id}
            state = {"price": item["price"], "seen_at": seen_at}
            facts.save(Fact("subscription_price", stripe_id, state, links), mode=mode)


def handle_invoice(invoice: Fact, context: Context) -> HandlerResult:
    subscription_id, customer_id = invoice.links["subscription_id"], invoice.links["customer_id"]
    if not subscription_id:
        return ignored("an invoice without a subscription")
    known = facts.facts_by_id(context.mode, [subscription_id, customer_id])
    subject_id = subject_id_of(known.get(subscription_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        invoice = with_lines(invoice, context.mode)
    whole = facts.save(invoice, mode=context.mode)
    row = known.get(subscription_id)
    if not context.is_fetched and is_behind(row, invoice):
        save_subscription(subscription_id, Subject(pk=subject_id), context, is_new=row is None)
    rebuild = rebuild_of_subscription(subscription_id, subject_id, invoice=outcome_of(whole))
    return HandlerResult(f"subscription {subscription_id}", subject_id, (rebuild,))


def outcome_of(invoice: Fact) -> InvoiceOutcome:
    return InvoiceOutcome(
        invoice_id=invoice.stripe_id,
        subscription_id=invoice.links["subscription_id"],
        payment_intent_id=invoice.links["payment_intent_id"],
        paid_at=invoice.state["paid_at"],
        failed_at=invoice.state["failed_at"],
        amount_paid=invoice.state["amount_paid"],
        currency=invoice.state["currency"],
    )


def with_lines(invoice: Fact, mode: str) -> Fact:
    """A paid invoice with all its lines, asked for where there were too many to come along."""
    if invoice.state["paid_at"] is None or invoice.state["lines"] is not None:
        return invoice
    known = facts.facts_by_id(mode, [invoice.stripe_id]).get(invoice.stripe_id)
    if known is not None and known.state.get("lines") is not None:
        return invoice
    try:
        lines = invoice_lines(client.fetch_invoice_lines(mode, invoice.stripe_id))
    except client.StripeObjectMissing:
        return invoice
    return replace(invoice, state={**invoice.state, "lines": lines})


def is_behind(row: StripeFact | None, invoice: Fact) -> bool:
    """Whether a paid invoice shows that what we know of its subscription is old news."""
    if row is None:
        return True
    if invoice.state["paid_at"] is None or row.fetch_sequence == FINAL_SEQUENCE:
        return False
    ends_at = max((item["period_end"] or 0 for item in row.state["items"]), default=0)
    paid_until = max((line["end"] or 0 for line in invoice.state["lines"] or []), default=0)
    return row.state["status"] not in ("active", "trialing") or paid_until > ends_at


def handle_invoice_payment(invoice_payment: Fact, context: Context) -> HandlerResult:
    facts.save(invoice_payment, mode=context.mode)
    invoice = facts.facts_by_id(context.mode, [invoice_payment.links["invoice_id"]])
    return of_subscriptions((row.subscription_id for row in invoice.values()), context, waits_for="its invoice")
