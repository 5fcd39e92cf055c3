"""Every event is stored once and handled once; what fails stays visible and can come again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from licenzy_django import clock
from licenzy_django.clock import from_timestamp
from licenzy_django.db.rows import insert, written
from licenzy_django.db.text import storable
from licenzy_django.entitlements.outdated import with_complete_facts
from licenzy_django.models import StripeEvent
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.stripe import WRONG_MODE
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact, OddObjectError, fact_of
from licenzy_django.stripe.redaction import redacted
from licenzy_django.sync.handlers import HANDLERS, REASONS_ALSO, Context, HandlerResult, handle, ignored

logger = logging.getLogger("licenzy_django")

# The events that we register for and act on, each with the word that history gives as the reason.
REASONS = {event: reason for handler in HANDLERS.values() for event, reason in handler.events.items()}
HANDLED = REASONS | REASONS_ALSO
DONE = frozenset({StripeEvent.Status.PROCESSED, StripeEvent.Status.IGNORED})


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it is kept. ``is_new``: it had not come before."""

    row: StripeEvent
    is_new: bool


def receive(event: dict[str, Any], mode: str) -> Received:
    """Keep an event that was verified."""
    why_not = reason_to_ignore(event, mode)
    row = StripeEvent(
        mode=mode,
        event_id=event["id"],
        type=event["type"],
        api_version=storable(str(event.get("api_version") or ""))[:40],
        object_id=object_id_of(event),
        occurred_at=occurred_at(event),
        payload=None if why_not else redacted(event),
        status=StripeEvent.Status.IGNORED if why_not else StripeEvent.Status.RECEIVED,
        outcome=why_not,
        processed_at=clock.now() if why_not else None,
    )
    if insert(row):
        return Received(row, is_new=True)
    return Received(written(StripeEvent).get(event_id=event["id"], mode=mode), is_new=False)


def reason_to_ignore(event: dict[str, Any], mode: str) -> str:
    if event.get("object") == "v2.core.event":
        return "a thin event: register the endpoint for snapshot events"
    if event.get("livemode") is not (mode == "live"):
        return WRONG_MODE
    if event.get("account"):
        return "of a connected account"
    return "" if event["type"] in HANDLED else "a type that we do not act on"


def object_id_of(event: dict[str, Any]) -> str:
    data = event.get("data")
    stripe_object = data.get("object") if isinstance(data, dict) else None
    object_id = stripe_object.get("id") if isinstance(stripe_object, dict) else None
    return storable(object_id)[:255] if isinstance(object_id, str) else ""


def occurred_at(event: dict[str, Any]) -> datetime:
    created = event.get("created")
    try:
        return (from_timestamp(created) if isinstance(created, int) else None) or clock.now()
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1, tzinfo=UTC)


def process(row: StripeEvent) -> StripeEvent:
    """Handle a stored event, once. A second call, at the same time or later, changes nothing more.

    Raises whatever went wrong, after it was written to the row.
    """
    try:
        with_complete_facts(partial(handle_and_finish, row))
    except Exception as error:
        StripeEvent.objects.filter(pk=row.pk).exclude(status=StripeEvent.Status.PROCESSED).update(
            status=StripeEvent.Status.FAILED, error=storable(f"{type(error).__name__}: {error}")[:2000]
        )
        raise
    return row


def handle_and_finish(row: StripeEvent, invoices: Sequence[Fact]) -> None:
    for invoice in invoices:
        facts.save(invoice, mode=row.mode)
    results = handle_event(row)
    with transaction.atomic():
        audit = AuditContext(reason=HANDLED.get(row.type, row.type), event=row)
        results.rebuild(audit)
        finish(row, results, audit.remarks)


def replay(row: StripeEvent) -> StripeEvent:
    """Process a stored event again, whatever became of it. Raises what goes wrong, after it was written to the row.

    One that was done and whose payload was pruned stays as it is: there is nothing left to process.
    """
    StripeEvent.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
    row.refresh_from_db()
    return row if row.payload is None and row.status in DONE else process(row)


def unfinished() -> QuerySet[StripeEvent]:
    """What failed, or was stored before we died half-way; the oldest first."""
    waiting = [StripeEvent.Status.FAILED, StripeEvent.Status.RECEIVED]
    return StripeEvent.objects.filter(status__in=waiting).order_by("pk")


def handle_event(row: StripeEvent) -> HandlerResult:
    if row.payload is None:
        return ignored(row.outcome or "the payload was pruned")
    try:
        fact = fact_of(row.payload["data"]["object"], seen_at=row.payload["created"], event_type=row.type)
    except OddObjectError as error:
        return ignored(f"not in Stripe's form: {error}")
    if fact is None:
        return ignored("an object that we do not know")
    return handle(fact, Context(mode=row.mode, sequence=row.pk, event_type=row.type))


def finish(row: StripeEvent, results: HandlerResult, remarks: Iterable[str] = ()) -> None:
    row.status = StripeEvent.Status.IGNORED if results.is_ignored else StripeEvent.Status.PROCESSED
    row.outcome = "; ".join(dict.fromkeys([results.outcome, *remarks]))[:200]
    row.error = ""
    row.processed_at = clock.now()
    row.subject_id = results.subject_id
    names = ("status", "outcome", "error", "processed_at", "subject_id")
    written(StripeEvent).filter(pk=row.pk).update(**{name: getattr(row, name) for name in names})
