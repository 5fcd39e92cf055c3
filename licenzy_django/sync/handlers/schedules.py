"""Subscription schedules: what a subscription is going to be."""

from __future__ import annotations

from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.objects import Fact, fact_of_answer
from licenzy_django.sync.handlers.result import (
    Context,
    HandlerResult,
    SubscriptionRebuild,
    ignored,
    subject_id_of,
)
from licenzy_django.sync.handlers.subscriptions import save_snapshot


def handle_schedule(schedule: Fact, context: Context) -> HandlerResult:
    """A schedule changes back and forth: only Stripe's current answer counts. One that is over says its last word."""
    schedule_id, subscription_id = schedule.stripe_id, schedule.links["subscription_id"]
    known = facts.facts_by_id(context.mode, [schedule_id, subscription_id, schedule.links["customer_id"]])
    subject_id = subject_id_of(*(known.get(each) for each in (subscription_id, *schedule.links.values(), schedule_id)))
    if subject_id is None:
        return ignored("a customer of nobody we know")
    fetched = bring_up_to_date(schedule, known.get(schedule_id), Subject(pk=subject_id), context)
    subscription_id = fetched.links["subscription_id"]
    if not subscription_id:
        return HandlerResult("stored, waits for its subscription", subject_id)
    return HandlerResult(
        f"schedule of {subscription_id}", subject_id, (SubscriptionRebuild(subject_id, subscription_id),)
    )


def bring_up_to_date(schedule: Fact, row: StripeFact | None, subject: Subject, context: Context) -> Fact:
    """Keep Stripe's current answer, and return what is known now."""
    if facts.is_final(schedule):
        facts.save_newest(schedule, mode=context.mode, sequence=context.sequence, subject=subject)
    elif context.is_fetched:
        facts.save_newest(schedule, mode=context.mode, sequence=context.sequence, subject=subject, or_equal=True)
    elif row is None or facts.is_worth_a_fetch(row, context.sequence):
        return fetch_schedule(schedule, subject, context)
    else:
        return facts.fact_from(row)
    return schedule


def fetch_schedule(snapshot: Fact, subject: Subject, context: Context) -> Fact:
    """Ask Stripe. Where it no longer knows the schedule (a test clock was removed), the newest snapshot is all."""
    try:
        answer = client.fetch_schedule(context.mode, snapshot.stripe_id)
    except client.StripeObjectMissing:
        save_snapshot(snapshot, subject, context)
        return snapshot
    fetched = fact_of_answer(answer)
    facts.save_newest(fetched, mode=context.mode, sequence=context.sequence, subject=subject)
    return fetched
