"""Everything at Stripe that a subject's entitlements follow from, asked for now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.invoices import with_lines
from licenzy_django.stripe.objects import Fact, fact_of
from licenzy_django.stripe.objects.fields import has_more, id_of
from licenzy_django.stripe.objects.session import paid_at_of, parse_lines
from licenzy_django.sync.handlers import current_sequence

PAGE = 100


def facts_at_stripe(subject: Subject, since: datetime | None) -> tuple[int, list[Fact]]:
    """Everything at Stripe that a subject's entitlements follow from, and the sequence of the fetch."""
    sequence, mode = current_sequence(), subject.mode
    created: dict[str, Any] = {"created": {"gte": int(since.timestamp())}} if since else {}
    found: list[Fact] = []
    schedule_ids = known_schedules_of(subject)
    for customer_id in customers_of(subject):
        found += known_facts([client.ask(mode, partial(retrieve, "customers", customer_id, {}))])
        for subscription in listed(mode, "subscriptions", {"customer": customer_id, "status": "all"}):
            schedule_ids |= {id_of(subscription.get("schedule"))} - {""}
            is_whole = not has_more(subscription["items"])
            found += known_facts([subscription]) if is_whole else subscription_facts(mode, subscription["id"])
        for invoice in listed(mode, "invoices", {"customer": customer_id, **created}):
            found += invoice_facts(mode, invoice)
        for session in listed(mode, "checkout.sessions", {"customer": customer_id, **created}):
            found += session_facts(mode, session)
    found += [fact for schedule_id in sorted(schedule_ids) for fact in schedule_facts(mode, schedule_id)]
    for payment_intent_id in sorted({fact.links["payment_intent_id"] for fact in found if is_payment(fact)}):
        payment: dict[str, Any] = {"payment_intent": payment_intent_id}
        # Only the charge knows what was paid in another currency than the price's. A failed try is no payment.
        charges = listed(mode, "charges", payment)
        found += known_facts(charge for charge in charges if charge["status"] == "succeeded")
        for what in ("refunds", "disputes"):
            found += known_facts(listed(mode, what, payment))
    return sequence, found


def invoice_facts(mode: str, invoice: dict[str, Any]) -> list[Fact]:
    """An invoice of a subscription with its payments and credit notes; nothing for another one."""
    found = [with_lines(fact, mode) for fact in known_facts([invoice]) if fact.links["subscription_id"]]
    if found:
        found += known_facts(listed(mode, "invoice_payments", {"invoice": invoice["id"]}))
    if found and invoice.get("post_payment_credit_notes_amount"):
        found += known_facts(listed(mode, "credit_notes", {"invoice": invoice["id"]}))
    return found


def known_schedules_of(subject: Subject) -> set[str]:
    """Those that governed a subscription as far as we know: Stripe may have released one since."""
    rows = StripeFact.objects.filter(mode=subject.mode, subject=subject, object="subscription_schedule")
    return set(rows.filter(facts.is_not_final("subscription_schedule")).values_list("stripe_id", flat=True))


def schedule_facts(mode: str, schedule_id: str) -> list[Fact]:
    """A schedule as it is; nothing for one that Stripe no longer has."""
    try:
        return known_facts([client.fetch_schedule(mode, schedule_id)])
    except client.StripeObjectMissing:
        return []


def is_payment(fact: Fact) -> bool:
    return bool(fact.links.get("payment_intent_id"))


def customers_of(subject: Subject) -> list[str]:
    """The subject's customer, and those it had before."""
    rows = StripeFact.objects.filter(mode=subject.mode, subject=subject, object="customer")
    return sorted({subject.stripe_customer_id, *rows.values_list("stripe_id", flat=True)} - {""})


def session_facts(mode: str, session: dict[str, Any]) -> list[Fact]:
    """A session with what was bought, and when; an unfinished one as it is."""
    fact = fact_of(session, seen_at=None)
    if fact is None or fact.state["status"] != "complete" or fact.state["mode"] != "payment":
        return [fact] if fact else []
    state = {**fact.state, "lines": parse_lines(client.fetch_session_lines(mode, fact.stripe_id))}
    if payment_intent_id := fact.links["payment_intent_id"]:
        params = {"expand": ["latest_charge"]}
        intent = client.ask(mode, partial(retrieve, "payment_intents", payment_intent_id, params))
        charge = intent.get("latest_charge")
        if paid_at_of(fact) is not None:
            state["found_paid_at"] = charge["created"] if isinstance(charge, dict) else intent["created"]
        elif intent["status"] in ("requires_payment_method", "canceled"):
            state["failed_at"] = intent["created"]
    return [replace(fact, state=state)]


def subscription_facts(mode: str, subscription_id: str) -> list[Fact]:
    """A subscription with its latest invoice."""
    if not subscription_id:
        return []
    subscription = client.fetch_subscription(mode, subscription_id)
    latest = subscription.get("latest_invoice")
    return known_facts([subscription, *([latest] if isinstance(latest, dict) else [])])


def known_facts(stripe_objects: Any) -> list[Fact]:
    found = (fact_of(stripe_object, seen_at=None) for stripe_object in stripe_objects)
    return [fact for fact in found if fact is not None]


def retrieve(what: str, stripe_id: str, params: Any, client: Any) -> Any:
    return getattr(client.v1, what).retrieve(stripe_id, params)


def listed(mode: str, what: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All pages of ``client.v1.<what>.list(params)``, newest first as Stripe gives them."""
    given: dict[str, Any] = {"limit": PAGE, **params}
    while True:
        page = client.ask(mode, partial(one_page, what, dict(given)))
        yield from page["data"]
        if not page["has_more"] or not page["data"]:
            return
        given["starting_after"] = page["data"][-1]["id"]


def one_page(what: str, params: dict[str, Any], client: Any) -> Any:
    place = client.v1
    for name in what.split("."):
        place = getattr(place, name)
    return place.list(params)
