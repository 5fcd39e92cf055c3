"""Compare with Stripe and repair, through the same path as a webhook: lost webhooks cost nothing.

Two ways. ``missed_events`` takes the events of the last 30 days that never arrived and handles them as if they had.
``drift`` and ``repair`` look at what Stripe says of one subject's objects now, also where no event comes any more.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q

from licenzy_django import clock
from licenzy_django.entitlements.outdated import with_complete_facts
from licenzy_django.entitlements.rebuild import lock_subject
from licenzy_django.models import CheckoutAttempt, EntitlementChange, StripeEvent, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.fields import id_of
from licenzy_django.sync import at_stripe, inbox
from licenzy_django.sync.handlers import Context, current_sequence, handle

logger = logging.getLogger("licenzy_django")

SESSION_ID = re.compile(r"cs_(test|live)_[A-Za-z0-9]+")
TYPES_AT_ONCE = 20
ASK_EVERY = timedelta(seconds=3)

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
    return reconcile(subject, at_stripe.facts_at_stripe(subject, since), keep=False)


def repair(subject: Subject, *, since: datetime | None = None, audit: AuditContext | None = None) -> list[Drift]:
    """Bring a subject in line with what Stripe says now. Returns what changed.

    Args:
        since: look only at what follows from sessions and invoices that Stripe made since then; what has become of
            older ones is left to ``missed_events``.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured: then nothing was written.
    """
    return reconcile(subject, at_stripe.facts_at_stripe(subject, since), keep=True, audit=audit)


def refresh_checkout(session_id: str, subject_ref: str, *, mode: str) -> CheckoutAttempt | None:
    """Ask Stripe at once about a checkout, so that a late webhook keeps no customer waiting.

    Only for a session of this very subject; None for anything else. It grants nothing that a webhook would not. A page
    that is reloaded again and again makes us ask once every ``ASK_EVERY``; in between, the attempt is as we know it.
    """
    if not SESSION_ID.fullmatch(session_id):
        return None
    attempts = CheckoutAttempt.objects.select_related("subject")
    attempt = attempts.filter(mode=mode, stripe_session_id=session_id, subject__subject_ref=subject_ref).first()
    if attempt is None or attempt.status in (CheckoutAttempt.Status.FINALIZED, CheckoutAttempt.Status.FAILED):
        return attempt
    return ask_about(attempt) if may_ask(attempt) else attempt


def may_ask(attempt: CheckoutAttempt) -> bool:
    """Whether this request is the one that asks Stripe now. One UPDATE decides, however many come at once."""
    now = clock.now()
    rested = Q(asked_at=None) | Q(asked_at__lte=now - ASK_EVERY)
    return bool(CheckoutAttempt.objects.filter(rested, pk=attempt.pk).update(asked_at=now))


def ask_about(attempt: CheckoutAttempt) -> CheckoutAttempt:
    """Fetch the attempt's session from Stripe and handle what it says."""
    sequence = current_sequence()
    session = client.fetch_session(attempt.mode, attempt.stripe_session_id)
    found = [
        *at_stripe.subscription_facts(attempt.mode, id_of(session.get("subscription"))),
        *at_stripe.session_facts(attempt.mode, session),
    ]
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
                yield handled(inbox.receive(event, mode).row)
            else:
                yield StripeEvent(mode=mode, event_id=event["id"], type=event["type"])


def events_between(mode: str, since: int, until: int) -> Iterator[list[dict[str, Any]]]:
    """The events of ``[since, until)``, two pages at most at a time: a time with more is halved, the past first."""
    types = list(inbox.REASONS)
    created = {"gte": since, "lt": until}
    asked = [
        {"limit": at_stripe.PAGE, "types": types[start : start + TYPES_AT_ONCE], "created": created}
        for start in range(0, len(types), TYPES_AT_ONCE)
    ]
    pages = [client.ask(mode, partial(at_stripe.one_page, "events", params)) for params in asked]
    middle = (since + until) // 2
    if not any(page["has_more"] for page in pages):
        yield sorted((event for page in pages for event in page["data"]), key=lambda event: event["created"])
    elif middle > since:
        yield from events_between(mode, since, middle)
        yield from events_between(mode, middle, until)
    else:
        for params in asked:
            yield from batched(at_stripe.listed(mode, "events", params), at_stripe.PAGE)


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of so many rows; Python 3.12 has its own."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def handled(row: StripeEvent) -> StripeEvent:
    """Handle one event; where that fails it is marked as failed, and the next one may well succeed."""
    try:
        return inbox.process(row)
    except Exception:
        logger.exception("Stripe event %s failed and has to be replayed", row.event_id)
        row.refresh_from_db()
        return row


# --- and what we make of it ------------------------------------------------------------------------------------------


def reconcile(
    subject: Subject, asked: tuple[int, list[Fact]], *, keep: bool, audit: AuditContext | None = None
) -> list[Drift]:
    """Store and rebuild everything in one transaction, which is rolled back unless ``keep``."""
    audit = audit or AuditContext(reason="sync")
    return with_complete_facts(partial(differences, subject, asked, keep=keep, audit=audit))


def differences(
    subject: Subject,
    asked: tuple[int, list[Fact]],
    invoices: Iterable[Fact],
    *,
    keep: bool,
    audit: AuditContext,
) -> list[Drift]:
    """What follows from the facts and was not so before. Raises FactsOutdated.

    Args:
        invoices: those of which an earlier version of ours stored too little, as they are now.
    """
    sequence, found = asked
    context = Context(mode=subject.mode, sequence=sequence, is_fetched=True)
    with transaction.atomic():
        lock_subject(subject.pk)
        attempts_before = attempt_statuses(subject)
        last_change = EntitlementChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for invoice in invoices:
            facts.save(invoice, mode=subject.mode)
        results = [handle(fact, context) for fact in in_order_of_need(found)]
        for one in results:
            one.rebuild(audit)
        changed = [*entitlement_drift(subject, last_change), *attempt_drift(subject, attempts_before)]
        if not keep:
            transaction.set_rollback(True)
    return changed


def in_order_of_need(found: list[Fact]) -> list[Fact]:
    """Subscriptions before the sessions that name them, invoices before their payments, money going back last."""
    order = (
        "customer",
        "subscription",
        "subscription_schedule",
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
