"""The ends of trials, announced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.db import transaction

from licenzy_django import clock, signals
from licenzy_django.entitlements.rebuild import lock_subject, rows_of_subscription
from licenzy_django.models import Entitlement, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.outbound import outbox
from licenzy_django.stripe import facts

TRIAL_WILL_END = "customer.subscription.trial_will_end"


@dataclass(frozen=True, slots=True)
class TrialEnd:
    """That a trial will end is published, if by what is known now it runs and ends later. It changes no entitlement."""

    subject_id: int
    subscription_id: str

    def run(self, audit: AuditContext) -> list[Entitlement]:
        announce_trial_end(self.subject_id, self.subscription_id, audit)
        return []


def announce_trial_end(subject_id: int, subscription_id: str, audit: AuditContext) -> None:
    locked = lock_subject(subject_id)
    subject = locked.row
    row = facts.facts_by_id(subject.mode, [subscription_id]).get(subscription_id)
    if row is None or row.state["status"] != "trialing":
        return
    trial_end = clock.from_timestamp(row.state.get("trial_end"))
    if trial_end is None or trial_end <= clock.now():
        return
    if locked.has_listeners:
        rows = rows_of_subscription(subject.mode, subscription_id)
        outbox.publish_trial_end(subject, rows, subscription_id, trial_end, audit=audit)
    send = partial(signals.trial_will_end.send_robust, Subject, subject=subject)
    transaction.on_commit(partial(send, subscription_id=subscription_id, trial_end=trial_end))
