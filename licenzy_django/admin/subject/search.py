"""One search box: whose is this id? Whatever a customer, a colleague or the Stripe dashboard shows, as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from licenzy_django.models import (
    CheckoutAttempt,
    Entitlement,
    OutboundEvent,
    Reservation,
    StripeEvent,
    StripeFact,
    Subject,
)
from licenzy_django.stripe.facts import LINKS

MOST_SUBJECTS = 50
# From a dispute to its payment, from there to the invoice, from there to the subscription, which is somebody's.
HOPS = 3


def subjects_with(term: str) -> set[int]:
    """The keys of the subjects that this id belongs to; in each mode at most one, but for ids that people chose."""
    found = set(Subject.objects.filter(Q(subject_ref=term) | Q(stripe_customer_id=term)).values_list("pk", flat=True))
    found |= by_our_ids(term)
    found |= by_events(term)
    found |= owners([term])
    return set(sorted(found)[:MOST_SUBJECTS])


def by_our_ids(term: str) -> set[int]:
    attempts = CheckoutAttempt.objects.filter(
        Q(public_id=term) | Q(stripe_session_id=term) | Q(idempotency_key=term)
    ).values_list("subject_id", flat=True)
    entitlements = Entitlement.objects.filter(public_id=term).values_list("subject_id", flat=True)
    reservations = Reservation.objects.filter(public_id=term).values_list("subject_id", flat=True)
    return {*attempts[:MOST_SUBJECTS], *entitlements, *reservations} | by_outbound_event(term)


def by_outbound_event(term: str) -> set[int]:
    events = OutboundEvent.objects.filter(public_id=term).values_list("mode", "subject_ref")
    return {
        pk
        for mode, subject_ref in events
        for pk in Subject.objects.filter(mode=mode, subject_ref=subject_ref).values_list("pk", flat=True)
    }


def by_events(term: str) -> set[int]:
    """A Stripe event that was handled knows its subject; one that failed says in its payload whom it is about."""
    found: set[int] = set()
    for event in StripeEvent.objects.filter(Q(event_id=term) | Q(object_id=term)).order_by("-pk")[:20]:
        if event.subject_id is not None:
            found.add(event.subject_id)
        else:
            found |= subjects_of_event(event)
    return found


def subjects_of_event(event: StripeEvent) -> set[int]:
    """Whom an event is about, though nothing was learned from it yet."""
    named = {event.object_id, *ids_in((event.payload or {}).get("data", {}).get("object") or {})} - {""}
    attempts = CheckoutAttempt.objects.filter(Q(stripe_session_id__in=named) | Q(public_id__in=named), mode=event.mode)
    customers = Subject.objects.filter(stripe_customer_id__in=named, mode=event.mode)
    found = {*attempts.values_list("subject_id", flat=True), *customers.values_list("pk", flat=True)}
    return found or owners(named, event.mode)


def ids_in(stripe_object: dict[str, Any]) -> list[str]:
    """The ids by which an object names its neighbours."""
    names = ("id", "customer", "subscription", "invoice", "payment_intent", "charge")
    given = [stripe_object.get(name) for name in names] + [(stripe_object.get("metadata") or {}).get("licenzy_attempt")]
    return [value for value in given if isinstance(value, str)]


def owners(stripe_ids: Iterable[str], mode: str = "") -> set[int]:
    """The subjects of what Stripe told us, along the links between its objects."""
    facts = StripeFact.objects.filter(mode=mode) if mode else StripeFact.objects.all()
    known, asked = set(stripe_ids), set[str]()
    for _hop in range(HOPS):
        if not known - asked:
            return set()
        anywhere = Q(stripe_id__in=known)
        for link in LINKS:
            anywhere |= Q(**{f"{link}__in": known})
        rows = list(facts.filter(anywhere).order_by("-pk")[:200])
        if found := {row.subject_id for row in rows if row.subject_id is not None}:
            return found
        asked |= known
        known = {row.stripe_id for row in rows} | {getattr(row, link) for row in rows for link in LINKS} - {""}
    return set()
