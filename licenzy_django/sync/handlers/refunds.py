"""Refunds, disputes and charges: money that goes back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from licenzy_django.entitlements.rebuild import rebuild_purchase
from licenzy_django.models import CheckoutAttempt, Entitlement, StripeFact
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.objects import Fact, fact_of, fact_of_answer
from licenzy_django.sync.handlers.result import Context, HandlerResult, of_subscriptions
from licenzy_django.sync.handlers.subscriptions import handle_invoice, save_snapshot


def handle_refund(refund: Fact, context: Context) -> HandlerResult:
    refund = with_payment_intent(refund, context)
    facts.save(refund, mode=context.mode)
    return of_payment(refund, context)


def handle_dispute(dispute: Fact, context: Context) -> HandlerResult:
    """A dispute can be lost and won again: only Stripe's current answer counts."""
    dispute = with_payment_intent(dispute, context)
    row = facts.facts_by_id(context.mode, [dispute.stripe_id]).get(dispute.stripe_id)
    if context.is_fetched:
        facts.save_newest(dispute, mode=context.mode, sequence=context.sequence, subject=None, or_equal=True)
    elif row is None or facts.is_worth_a_fetch(row, context.sequence):
        try:
            fetched = fact_of_answer(client.fetch_dispute(context.mode, dispute.stripe_id))
            fetched = replace(fetched, links=dispute.links)
            facts.save_newest(fetched, mode=context.mode, sequence=context.sequence, subject=None)
        except client.StripeObjectMissing:
            save_snapshot(dispute, None, context)
    return of_payment(dispute, context)


def with_payment_intent(fact: Fact, context: Context) -> Fact:
    """Old refunds and disputes name their charge alone: the charge names the payment, by which a purchase is found."""
    charge_id = fact.links["charge_id"]
    if fact.links["payment_intent_id"] or not charge_id or context.is_fetched:
        return fact
    charge = facts.facts_by_id(context.mode, [charge_id]).get(charge_id)
    payment_intent_id = charge.payment_intent_id if charge is not None else ""
    if charge is None:
        with suppress(client.StripeObjectMissing):
            fetched = fact_of_answer(client.fetch_charge(context.mode, charge_id))
            payment_intent_id = facts.save(fetched, mode=context.mode).links["payment_intent_id"]
    return replace(fact, links={**fact.links, "payment_intent_id": payment_intent_id})


def of_payment(fact: Fact, context: Context) -> HandlerResult:
    """What a refund, a dispute or a charge belongs to. It may have come first: then it waits to be found."""
    linked = list(facts.links_to(fact, context.mode))
    invoices = facts.facts_by_id(context.mode, {row.invoice_id for row in linked})
    # A link whose invoice is not known leads nowhere: its event has yet to come, or we died before we asked for it.
    is_found = bool(invoices) or any(row.object != "invoice_payment" for row in linked)
    if not is_found and fact.links["payment_intent_id"] and not context.is_fetched:
        invoices = invoices_from_stripe(fact.links["payment_intent_id"], context)
    session_ids = [row.stripe_id for row in linked if row.object == "checkout.session"]
    bought = (
        list(CheckoutAttempt.objects.filter(mode=context.mode, stripe_session_id__in=session_ids))
        if session_ids
        else []
    )
    if bought:
        return HandlerResult(
            f"attempt {bought[0].public_id}", bought[0].subject_id, tuple(map(PurchaseRebuild, bought))
        )
    return of_subscriptions((row.subscription_id for row in invoices.values()), context, waits_for="its purchase")


def invoices_from_stripe(payment_intent_id: str, context: Context) -> dict[str, StripeFact]:
    """Ask which invoice a payment paid, and keep both; nothing for one that paid none, or that Stripe does not know."""
    invoice_ids = set()
    with suppress(client.StripeObjectMissing):
        for payment in client.fetch_invoice_payments(context.mode, payment_intent_id):
            link = fact_of(payment, seen_at=None)
            if link is not None:
                facts.save(link, mode=context.mode)
                invoice_ids.add(link.links["invoice_id"])
    for invoice_id in sorted(invoice_ids):
        with suppress(client.StripeObjectMissing):
            invoice = fact_of(client.fetch_invoice(context.mode, invoice_id), seen_at=None)
            if invoice is not None:
                handle_invoice(invoice, context)
    return facts.facts_by_id(context.mode, invoice_ids)


@dataclass(frozen=True, slots=True)
class PurchaseRebuild:
    """What one attempt bought."""

    attempt: CheckoutAttempt

    def run(self, audit: AuditContext) -> list[Entitlement]:
        return rebuild_purchase(self.attempt, audit=audit)
