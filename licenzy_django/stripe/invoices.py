"""Invoices as Stripe has them now, with all their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from licenzy_django.stripe import client, facts
from licenzy_django.stripe.objects import Fact, fact_of_answer
from licenzy_django.stripe.objects.invoice import is_complete, parse_lines


def with_lines(invoice: Fact, mode: str) -> Fact:
    """An invoice with all its lines, asked for where there were too many to come along. A draft's can still change."""
    if invoice.state["status"] == "draft" or invoice.state["lines"] is not None:
        return invoice
    known = facts.facts_by_id(mode, [invoice.stripe_id]).get(invoice.stripe_id)
    if known is not None and known.state.get("lines") is not None and is_complete(facts.fact_from(known)):
        return invoice
    try:
        lines = parse_lines(client.fetch_invoice_lines(mode, invoice.stripe_id))
    except client.StripeObjectMissing:
        return invoice
    return replace(invoice, state={**invoice.state, "lines": lines})


def whole_invoices(mode: str, invoice_ids: Iterable[str]) -> Iterator[Fact]:
    """Invoices with all that Stripe says of them now. One that is gone proves what is known of it.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured.
    """
    for invoice_id in invoice_ids:
        try:
            yield with_lines(fact_of_answer(client.fetch_invoice(mode, invoice_id)), mode)
        except client.StripeObjectMissing:
            yield Fact("invoice", invoice_id, {"total": None})
