"""Compare with Stripe and repair, through the same path as a webhook: lost webhooks cost nothing.

Two ways. ``missed_events`` takes the events of the last 30 days that never arrived and handles them as if they had.
``drift`` and ``repair`` look at what Stripe says of one subject's objects now, also where no event can tell any more.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction

from licenzy_django import clock
from licenzy_django.entitlements.rebuild import lock_subject
from licenzy_django.models import CheckoutAttempt, EntitlementChange, StripeEvent, StripeFact, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe import client
from licenzy_django.stripe.objects import Fact, fact_of
from licenzy_django.stripe.objects.fields import has_more, id_of
from licenzy_django.stripe.objects.session import paid_at_of, parse_lines
from licenzy_django.sync import inbox
from licenzy_django.sync.handlers import Context, current_sequence, handle
from licenzy_django.sync.handlers.subscriptions import with_lines

logger = logging.getLogger("licenzy_django")

SESSION_ID = re.compile(r"cs_(test|live)_[A-Za-z0-9]+")
PAGE = 100
TYPES_AT_ONCE = 20

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what we had and what Stripe says."""

    subject_ref: str
    what: str
    before: dict[str, Any]
    after: dict[str, Any]

    def __str__(self) -> str:
        changes = ", ".join(f"{name}: {self.before.get(name)} → {value}" for name, value in self.after.items())
        return f"{self.subject_ref}: {self.what}: {changes}"


def drift(subject: Subject, *, since: datetime | None = None) -> list[Drift]:
    """What ``repair`` would change. Writes nothing."""
    return reconcile(subject, facts_at_stripe(subject, since), keep=False)


def repair(subject: Subject, *, since: datetime | None = None, audit: AuditContext | None = None) -> list[Drift]:
    """Bring a subject in line with what Stripe says now. Returns what changed.

    Args:
        since: look only at what follows from sessions and invoices that Stripe made since then; what has become of
            older ones is left to ``missed_events``.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured: then nothing was written.
    """
    return reconcile(subject, facts_at_stripe(subject, since), keep=True, audit=audit)


def refresh_checkout(session_id: str, subject_ref: str, *, mode: str) -> CheckoutAttempt | None:
    """Ask Stripe at once about a checkout, so that a late webhook keeps no customer waiting.

    Only for a session of this very subject; None for anything else. It grants nothing that a webhook would not.
    """
    if not SESSION_ID.fullmatch(session_id):
        return None
    attempts = CheckoutAttempt.objects.select_related("subject")
    attempt = attempts.filter(mode=mode, stripe_session_id=session_id, subject__subject_ref=subject_ref).first()
    if attempt is None or attempt.status in (CheckoutAttempt.Status.FINALIZED, CheckoutAttempt.Status.FAILED):
        return attempt
    sequence = current_sequence()
    session = client.fetch_session(mode, session_id)
    found = [*subscription_facts(mode, id_of(session.get("subscription"))), *session_facts(mode, session)]
    reconcile(attempt.subject, (sequence, found), keep=True, audit=AuditContext(reason="checkout_finalized"))
    attempt.refresh_from_db()
    return attempt


def missed_events(mode: str, *, since: datetime, handle: bool = True) -> Iterator[StripeEvent]:
    """The events since then (30 days at most, Stripe keeps no more) that never arrived, handled now, oldest first.

    A second that has more events than fit on a page is the exception: Stripe lists the newest first.
    """
    # Stripe's clock may be ahead of ours.
    until = clock.now() + timedelta(days=1)
    for events in events_between(mode, int(since.timestamp()), int(until.timestamp())):
        known = set(
            StripeEvent.objects.filter(mode=mode, event_id__in=[event["id"] for event in events])
            .exclude(status__in=[StripeEvent.Status.RECEIVED, StripeEvent.Status.FAILED])
            .values_list("event_id", flat=True)
        )
        for event in events:
            if event["id"] in known:
                continue
            if handle:
                row, _ = inbox.receive(event, mode)
                yield handled(row)
            else:
                yield StripeEvent(mode=mode, event_id=event["id"], type=event["type"])


