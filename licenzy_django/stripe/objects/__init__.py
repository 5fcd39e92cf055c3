"""Stripe's objects in our words: any shape from 2024-06-20 to endive in, one ``Fact`` out.

A module for each object: how it is parsed, how two statements about it merge, and what of it decides about money. They
work on plain dicts (``json.loads`` of a webhook body, or ``StripeObject.to_dict()``), since StripeObject has no dict
methods of its own and dj-stripe patches some onto it. Nothing else knows where a field stands in which API version.
Every time is Unix seconds, UTC. No personal data passes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from licenzy_django.stripe.objects import (
    charge,
    credit_note,
    customer,
    dispute,
    invoice,
    invoice_payment,
    refund,
    schedule,
    session,
    subscription,
)
from licenzy_django.stripe.objects.fact import Fact, Merge, State, constant
from licenzy_django.stripe.objects.fields import Json, OddObjectError

__all__ = ["OBJECTS", "Fact", "Json", "OddObjectError", "State", "fact_of", "fact_of_answer", "merged"]


@dataclass(frozen=True, slots=True)
class StripeObjectKind:
    """How an object becomes a fact.

    Attributes:
        merge: how each field of two statements about it becomes one; a field without a rule never changes. None for an
            object that changes back and forth: of it only the newest statement counts.
        kept: the fields, at any depth, with which an event about it is stored.
        final: the statuses after which Stripe can never say anything newer of it.
    """

    parse: Callable[[Json, int | None, str], Fact]
    merge: Mapping[str, Merge] | None
    kept: frozenset[str]
    final: frozenset[str] = frozenset()


def kind(
    parse: Callable[[Json, int | None, str], Fact],
    merge: Mapping[str, Merge] | None,
    kept: str,
    final: frozenset[str] = frozenset(),
) -> StripeObjectKind:
    return StripeObjectKind(parse, merge, frozenset(kept.split()), final)


OBJECTS: Mapping[str, StripeObjectKind] = {
    "checkout.session": kind(session.parse, session.MERGE, session.KEPT),
    "subscription": kind(subscription.parse, None, subscription.KEPT, subscription.FINAL_STATUSES),
    "subscription_schedule": kind(schedule.parse, None, schedule.KEPT, schedule.FINAL_STATUSES),
    "invoice": kind(invoice.parse, invoice.MERGE, invoice.KEPT),
    "invoice_payment": kind(invoice_payment.parse, invoice_payment.MERGE, invoice_payment.KEPT),
    "charge": kind(charge.parse, charge.MERGE, charge.KEPT),
    "refund": kind(refund.parse, refund.MERGE, refund.KEPT),
    "dispute": kind(dispute.parse, None, dispute.KEPT),
    "customer": kind(customer.parse, customer.MERGE, customer.KEPT),
    "credit_note": kind(credit_note.parse, credit_note.MERGE, credit_note.KEPT),
}
OURS: Mapping[str, Mapping[str, Merge]] = {
    "subscription_price": {"seen_at": min},
    "free_start": subscription.MERGE_FREE_START,
    "trial": subscription.MERGE_TRIAL,
}
"""Facts that no object of Stripe's has: a price that a subscription was seen with, a start without an invoice with
its items, and a trial with the prices that it was for."""


def fact_of(stripe_object: Json, *, seen_at: int | None, event_type: str = "") -> Fact | None:
    """Translate one object.

    Args:
        stripe_object: the object, from an event's ``data.object`` or from a fetch.
        seen_at: when Stripe showed it so (the event's ``created``); None if only its own times are known.
        event_type: the event's type, where one brought it.

    Returns None for an object that nothing of ours depends on, or without an id.
    Raises OddObjectError where a field has another type than Stripe documents.
    """
    known = OBJECTS.get(str(stripe_object.get("object")))
    if known is None or not isinstance(stripe_object.get("id"), str):
        return None
    return known.parse(stripe_object, seen_at, event_type)


def fact_of_answer(answer: Json) -> Fact:
    """Translate what Stripe answered when it was asked for one object: here it is an error to understand nothing of it.

    Raises OddObjectError for an object of a kind that we do not ask for or without an id, and as ``fact_of`` does.
    """
    fact = fact_of(answer, seen_at=None)
    if fact is None:
        raise OddObjectError(f"the answer is {answer.get('object')!r}, which is not what was asked for")
    return fact


def merged(name: str, left: State, right: State) -> State:
    """Two states of the same object together: commutative, associative, idempotent. ``None`` means not known."""
    known = OBJECTS.get(name)
    rules = (known.merge if known else OURS.get(name)) or {}
    together: State = {}
    for field in left.keys() | right.keys():
        one, other = left.get(field), right.get(field)
        if one is None or other is None:
            together[field] = other if one is None else one
        else:
            together[field] = rules.get(field, constant)(one, other)
    return together
