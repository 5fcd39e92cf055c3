from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenzy_django import operators, sync
from licenzy_django.admin.audit_log import ReasonForm, log_action
from licenzy_django.admin.subject.actions.base import NOTHING_MORE, Action, ActionFailed, Words, result
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.admin.subject.timeline import events_of
from licenzy_django.models import CheckoutAttempt, StripeEvent, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.sync import inbox

logger = logging.getLogger("licenzy_django")


class Expire(Action):
    slug = "expire"
    model = CheckoutAttempt
    title = gettext_lazy("Close an open payment page")
    button = gettext_lazy("Close payment page")
    is_dangerous = True

    def is_offered(self, row: CheckoutAttempt) -> bool:
        return row.status == CheckoutAttempt.Status.CREATED

    def find(self, subject: Subject, target: str) -> CheckoutAttempt:
        return get_object_or_404(subject.attempts.select_related("product", "subject"), public_id=target)

    def consequences(self, subject: Subject, row: CheckoutAttempt) -> Sequence[Words]:
        return [
            _("Nobody can pay on the page for %(product)s of %(when)s any more, here or at Stripe.")
            % {"product": row.product, "when": moment(row.created_at)},
            _("If it was paid a moment ago, that counts."),
        ]

    def act(self, request: HttpRequest, subject: Subject, row: CheckoutAttempt, given: dict[str, Any]) -> str:
        done = operators.expire_attempt(row, reason=given["reason"])
        what = {
            "failed": _("The payment page %(attempt)s is closed."),
            "finalized": _("The payment page %(attempt)s had been paid: that counts now."),
        }.get(done.row.status, _("The payment page %(attempt)s is as it was."))
        return result(request, done, subject, what % {"attempt": row.public_id}, given["reason"])


class ReplayForm(ReasonForm):
    tries = forms.IntegerField(widget=forms.HiddenInput)


class Replay(Action):
    slug = "replay"
    model = StripeEvent
    title = gettext_lazy("Process an event again")
    button = gettext_lazy("Replay")

    def is_offered(self, row: StripeEvent) -> bool:
        return row.status in (StripeEvent.Status.FAILED, StripeEvent.Status.RECEIVED)

    def target_of(self, row: StripeEvent) -> str:
        return row.event_id

    def find(self, subject: Subject, target: str) -> StripeEvent:
        return get_object_or_404(events_of(subject), event_id=target)

    def form_for(self, subject: Subject, row: StripeEvent, given: Any) -> ReasonForm:
        return ReplayForm(given, initial={"tries": row.tries})

    def consequences(self, subject: Subject, row: StripeEvent) -> Sequence[Words]:
        return [
            _("What Stripe told us in %(event)s (%(type)s) is processed again. What it changed before stays as it is.")
            % {"event": row.event_id, "type": row.type}
        ]

    def act(self, request: HttpRequest, subject: Subject, row: StripeEvent, given: dict[str, Any]) -> str:
        if row.tries != given["tries"]:
            return str(NOTHING_MORE)
        outcome = replayed(row)
        what = _("Event %(event)s is processed: %(outcome)s.") % {"event": row.event_id, "outcome": outcome}
        log_action(request, subject, what, reason=given["reason"])
        return what


def replayed(row: StripeEvent) -> str:
    """Process it again; what goes wrong is an answer for the operator, and stands on the event."""
    try:
        row = inbox.replay(row)
    except Exception as error:
        logger.exception("Stripe event %s failed again", row.event_id)
        row.refresh_from_db(fields=["error"])
        raise ActionFailed(_("It failed again: %(error)s") % {"error": row.error or error}) from error
    return row.outcome or str(row.get_status_display())


class Sync(Action):
    slug = "sync"
    title = gettext_lazy("Compare with Stripe")
    button = gettext_lazy("Take over what Stripe says")

    def is_offered(self, row: Subject) -> bool:
        return bool(row.stripe_customer_id)

    def consequences(self, subject: Subject, row: Any) -> Sequence[Words]:
        """Asks Stripe; changes nothing."""
        found = sync.drift(subject)
        if not found:
            return [_("Nothing differs: what we have is what Stripe says.")]
        return [_("These differ, and would be taken over:"), *map(difference, found)]

    def act(self, request: HttpRequest, subject: Subject, row: Any, given: dict[str, Any]) -> str:
        found = sync.repair(subject, audit=AuditContext(reason="sync", actor=request.user, note=given["reason"]))
        if not found:
            return _("Nothing differs from what Stripe says.")
        what = _("Taken over from Stripe: %(drift)s.") % {"drift": "; ".join(map(difference, found))}
        log_action(request, subject, what, reason=given["reason"])
        return what


def difference(found: sync.Drift) -> str:
    """What a person needs of a difference: the fields that say something."""
    named = ("status", "grants_access", "expires_at", "current_period_end", "units_remaining", "quantity")
    fields = [name for name in found.after if name in named] or list(found.after)
    changes = ", ".join(f"{name}: {found.before.get(name, '–')} → {found.after[name]}" for name in fields)
    return f"{found.what}: {changes}"
