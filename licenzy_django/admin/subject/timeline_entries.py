"""One thing that happened, in words: how a row of each kind reads on the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from licenzy_django.admin.subject.explanations import moment
from licenzy_django.models import CheckoutAttempt, Delivery, EntitlementChange, LedgerEntry, StripeEvent

LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the timeline.

    Attributes:
        kind: attempt, event, change, units, delivery or operator: names the style too.
        tone: good, bad, or empty.
        row: what it is about, to which an operator can do something about it.
        stripe_ids: shown as links to the Stripe dashboard.
    """

    row: Model
    at: datetime
    kind: str
    label: str
    title: str
    details: Sequence[str] = ()
    tone: str = ""
    stripe_ids: Sequence[str] = ()


def attempt_begun(row: CheckoutAttempt) -> Happened:
    tones = {"finalized": "good", "failed": "bad"}
    state = row.get_status_display() + (f": {row.failure_reason}" if row.failure_reason else "")
    details = [f"{row.public_id} · {state}"]
    if not row.stripe_session_id and row.status == CheckoutAttempt.Status.CREATED:
        details.append(_("No answer of Stripe's was kept."))
    details += [f"{name}: {text}" for name, text in sorted(row.metadata.items())]
    return Happened(
        row=row,
        at=row.created_at,
        kind="attempt",
        label=_("Checkout"),
        title=_("Checkout of %(product)s begun") % {"product": named(row.product.code, row.quantity)},
        details=details,
        tone=tones.get(row.status, ""),
        stripe_ids=[row.stripe_session_id] if row.stripe_session_id else [],
    )


def named(code: str, quantity: int) -> str:
    return code if quantity == 1 else f"{quantity} × {code}"


def event_received(row: StripeEvent) -> Happened:
    Status = StripeEvent.Status  # noqa: N806
    tones = {Status.FAILED: "bad", Status.RECEIVED: "bad", Status.PROCESSED: "good"}
    details = [f"{row.get_status_display()}" + (f": {row.outcome}" if row.outcome else "")]
    if row.error:
        details.append(row.error)
    if row.tries > 1:
        details.append(_("Tried %(tries)s times.") % {"tries": row.tries})
    if row.received_at - row.occurred_at > LATE:
        details.append(_("Happened at Stripe on %(when)s.") % {"when": moment(row.occurred_at)})
    return Happened(
        row=row,
        at=row.received_at,
        kind="event",
        label=_("Stripe"),
        title=row.type,
        details=details,
        tone=tones.get(Status(row.status), ""),
        stripe_ids=[name for name in (row.event_id, row.object_id) if name],
    )


SHOWN_FIELDS = (
    "status",
    "grants_access",
    "quantity",
    "expires_at",
    "cancel_at",
    "trial_ends_at",
    "changes_at",
    "changes_to",
    "changes_quantity",
    "revoked_at",
    "units_granted",
    "units_remaining",
    "units_voided",
)


def entitlement_changed(row: EntitlementChange) -> Happened:
    what = row.entitlement.product.code
    title = _("%(product)s is new") if not row.before else _("%(product)s changed")
    details = [f"{row.entitlement.public_id} · {row.reason}"]
    details += changes(row.before, row.after)
    if row.actor or row.note:
        who = row.actor or _("somebody")
        details.append(f"{who}: {row.note}")
    return Happened(
        row=row,
        at=row.at,
        kind="change",
        label=_("History"),
        title=title % {"product": what},
        details=details,
        tone=tone_of(row.before, row.after),
        stripe_ids=[row.stripe_event_id] if row.stripe_event_id else [],
    )


def tone_of(before: dict[str, Any], after: dict[str, Any]) -> str:
    if after.get("revoked_at") or (before.get("grants_access") and not after.get("grants_access", True)):
        return "bad"
    is_restored = "revoked_at" in before and not after.get("revoked_at")
    return "good" if after.get("grants_access") or is_restored else ""


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The fields that matter to a person; all of them stand in the entitlement's own history."""
    facts_said = [
        f"{name}: {said(before.get(name))} → {said(after[name])}" if before else f"{name}: {said(after[name])}"
        for name in SHOWN_FIELDS
        if name in after and (before or after[name] not in (None, "", 0, 1))
    ]
    return [", ".join(facts_said)] if facts_said else []


def said(value: Any) -> str:
    """``2026-11-23T08:00:00+00:00`` as a moment, nothing as a dash."""
    if isinstance(value, str) and len(value) > 18 and value[10:11] == "T":
        return moment(datetime.fromisoformat(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value in (None, "") else str(value)


def units_moved(row: LedgerEntry) -> Happened:
    units = ngettext("%d unit", "%d units", abs(row.units)) % row.units
    details = [_("%(left)s left in this pack") % {"left": row.balance_after}]
    details += [f"{each['times']:,} × {name} ({each['rate']:,})" for name, each in (row.actions or {}).items()]
    details += [row.reservation.public_id] if row.reservation else []
    details += [_("Idempotency key %(key)s") % {"key": row.idempotency_key}] if row.idempotency_key else []
    if row.kind == LedgerEntry.Kind.REFUND and row.consumption:
        used_at = moment(row.consumption.created_at)
        details.append(_("of what was used on %(when)s (row %(id)s)") % {"when": used_at, "id": row.consumption_id})
        details += [] if row.actor else [row.reason]
    details += [f"{row.actor}: {row.reason}"] if row.actor else []
    return Happened(
        row=row,
        at=row.created_at,
        kind="units",
        label=_("Units"),
        title=f"{row.get_kind_display()}: {units} · {row.pack.product.code}",
        details=[" · ".join(details)],
    )


def delivery_made(row: Delivery) -> Happened:
    Status = Delivery.Status  # noqa: N806
    details = [_("to %(endpoint)s · %(status)s") % {"endpoint": row.endpoint, "status": row.get_status_display()}]
    if row.attempts:
        details.append(ngettext("%d try", "%d tries", row.attempts) % row.attempts)
    if row.last_error or (row.last_status and row.status != Status.SENT):
        details.append(_("last answer: %(answer)s") % {"answer": row.last_error or row.last_status})
    if row.status == Status.FAILED:
        details.append(_("next try %(when)s") % {"when": moment(row.next_try_at)})
    return Happened(
        row=row,
        at=row.created_at,
        kind="delivery",
        label=_("Told"),
        title=f"{row.event.type} · {row.event.public_id}",
        details=[" · ".join(details)],
        tone={Status.DEAD: "bad", Status.FAILED: "bad", Status.SENT: "good"}.get(Status(row.status), ""),
    )


def operator_acted(row: LogEntry) -> Happened:
    return Happened(
        row=row,
        at=row.action_time,
        kind="operator",
        label=_("Operator"),
        title=str(row.user),
        details=[row.get_change_message()],
    )
