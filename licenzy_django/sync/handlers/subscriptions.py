"""Subscriptions and their invoices."""

from __future__ import annotations

from contextlib import suppress

from licenzy_django.models import StripeFact, Subject
from licenzy_django.outbound.events import InvoiceOutcome
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.invoices import with_lines
from licenzy_django.stripe.objects import Fact, State, fact_of, fact_of_answer
from licenzy_django.stripe.objects.invoice import is_complete
from licenzy_django.stripe.objects.subscription import RUNNING
from licenzy_django.sync.handlers.notes import ids_of_notes, remember
from licenzy_django.sync.handlers.result import (
    Context,
    HandlerResult,
    Rebuild,
    SubscriptionRebuild,
    ignored,
    of_subscriptions,
    subject_id_of,
)
from licenzy_django.sync.handlers.trials import TRIAL_WILL_END, TrialEnd


def handle_subscription(subscription: Fact, context: Context) -> HandlerResult:
    customer_id = subscription.links["customer_id"]
    seen_ids = [seen_id_of(subscription.stripe_id, item) for item in subscription.state["items"]]
    latest = subscription.state["latest_invoice"]
    ids = [subscription.stripe_id, customer_id, latest, *seen_ids, *ids_of_notes(subscription.stripe_id)]
    known = facts.facts_by_id(context.mode, ids)
    subject_id = subject_id_of(known.get(subscription.stripe_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        note_what_was_seen(subscription, known, context.mode)
    subject = Subject(pk=subject_id)
    answer = bring_up_to_date(subscription, known, subject, context)
    remember([subscription, *filter(None, [answer])], known, subject, context.mode)
    rebuilds: list[Rebuild] = [SubscriptionRebuild(subject_id, subscription.stripe_id)]
    if context.event_type == TRIAL_WILL_END:
        rebuilds.append(TrialEnd(subject_id, subscription.stripe_id))
    return HandlerResult(f"subscription {subscription.stripe_id}", subject_id, tuple(rebuilds))


def bring_up_to_date(
    subscription: Fact, known: dict[str, StripeFact], subject: Subject, context: Context
) -> Fact | None:
    """Keep Stripe's current answer instead of a snapshot that may be old; a final snapshot is as good. Returns what
    Stripe answered, if it was asked."""
    row = known.get(subscription.stripe_id)
    if facts.is_final(subscription):
        facts.save_newest(subscription, mode=context.mode, sequence=context.sequence, subject=subject)
    elif context.is_fetched:
        facts.save_newest(subscription, mode=context.mode, sequence=context.sequence, subject=subject, or_equal=True)
    elif row is None or facts.is_worth_a_fetch(row, context.sequence):
        latest = known.get(subscription.state["latest_invoice"])
        newest = facts.fact_from(latest) if latest is not None and is_complete(facts.fact_from(latest)) else None
        return save_subscription(subscription.stripe_id, subject, context, snapshot=subscription, newest=newest)
    return None


def save_subscription(
    subscription_id: str,
    subject: Subject,
    context: Context,
    *,
    snapshot: Fact | None = None,
    newest: Fact | None = None,
) -> Fact | None:
    """Ask Stripe for the subscription and its latest invoice, and keep the answer. Returns the subscription.

    Where Stripe no longer knows it (a test clock was removed), the newest snapshot is all there is.

    Args:
        newest: its newest invoice that we know; only saves a statement.
    """
    try:
        answer = client.fetch_subscription(context.mode, subscription_id)
    except client.StripeObjectMissing:
        save_snapshot(snapshot, subject, context)
        return None
    fetched = fact_of_answer(answer)
    if isinstance(latest := answer.get("latest_invoice"), dict):
        save_latest_invoice(latest, subscription_id, newest, context.mode)
    facts.save_newest(fetched, mode=context.mode, sequence=context.sequence, subject=subject)
    return fetched


def save_latest_invoice(invoice: State, subscription_id: str, newest: Fact | None, mode: str) -> None:
    fact = fact_of(invoice, seen_at=None)
    if fact is None or fact.links["subscription_id"] != subscription_id:
        return
    if newest is None or (newest.stripe_id, newest.state["status"]) != (fact.stripe_id, fact.state["status"]):
        facts.save(with_lines(fact, mode), mode=mode)


def save_snapshot(snapshot: Fact | None, subject: Subject | None, context: Context) -> None:
    if snapshot is None:
        return
    row = facts.facts_by_id(context.mode, [snapshot.stripe_id]).get(snapshot.stripe_id)
    if row is None or (row.state.get("seen_at") or 0) <= (snapshot.state["seen_at"] or 0):
        facts.save_newest(snapshot, mode=context.mode, sequence=context.sequence, subject=subject)


def seen_id_of(subscription_id: str, item: State) -> str:
    return f"{subscription_id}/{item['price']}/{item['quantity']}"


def note_what_was_seen(subscription: Fact, known: dict[str, StripeFact], mode: str) -> None:
    """Remember every price and quantity that the subscription was seen with: a product that it lost has to end, and
    what was in force before a renewal goes on until it is paid."""
    seen_at = subscription.state["seen_at"]
    for item in subscription.state["items"]:
        stripe_id = seen_id_of(subscription.stripe_id, item)
        row = known.get(stripe_id)
        if row is None or row.state["seen_at"] > seen_at:
            state = {"price": item["price"], "quantity": item["quantity"], "seen_at": seen_at}
            links = {"subscription_id": subscription.stripe_id}
            facts.save(Fact("subscription_price", stripe_id, state, links), mode=mode)


def handle_invoice(invoice: Fact, context: Context) -> HandlerResult:
    subscription_id, customer_id = invoice.links["subscription_id"], invoice.links["customer_id"]
    if not subscription_id:
        return ignored("an invoice without a subscription")
    known = facts.facts_by_id(context.mode, [subscription_id, customer_id, *ids_of_notes(subscription_id)])
    subject_id = subject_id_of(known.get(subscription_id), known.get(customer_id))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    if not context.is_fetched:
        invoice = with_lines(invoice, context.mode)
    whole = facts.save(invoice, mode=context.mode)
    row = known.get(subscription_id)
    if not context.is_fetched and is_behind(row, invoice, context):
        subject = Subject(pk=subject_id)
        if answer := save_subscription(subscription_id, subject, context, newest=whole):
            remember([answer], known, subject, context.mode)
    rebuild = SubscriptionRebuild(subject_id, subscription_id, outcome_of(whole))
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


def is_behind(row: StripeFact | None, invoice: Fact, context: Context) -> bool:
    """Whether an invoice shows that what we know of its subscription is old.

    A try that failed says nothing by itself: Stripe is asked what the subscription is now. A paid invoice that bills
    another price or quantity, or a later time, than what is known of an item came with a change.
    """
    if row is None:
        return True
    if not facts.is_worth_a_fetch(row, context.sequence):
        return False
    if invoice.state["failed_at"] is not None:
        return True
    return invoice.state["paid_at"] is not None and (
        row.state["status"] not in RUNNING or any(is_news(line, row.state) for line in invoice.state["lines"] or [])
    )


def is_news(line: State, subscription: State) -> bool:
    items: list[State] = subscription["items"]
    if line["amount"] < 0 or (line["end"] or 0) <= max((item["period_start"] or 0 for item in items), default=0):
        return False
    return not any(
        (item["price"], item["quantity"]) == (line["price"], line["quantity"])
        and (item["period_end"] or 0) >= (line["end"] or 0)
        for item in items
    )


def handle_invoice_payment(invoice_payment: Fact, context: Context) -> HandlerResult:
    facts.save(invoice_payment, mode=context.mode)
    return of_invoice(invoice_payment.links["invoice_id"], context)


def handle_credit_note(credit_note: Fact, context: Context) -> HandlerResult:
    """Before 2025-03-31.basil an event does not say how much came back, nor how much of it as refunds: then we ask."""
    if credit_note.state["credited_after_payment"] is None and not context.is_fetched:
        with suppress(client.StripeObjectMissing):
            credit_note = fact_of_answer(client.fetch_credit_note(context.mode, credit_note.stripe_id))
    facts.save(credit_note, mode=context.mode)
    return of_invoice(credit_note.links["invoice_id"], context)


def of_invoice(invoice_id: str, context: Context) -> HandlerResult:
    invoice = facts.facts_by_id(context.mode, [invoice_id])
    return of_subscriptions((row.subscription_id for row in invoice.values()), context, waits_for="its invoice")
