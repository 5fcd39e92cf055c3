"""What became of a fact, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from licenzy_django.entitlements.rebuild import rebuild_subscription
from licenzy_django.models import Entitlement, StripeEvent, StripeFact
from licenzy_django.models.audit import AuditContext
from licenzy_django.outbound.events import InvoiceOutcome
from licenzy_django.stripe import facts


class Rebuild(Protocol):
    """What is to be brought in line with the facts, once they are stored."""

    def run(self, audit: AuditContext) -> list[Entitlement]:
        """Inside the caller's transaction. Returns what changed."""


@dataclass(frozen=True, slots=True)
class SubscriptionRebuild:
    """The entitlements of one subscription.

    Attributes:
        invoice: one of the subscription's that was just stored.
    """

    subject_id: int
    subscription_id: str
    invoice: InvoiceOutcome | None = None

    def run(self, audit: AuditContext) -> list[Entitlement]:
        return rebuild_subscription(self.subject_id, self.subscription_id, audit=audit, invoice=self.invoice)


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """What became of a fact: whose it is, what to rebuild, and in a few words why nothing, if nothing."""

    outcome: str = ""
    subject_id: int | None = None
    rebuilds: tuple[Rebuild, ...] = ()
    is_ignored: bool = False

    def rebuild(self, audit: AuditContext) -> list[Entitlement]:
        """Runs inside the caller's transaction."""
        return [changed for rebuild in self.rebuilds for changed in rebuild.run(audit)]


def ignored(why: str) -> HandlerResult:
    return HandlerResult(outcome=why, is_ignored=True)


@dataclass(frozen=True, slots=True)
class Context:
    """Where a fact comes from.

    Attributes:
        sequence: the inbox row that existed before we asked Stripe anything (``facts.save_newest``).
        is_fetched: whether the fact is Stripe's current answer and not an event's snapshot.
        event_type: of the event that brought it, if one did.
    """

    mode: str
    sequence: int
    is_fetched: bool = False
    event_type: str = ""


def current_sequence() -> int:
    """The sequence of a fetch that no event caused: it has seen what every event so far reports."""
    return StripeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def subject_id_of(*rows: StripeFact | None) -> int | None:
    """The first binding counts; metadata can be edited by anybody with a key."""
    return next((row.subject_id for row in rows if row is not None and row.subject_id is not None), None)


def of_subscriptions(subscription_ids: Iterable[str], context: Context, *, waits_for: str) -> HandlerResult:
    rows = facts.facts_by_id(context.mode, subscription_ids)
    bound = {row.stripe_id: row.subject_id for row in rows.values() if row.subject_id is not None}
    if not bound:
        return HandlerResult(f"stored, waits for {waits_for}")
    rebuilds = tuple(
        SubscriptionRebuild(subject_id, subscription_id) for subscription_id, subject_id in sorted(bound.items())
    )
    return HandlerResult(f"subscription {min(bound)}", bound[min(bound)], rebuilds)
