"""Everything that ever happened to a subject, in one order, a page at a time.

Each source gives its newest rows before a point, so a page costs one bounded query for each source, however long the
history is. The point is (time, source, row), so that rows of the same moment are neither lost nor shown twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from licenzy_django.admin.subject.timeline_entries import (
    Happened,
    attempt_begun,
    delivery_made,
    entitlement_changed,
    event_received,
    operator_acted,
    units_moved,
)
from licenzy_django.models import CheckoutAttempt, Delivery, EntitlementChange, LedgerEntry, StripeEvent, Subject

PAGE_SIZE = 40


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one kind: which are the subject's, when each happened, and its words."""

    rows: Callable[[Subject], QuerySet[Any]]
    time: str
    tell: Callable[[Any], Happened]


def events_of(subject: Subject) -> QuerySet[StripeEvent]:
    """Those that were handled for the subject, and those still waiting that name its customer or its sessions."""
    return StripeEvent.objects.filter(Q(subject=subject) | about(subject), mode=subject.mode).defer("payload")


def about(subject: Subject) -> Q:
    unfinished = [StripeEvent.Status.FAILED, StripeEvent.Status.RECEIVED]
    sessions = CheckoutAttempt.objects.filter(subject=subject).exclude(stripe_session_id="")
    named = Q(object_id__in=sessions.values("stripe_session_id"))
    if subject.stripe_customer_id:
        named |= Q(object_id=subject.stripe_customer_id) | Q(payload__data__object__customer=subject.stripe_customer_id)
    return Q(subject=None, status__in=unfinished) & named


def waiting_events(subject: Subject) -> list[StripeEvent]:
    """What Stripe has told us of the subject and we have not handled."""
    unfinished = [StripeEvent.Status.FAILED, StripeEvent.Status.RECEIVED]
    rows = StripeEvent.objects.filter(about(subject) | Q(subject=subject, status__in=unfinished), mode=subject.mode)
    return list(rows.defer("payload").order_by("-pk")[:10])


SOURCES: Sequence[Source] = (
    Source(
        lambda subject: CheckoutAttempt.objects.filter(subject=subject).select_related("product"),
        "created_at",
        attempt_begun,
    ),
    Source(events_of, "received_at", event_received),
    Source(
        lambda subject: EntitlementChange.objects.filter(entitlement__subject=subject).select_related(
            "entitlement__product", "actor"
        ),
        "at",
        entitlement_changed,
    ),
    Source(
        lambda subject: LedgerEntry.objects.filter(subject=subject).select_related(
            "pack__product", "reservation", "consumption", "actor"
        ),
        "created_at",
        units_moved,
    ),
    Source(
        lambda subject: Delivery.objects.filter(
            event__subject_ref=subject.subject_ref, event__mode=subject.mode
        ).select_related("event", "endpoint"),
        "created_at",
        delivery_made,
    ),
    Source(
        lambda subject: LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Subject), object_id=str(subject.pk)
        ).select_related("user"),
        "action_time",
        operator_acted,
    ),
)


@dataclass(frozen=True, slots=True)
class Point:
    """Where a page ends: the next one shows what is before."""

    at: datetime
    source: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.pk}"

    @classmethod
    def read(cls, text: str) -> Point | None:
        """The point in a link of ours; None for anything else, which shows the newest page."""
        parts = text.split("~")
        try:
            at = parse_datetime(parts[0].replace(" ", "+"))
            # In UTC here, where a time at the edge of the calendar fails, and not in the database's adapter.
            return cls(at.astimezone(UTC), int(parts[1]), int(parts[2])) if at and at.tzinfo else None
        except (ValueError, IndexError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Page:
    """``older`` is the point from which the next page goes on, empty on the last one."""

    happened: list[Happened] = field(default_factory=list)
    older: str = ""
    is_newest: bool = True


def page_of(subject: Subject, before: str = "") -> Page:
    """The newest things before a point, the newest first."""
    point = Point.read(before)
    found: list[tuple[datetime, int, int, Any]] = []
    for rank, source in enumerate(SOURCES):
        found += [(getattr(row, source.time), rank, row.pk, row) for row in newest(source, rank, subject, point)]
    found.sort(key=lambda item: item[:3], reverse=True)
    shown = found[:PAGE_SIZE]
    older = str(Point(*shown[-1][:3])) if len(found) > PAGE_SIZE else ""
    return Page([SOURCES[rank].tell(row) for _at, rank, _pk, row in shown], older, point is None)


def newest(source: Source, rank: int, subject: Subject, point: Point | None) -> QuerySet[Any]:
    rows = source.rows(subject)
    if point is not None:
        earlier = Q(**{f"{source.time}__lt": point.at})
        if rank < point.source:
            earlier |= Q(**{source.time: point.at})
        elif rank == point.source:
            earlier |= Q(**{source.time: point.at, "pk__lt": point.pk})
        rows = rows.filter(earlier)
    return rows.order_by(f"-{source.time}", "-pk")[: PAGE_SIZE + 1]


__all__ = ["PAGE_SIZE", "Page", "page_of", "waiting_events"]
