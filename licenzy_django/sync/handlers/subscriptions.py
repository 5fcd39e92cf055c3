"""Subscriptions and their invoices."""

from __future__ import annotations

from dataclasses import replace

from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.translate import Fact, fact_of, invoice_lines
from licenzy_django.sync.handlers.result import (
    FINAL_TICKET,
    Context,
    Learned,
    ignored,
    of_subscriptions,
    settle_of,
    subject_id_of,
)


def learn_subscription(subscription: Fact, context: Context) -> Learned:
    customer_id = subscription.links["customer_id"]
    prices = [item["price"] for item in subscription.state["items"]]
    price_ids = [price_fact_id(subscription.stripe_id, price) for price in prices]
    known = facts.facts_by_id(context.mode, [subscription.stripe_id, customer_id, *price_ids])
    subject_id = subject_id_of(known.get(subscription.stripe_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        keep_prices(subscription, known, context.mode)
    bring_up_to_date(subscription, known.get(subscription.stripe_id), subject_id, context)
    return Learned(
        f"subscription {subscription.stripe_id}", subject_id, (settle_of(subscription.stripe_id, subject_id),)
    )


def bring_up_to_date(subscription: Fact, row: StripeFact | None, subject_id: int, context: Context) -> None:
    """Keep Stripe's current answer instead of a snapshot that may be old; a final snapshot is as good."""
    subject = Subject(pk=subject_id)
    if facts.is_final(subscription):
        facts.keep_newest(subscription, mode=context.mode, ticket=FINAL_TICKET, subject=subject)
    elif context.is_fetched:
        facts.keep_newest(subscription, mode=context.mode, ticket=context.ticket, subject=subject, or_equal=True)
    elif row is None or row.applied_ticket < context.ticket:
        keep_subscription(subscription.stripe_id, subject, context, snapshot=subscription, is_new=row is None)


def keep_subscription(
    subscription_id: str, subject: Subject, context: Context, *, snapshot: Fact | None = None, is_new: bool
) -> None:
    """Ask Stripe for the subscription and keep the answer.

    Where Stripe no longer knows it (a test clock was removed), the newest snapshot is all there is.
    """
    try:
        fetched = fact_of(client.fetch_subscription(context.mode, subscription_id), seen_at=None)
        assert fetched is not None
    except client.StripeObjectMissing:
        keep_snapshot(snapshot, subject, context)
        return
    ticket = FINAL_TICKET if facts.is_final(fetched) else context.ticket
    facts.keep_newest(fetched, mode=context.mode, ticket=ticket, subject=subject, is_new=is_new)


def keep_snapshot(snapshot: Fact | None, subject: Subject | None, context: Context) -> None:
    if snapshot is None:
        return
    row = facts.facts_by_id(context.mode, [snapshot.stripe_id]).get(snapshot.stripe_id)
    if row is None or (row.state.get("seen_at") or 0) <= (snapshot.state["seen_at"] or 0):
        facts.keep_newest(snapshot, mode=context.mode, ticket=context.ticket, subject=subject)


def price_fact_id(subscription_id: str, price: str) -> str:
    return f"{subscription_id}/{price}"


def keep_prices(subscription: Fact, known: dict[str, StripeFact], mode: str) -> None:
    """Remember every price that the subscription was ever seen with: a product that it lost has to end."""
    seen_at = subscription.state["seen_at"]
    for item in subscription.state["items"]:
        stripe_id = price_fact_id(subscription.stripe_id, item["price"])
        row = known.get(stripe_id)
        if row is None or row.state["seen_at"] > seen_at:
            links = {"subscription_id": subscription.stripe_id}
            state = {"price": item["price"], "seen_at": seen_at}
            facts.keep(Fact("subscription_price", stripe_id, state, links), mode=mode)


def learn_invoice(invoice: Fact, context: Context) -> Learned:
    subscription_id, customer_id = invoice.links["subscription_id"], invoice.links["customer_id"]
    if not subscription_id:
        return ignored("an invoice without a subscription")
    known = facts.facts_by_id(context.mode, [subscription_id, customer_id])
    subject_id = subject_id_of(known.get(subscription_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        invoice = with_lines(invoice, context.mode)
    whole = facts.keep(invoice, mode=context.mode)
    row = known.get(subscription_id)
    if not context.is_fetched and is_behind(row, invoice):
        keep_subscription(subscription_id, Subject(pk=subject_id), context, is_new=row is None)
    settle = settle_of(subscription_id, subject_id, invoice=whole)
    return Learned(f"subscription {subscription_id}", subject_id, (settle,))


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
    if invoice.state["paid_at"] is None or row.applied_ticket == FINAL_TICKET:
        return False
    ends_at = max((item["period_end"] or 0 for item in row.state["items"]), default=0)
    paid_until = max((line["end"] or 0 for line in invoice.state["lines"] or []), default=0)
    return row.state["status"] not in ("active", "trialing") or paid_until > ends_at


def learn_invoice_payment(invoice_payment: Fact, context: Context) -> Learned:
    facts.keep(invoice_payment, mode=context.mode)
    invoice = facts.facts_by_id(context.mode, [invoice_payment.links["invoice_id"]])
    return of_subscriptions((row.subscription_id for row in invoice.values()), context, waits_for="its invoice")