def events_between(mode: str, since: int, until: int) -> Iterator[list[dict[str, Any]]]:
    """The events of ``[since, until)``, two pages at most at a time: a time with more is halved, the past first."""
    types = list(inbox.REASONS)
    created = {"gte": since, "lt": until}
    asked = [
        {"limit": PAGE, "types": types[start : start + TYPES_AT_ONCE], "created": created}
        for start in range(0, len(types), TYPES_AT_ONCE)
    ]
    pages = [client.ask(mode, partial(one_page, "events", params)) for params in asked]
    middle = (since + until) // 2
    if not any(page["has_more"] for page in pages):
        yield sorted((event for page in pages for event in page["data"]), key=lambda event: event["created"])
    elif middle > since:
        yield from events_between(mode, since, middle)
        yield from events_between(mode, middle, until)
    else:
        for params in asked:
            yield from batched(listed(mode, "events", params), PAGE)


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of so many rows; Python 3.12 has its own."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def handled(row: StripeEvent) -> StripeEvent:
    """Handle one event; where that fails it is kept as failed, and the next one may well succeed."""
    try:
        return inbox.process(row)
    except Exception:
        logger.exception("Stripe event %s failed and has to be replayed", row.event_id)
        row.refresh_from_db()
        return row


# --- what Stripe says ------------------------------------------------------------------------------------------------


def facts_at_stripe(subject: Subject, since: datetime | None) -> tuple[int, list[Fact]]:
    """Everything at Stripe that a subject's rights follow from, and the ticket under which it was asked for."""
    sequence, mode = current_sequence(), subject.mode
    created: dict[str, Any] = {"created": {"gte": int(since.timestamp())}} if since else {}
    found: list[Fact] = []
    for customer_id in customers_of(subject):
        found += known_facts([client.ask(mode, partial(retrieve, "customers", customer_id, {}))])
        for subscription in listed(mode, "subscriptions", {"customer": customer_id, "status": "all"}):
            is_whole = not has_more(subscription["items"])
            found += known_facts([subscription]) if is_whole else subscription_facts(mode, subscription["id"])
        for invoice in listed(mode, "invoices", {"customer": customer_id, **created}):
            found += invoice_facts(mode, invoice)
        for session in listed(mode, "checkout.sessions", {"customer": customer_id, **created}):
            found += session_facts(mode, session)
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
    return known_facts([client.fetch_subscription(mode, subscription_id)]) if subscription_id else []


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


# --- and what we make of it ------------------------------------------------------------------------------------------


def reconcile(
    subject: Subject, asked: tuple[int, list[Fact]], *, keep: bool, audit: AuditContext | None = None
) -> list[Drift]:
    """Learn and settle everything in one transaction, which is undone unless it is to be kept."""
    sequence, found = asked
    context = Context(mode=subject.mode, sequence=sequence, is_fetched=True)
    audit = audit or AuditContext(reason="sync")
    with transaction.atomic():
        lock_subject(subject.pk)
        attempts_before = attempt_statuses(subject)
        last_change = EntitlementChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        results = [handle(fact, context) for fact in in_order_of_need(found)]
        for one in results:
            one.rebuild(audit)
        differences = [*entitlement_drift(subject, last_change), *attempt_drift(subject, attempts_before)]
        if not keep:
            transaction.set_rollback(True)
    return differences


def in_order_of_need(found: list[Fact]) -> list[Fact]:
    """Subscriptions before the sessions that name them, invoices before their payments, money going back last."""
    order = (
        "customer",
        "subscription",
        "checkout.session",
        "invoice",
        "invoice_payment",
        "credit_note",
        "charge",
        "refund",
        "dispute",
    )
    return sorted(found, key=lambda fact: order.index(fact.object) if fact.object in order else len(order))


def entitlement_drift(subject: Subject, last_change: int) -> list[Drift]:
    changes = EntitlementChange.objects.filter(pk__gt=last_change, entitlement__subject=subject).order_by("pk")
    return [
        Drift(
            subject.subject_ref,
            f"{change.entitlement.product.code} of {change.entitlement.source_id}",
            change.before,
            change.after,
        )
        for change in changes.select_related("entitlement__product")
    ]


def attempt_statuses(subject: Subject) -> dict[str, str]:
    return dict(CheckoutAttempt.objects.filter(subject=subject).values_list("public_id", "status"))


def attempt_drift(subject: Subject, before: dict[str, str]) -> list[Drift]:
    after = attempt_statuses(subject)
    return [
        Drift(subject.subject_ref, attempt, {"status": before.get(attempt)}, {"status": status})
        for attempt, status in after.items()
        if before.get(attempt) != status
    ]


__all__ = ["Drift", "drift", "missed_events", "refresh_checkout", "repair"]
