"""One key, one change: a request becomes a row, its steps are frozen, taken, and answered the same way ever after.

As for checkout: what Stripe will be asked is committed before Stripe is called. Whatever dies in between, the same
request again goes on where the first one stopped, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from licenzy_django import clock
from licenzy_django.checkout.pages import ANSWER_CAN_BE_ASKED_FOR
from licenzy_django.clock import from_timestamp
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import ChangeExpired, IdempotencyKeyInUse, IdempotencyKeyReused
from licenzy_django.idempotency import fingerprint
from licenzy_django.idempotency import idempotency_key as checked_key
from licenzy_django.identity import required_subject_ref
from licenzy_django.models import SubscriptionChange
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe import client
from licenzy_django.stripe.objects.fields import has_more, id_of
from licenzy_django.subscriptions import steps
from licenzy_django.subscriptions.owned import Owned, owned
from licenzy_django.subscriptions.steps import Answer, Step
from licenzy_django.sync import at_stripe, comparison
from licenzy_django.sync.handlers import current_sequence

# As long as a request with several calls may take. One that outlives it is still safe, since Stripe has our keys.
LEASE = timedelta(seconds=60)
TRIES = 3
Status = SubscriptionChange.Status
GIVEN_UP = "This change was given up, since another one was made meanwhile; use a new key."


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request, checked as far as that goes without a look at the subscription."""

    verb: str
    subject_ref: str
    mode: str
    key: str
    product_code: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> str:
        return fingerprint(subject_ref=self.subject_ref, product_code=self.product_code, **self.details)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a request comes to: what Stripe is asked, and what we then answer.

    Attributes:
        outcome: what is answered; empty where Stripe's answer says it.
        effective_at: Unix seconds.
    """

    steps: list[Step]
    outcome: str = ""
    effective_at: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    change: SubscriptionChange
    replayed: bool


Decide = Callable[[Owned], Decision]


def asked_for(verb: str, subject: Any, product_code: str, mode: str | None, key: str, **details: Any) -> Asked:
    """Raises InvalidRequest, IdempotencyKeyMissing, IdempotencyKeyInvalid, ModeNotConfigured, RuntimeError."""
    client.refuse_inside_a_transaction()
    mode = mode or licenzy_settings().MODE
    return Asked(
        verb=verb,
        subject_ref=required_subject_ref(subject),
        mode=mode,
        key=checked_key(key),
        product_code=product_code,
        details=details,
    )


def perform(asked: Asked, decide: Decide) -> Done:
    """Do what is asked for, once.

    Raises whatever ``decide`` raises, and then nothing is left of the request; and:
        IdempotencyKeyReused, IdempotencyKeyInUse, ChangeExpired: the key's first request stands.
        StripeUnavailable: the same call again goes on.
        StripeRefused: an operator has to act. The same key may be used again.
    """
    change = change_of_key(asked)
    if change is None:
        subscription = owned(asked.subject_ref, asked.mode, asked.product_code)
        client.client(asked.mode)
        change, is_new = claim(asked, subscription)
        if is_new:
            return carry_out(change, subscription, decide)
    if change.fingerprint != asked.meaning:
        raise IdempotencyKeyReused()
    if change.status == Status.DONE:
        return Done(change, replayed=True)
    return go_on(change, asked, decide)


def change_of_key(asked: Asked) -> SubscriptionChange | None:
    """What Stripe refused left nothing behind, so its key is free again."""
    changes = SubscriptionChange.objects.select_related("subject", "product").exclude(status=Status.FAILED)
    return changes.filter(mode=asked.mode, verb=asked.verb, idempotency_key=asked.key).first()


def claim(asked: Asked, subscription: Owned) -> tuple[SubscriptionChange, bool]:
    """Commit the request before anything is looked at, so that a subscription is changed by one at a time.

    The unique indexes decide: of the key, and of the one change of a subscription that is being made.
    """
    for _ in range(TRIES):
        make_way(subscription)
        change = SubscriptionChange(
            mode=asked.mode,
            subject=subscription.subject,
            product=subscription.product,
            verb=asked.verb,
            asked=asked.details,
            idempotency_key=asked.key,
            fingerprint=asked.meaning,
            leased_until=clock.now() + LEASE,
            stripe_subscription_id=subscription.subscription_id,
        )
        try:
            with transaction.atomic():
                change.save(force_insert=True)
        except IntegrityError:
            if (first := change_of_key(asked)) is not None:
                return first, False
        else:
            return change, True
    raise busy()


def busy() -> IdempotencyKeyInUse:
    return IdempotencyKeyInUse("Another change of this subscription is being made at this moment; retry in a moment.")


def make_way(subscription: Owned) -> None:
    """Give up a change that died half-way: what became of it, Stripe will say. Raises IdempotencyKeyInUse."""
    other = subscription.changes.filter(status=Status.CREATED).first()
    if other is None:
        return
    if other.leased_until is not None and other.leased_until > clock.now():
        raise busy()
    same = SubscriptionChange.objects.filter(pk=other.pk, status=Status.CREATED, leased_until=other.leased_until)
    same.update(status=Status.SUPERSEDED, leased_until=None, updated_at=clock.now())


def go_on(change: SubscriptionChange, asked: Asked, decide: Decide) -> Done:
    """A repeated request whose first one has not been answered."""
    now = clock.now()
    if change.frozen_at is not None and change.frozen_at + ANSWER_CAN_BE_ASKED_FOR < now:
        update(change, status=Status.SUPERSEDED, leased_until=None)
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    if not SubscriptionChange.objects.filter(free, pk=change.pk, status=Status.CREATED).update(
        leased_until=now + LEASE
    ):
        change.refresh_from_db()
        if change.status == Status.DONE:
            return Done(change, replayed=True)
        if change.status == Status.SUPERSEDED:
            raise ChangeExpired(GIVEN_UP)
        raise IdempotencyKeyInUse()
    change.refresh_from_db()
    subscription = owned(asked.subject_ref, asked.mode, asked.product_code) if not change.frozen_at else None
    return carry_out(change, subscription, decide, is_retry=True)


def carry_out(
    change: SubscriptionChange, subscription: Owned | None, decide: Decide, *, is_retry: bool = False
) -> Done:
    """Decide and freeze, unless that was done before; then take the steps, and answer."""
    if subscription is not None:
        try:
            freeze(change, decide(subscription))
        except BaseException:
            drop(change)
            raise
    sequence = current_sequence()
    try:
        answers = steps.take(change)
    except (client.StripeRejected, client.StripeObjectMissing):
        update(change, status=Status.FAILED, leased_until=None)
        raise
    except BaseException:
        update(change, leased_until=None)
        raise
    finish(change, answers)
    process(change, sequence, answers, is_retry=is_retry)
    return Done(change, replayed=is_retry)


def drop(change: SubscriptionChange) -> None:
    """Leave nothing of a request for which Stripe was never asked to change anything."""
    SubscriptionChange.objects.filter(pk=change.pk, frozen_at=None).delete()


def freeze(change: SubscriptionChange, decision: Decision) -> None:
    """Commit what Stripe will be asked. Raises ChangeExpired where another request has given this one up."""
    values = {
        "steps": decision.steps,
        "outcome": decision.outcome,
        "effective_at": from_timestamp(decision.effective_at),
        "frozen_at": clock.now(),
    }
    if not update(change, **values):
        raise ChangeExpired(GIVEN_UP)


def update(change: SubscriptionChange, **values: Any) -> bool:
    """Write to a change that is being made. False if it no longer is."""
    for name, value in values.items():
        setattr(change, name, value)
    rows = SubscriptionChange.objects.filter(pk=change.pk, status=Status.CREATED)
    return bool(rows.update(**values, updated_at=clock.now()))


@transaction.atomic
def finish(change: SubscriptionChange, answers: list[Answer]) -> None:
    """Commit the answer. A schedule that was released has taken the change back that it was for."""
    released = [step["id"] for step in change.steps if step["call"] == "release"]
    if released:
        others = SubscriptionChange.objects.filter(mode=change.mode, stripe_schedule_id__in=released)
        others.filter(taken_back_at=None).update(taken_back_at=clock.now(), updated_at=clock.now())
    outcome, effective_at = change.outcome or "", change.effective_at
    subscription = steps.last_subscription(answers)
    invoice_id = ""
    if change.verb == SubscriptionChange.Verb.CHANGE and subscription.get("pending_update"):
        outcome, effective_at = "requires_payment", None
        invoice_id = id_of(subscription.get("latest_invoice"))
    update(
        change,
        outcome=outcome or subscription.get("status", ""),
        effective_at=effective_at,
        stripe_invoice_id=invoice_id,
        leased_until=None,
        status=Status.DONE,
    )


def process(change: SubscriptionChange, sequence: int, answers: list[Answer], *, is_retry: bool) -> None:
    """What Stripe answered is processed as if a webhook had brought it; the answer to the caller grants nothing."""
    if not answers:
        return
    subscription, mode = steps.last_subscription(answers), change.mode
    found = at_stripe.known_facts(steps.objects_in(answers))
    if is_retry or has_more(subscription.get("items", {"has_more": True})):
        # A replayed answer shows the subscription as it was then.
        schedules = {fact.stripe_id for fact in found if fact.object == "subscription_schedule"}
        found = at_stripe.subscription_facts(mode, change.stripe_subscription_id)
        found += [fact for name in sorted(schedules) for fact in at_stripe.schedule_facts(mode, name)]
    audit = AuditContext(reason="subscription_updated")
    comparison.reconcile(change.subject, (sequence, found), keep=True, audit=audit)
