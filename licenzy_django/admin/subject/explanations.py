"""Why somebody has access, or has none: sentences that a support person can read out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from licenzy_django.access.availability import Availability
from licenzy_django.access.decisions import Decision
from licenzy_django.checkout.plan_groups import PaidTwice
from licenzy_django.checkout.trials import SecondTrial
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, Source, StripeEvent, UnknownPrice
from licenzy_django.models.live_units import Allowance


@dataclass(frozen=True, slots=True)
class Held:
    """An entitlement with its availability now, the operator's decisions about it, the newest first, and its units."""

    row: Entitlement
    availability: Availability
    decisions: Sequence[EntitlementChange] = ()
    allowance: Allowance | None = None

    @property
    def by(self) -> str:
        """Who decided last, and why."""
        if not self.decisions:
            return ""
        last = self.decisions[0]
        return _("%(who)s, %(when)s: %(why)s") % {
            "who": last.actor or _("an operator"),
            "when": moment(last.at),
            "why": last.note,
        }


def moment(at: datetime | None) -> str:
    """As a person says it, to the minute."""
    return date_format(timezone.localtime(at), "j M Y, H:i") if at else _("an unknown time")


def decision_sentence(subject_ref: str, decision: Decision, held: Held | None) -> str:
    """The first line: yes or no, and the one thing that it rests on."""
    if not decision:
        return _("%(subject)s has no access now.") % {"subject": subject_ref}
    return _("%(subject)s has access now, through %(product)s.") % {
        "subject": subject_ref,
        "product": held.row.product.code if held else decision.product_code,
    }


def why(
    decision: Decision, held: Held | None, attempts: Sequence[CheckoutAttempt], waiting: Sequence[StripeEvent]
) -> list[str]:
    """Everything that explains the decision, the nearest cause first: an event that we failed to handle explains a no.

    Args:
        held: the entitlement that the decision rests on, or that came closest.
        attempts: the newest first.
        waiting: Stripe's events about the subject that we have not handled.
    """
    sentences = [about_waiting(event) for event in waiting[:3]]
    if held is None:
        return [*sentences, no_entitlement(attempts)]
    return [held_sentence(held), *sentences] if decision else [*sentences, held_sentence(held)]


def about_waiting(event: StripeEvent) -> str:
    given = {"type": event.type, "when": moment(event.received_at), "error": event.error, "event": event.event_id}
    if event.status == StripeEvent.Status.FAILED:
        return _(
            "Stripe told us %(type)s on %(when)s, but handling it failed, so what it says does not count yet. "
            "Replay the event %(event)s."
        ) % (given)
    return _("Stripe told us %(type)s on %(when)s, and it is not handled yet (%(event)s).") % given


def about_billing(
    unknown: Sequence[UnknownPrice], doubles: Sequence[PaidTwice], trials: Sequence[SecondTrial]
) -> list[str]:
    """What is billed at Stripe and needs an operator."""
    prices = [
        _(
            "%(subscription)s is billed for the price %(price)s, which no product has: it gives nothing. "
            "Put the price into the product's other prices."
        )
        % {"subscription": row.subscription_id, "price": row.stripe_price_id}
        for row in unknown
    ]
    twice = [
        _("%(double)s, and both renew. Cancel %(too_many)s at Stripe, and refund its invoice.")
        % {"double": double, "too_many": double.too_many}
        for double in doubles
    ]
    again = [
        _(
            "%(second)s has a trial, though there was one before with %(first)s. It runs on; "
            "to charge at once, end the trial at Stripe."
        )
        % {"second": trial.second.subscription_id, "first": trial.first.subscription_id}
        for trial in trials
    ]
    return [*prices, *twice, *again]


def no_entitlement(attempts: Sequence[CheckoutAttempt]) -> str:
    if not attempts:
        return _("No purchase was ever started, and no operator has granted anything.")
    last = attempts[0]
    given = {"product": last.product.code, "when": moment(last.created_at), "until": moment(last.expires_at)}
    if last.status == CheckoutAttempt.Status.PENDING_PAYMENT:
        return _(
            "The payment form for %(product)s was finished (begun %(when)s), but the money is not there yet. "
            "A bank debit takes days; access turns on by itself when Stripe confirms it."
        ) % (given)
    if last.status == CheckoutAttempt.Status.FINALIZED:
        return _(
            "The purchase of %(product)s on %(when)s was confirmed, but no entitlement follows from it. "
            "Compare with Stripe."
        ) % (given)
    if last.status == CheckoutAttempt.Status.CREATED and not last.stripe_session_id:
        return _(
            "A checkout of %(product)s was begun on %(when)s, but Stripe's answer never reached us: "
            "the customer saw no payment page. They can simply try again."
        ) % (given)
    if last.status == CheckoutAttempt.Status.CREATED:
        return _(
            "A payment page for %(product)s was opened on %(when)s, and Stripe has not confirmed a payment. "
            "The page is open until %(until)s. If the customer says that they paid, compare with Stripe."
        ) % (given)
    return failed_attempt(last.failure_reason) % given


