"""What became of a fact, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from licenzy_django.entitlements.rebuild import Cause, settle_subscription
from licenzy_django.models import Entitlement, StripeEvent, StripeFact
from licenzy_django.stripe import facts
from licenzy_django.stripe.translate import Fact

Settle = Callable[[Cause], list[Entitlement]]
FINAL_TICKET = 2**62
"""The ticket of what Stripe can never change again."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What became of a fact: whose it is, what to settle, and in a few words why nothing, if nothing."""

    outcome: str = ""
    subject_id: int | None = None
    settlements: tuple[Settle, ...] = ()
    is_ignored: bool = False

    def settle(self, cause: Cause) -> list[Entitlement]:
        """Runs inside the caller's transaction."""
        return [changed for settle in self.settlements for changed in settle(cause)]


def ignored(why: str) -> Learned:
    return Learned(outcome=why, is_ignored=True)


@dataclass(frozen=True, slots=True)
class Context:
    """Where a fact comes from.

    Attributes:
        ticket: the inbox row that existed before we asked Stripe anything (``facts.keep_newest``).
        is_fetched: whether the fact is Stripe's current answer and not an event's snapshot.
    """

    mode: str
    ticket: int
    is_fetched: bool = False


def current_ticket() -> int:
    """The ticket of a fetch that no event caused: it has seen what every event so far reports."""
    return StripeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def subject_id_of(*rows: StripeFact | None) -> int | None:
    """The first binding counts; metadata can be edited by anybody with a key."""
    return next((row.subject_id for row in rows if row is not None and row.subject_id is not None), None)


def settle_of(subscription_id: str, subject_id: int, *, invoice: Fact | None = None) -> Settle:
    return lambda cause: settle_subscription(subject_id, subscription_id, cause=cause, invoice=invoice)


def of_subscriptions(subscription_ids: Iterable[str], context: Context, *, waits_for: str) -> Learned:
    rows = facts.facts_by_id(context.mode, subscription_ids)
    bound = {row.stripe_id: row.subject_id for row in rows.values() if row.subject_id is not None}
    if not bound:
        return Learned(f"kept, waits for {waits_for}")
    settlements = tuple(settle_of(subscription_id, subject_id) for subscription_id, subject_id in sorted(bound.items()))
    return Learned(f"subscription {min(bound)}", bound[min(bound)], settlements)