def failed_attempt(reason: str) -> str:
    return {
        "expired": _("The payment page for %(product)s, opened on %(when)s, was closed without a payment."),
        "payment_failed": _("The payment for %(product)s (begun %(when)s) failed at the customer's bank."),
        "stripe_rejected": _(
            "Stripe refused to open a payment page for %(product)s on %(when)s: the price or the account needs a look."
        ),
    }.get(reason, _("The purchase of %(product)s on %(when)s failed."))


def held_sentence(held: Held) -> str:
    row, availability = held.row, held.availability
    given = {
        "product": row.product.code,
        "source": row.source_id,
        "end": moment(row.available_until or row.current_period_end),
        "since": moment(row.starts_at),
        "canceled": moment(row.canceled_at or row.cancel_at),
        "by": held.by,
    }
    if availability.available:
        return " ".join(filter(None, [available_sentence(held) % given, allowance_sentence(held.allowance)]))
    sentence = {
        "payment_pending": _("%(product)s waits for its first payment: Stripe has not confirmed any money for it."),
        "past_due": _("The last payment for %(product)s failed or was taken back, and no grace is left."),
        "not_started": _("%(product)s is paid, but begins only on %(since)s, when what came before it ends."),
        "usage_exhausted": _("%(product)s is paid, but all of its units are used or set aside."),
        "paused": _("%(product)s is paused at Stripe."),
        "disputed": _("The customer's bank disputes the payment for %(product)s, so it does not count."),
        "refunded": _("The payment for %(product)s was refunded in full."),
        "expired": _("%(product)s ended on %(end)s."),
        "canceled": _("%(product)s was canceled on %(canceled)s."),
        "revoked": _("An operator has taken %(product)s away (%(by)s)."),
    }.get(availability.reason or "", _("%(product)s gives no access: {reason}.").format(reason=availability.reason))
    return sentence % given


def available_sentence(held: Held) -> str:
    row = held.row
    if row.source == Source.PORTAL:
        ends = _("until %(end)s") if row.available_until else _("without an end")
        return _("An operator has granted %(product)s {ends} (%(by)s).").format(ends=ends)
    if row.product.rules.is_recurring:
        return subscription_sentence(row)
    if row.product.rules.has_units:
        left = ngettext("%d unit is left", "%d units are left", row.units_remaining) % row.units_remaining
        return _("%(product)s is paid, and {left}.").format(left=left)
    return _("%(product)s is paid and lasts until %(end)s.")


def allowance_sentence(allowance: Allowance | None) -> str:
    """What is left of the units that come with a subscription; empty where none do."""
    if allowance is None:
        return ""
    given = {
        "left": number(allowance.remaining),
        "granted": number(allowance.granted),
        "unit": allowance.unit,
        "end": moment(allowance.resets_at),
        "rolled": number(allowance.rolled_over),
    }
    if allowance.resets_at is None:
        return _("%(left)s %(unit)s are left, which have rolled over.") % given
    if allowance.rolled_over:
        return (
            _("%(left)s of %(granted)s %(unit)s are left until %(end)s; %(rolled)s of them have rolled over.") % given
        )
    return _("%(left)s of %(granted)s %(unit)s are left until %(end)s.") % given


def number(units: int) -> str:
    return number_format(units, force_grouping=True)


def scheduled_sentence(row: Entitlement) -> str:
    """What is going to change by a schedule at Stripe; empty for nothing."""
    given = {
        "product": row.changes_to,
        "quantity": row.changes_quantity,
        "when": moment(row.changes_at),
    }
    if row.changes_at is None:
        return ""
    if not row.changes_quantity:
        return _("Ends on %(when)s, by a schedule at Stripe.") % given
    if not row.changes_to:
        return _("Changes to a price that no product has on %(when)s.") % given
    if row.changes_quantity == 1 and row.quantity == 1:
        return _("Changes to %(product)s on %(when)s.") % given
    return _("Changes to %(product)s × %(quantity)s on %(when)s.") % given


def subscription_sentence(row: Entitlement) -> str:
    if row.cancel_at:
        return _("%(product)s is canceled, and still paid for until %(canceled)s.")
    if row.status == "past_due":
        return _("The last payment for %(product)s failed. It stays on in its grace, until %(end)s.")
    if row.status == "trialing":
        return _("%(product)s is in its trial (%(source)s).")
    period = moment(row.current_period_end)
    return _("%(product)s is paid by %(source)s and renews on {period}.").format(period=period)
