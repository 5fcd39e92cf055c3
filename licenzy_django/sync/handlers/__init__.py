"""From one fact to the entitlements that follow from it: store it, find out whose it is, rebuild.

The webhook, ``licenzy_sync`` and the return page all come through here. Two steps, never mixed: ``handle`` stores the
fact (in short transactions of its own, with Stripe asked outside of any), and returns what is to be rebuilt in one
transaction afterwards. A crash between the two loses nothing, since a rebuild starts from what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from licenzy_django.stripe.objects import Fact
from licenzy_django.sync.handlers.customers import handle_customer
from licenzy_django.sync.handlers.refunds import handle_dispute, handle_refund
from licenzy_django.sync.handlers.result import Context, HandlerResult, current_sequence, ignored
from licenzy_django.sync.handlers.schedules import handle_schedule
from licenzy_django.sync.handlers.sessions import handle_session
from licenzy_django.sync.handlers.subscriptions import (
    handle_credit_note,
    handle_invoice,
    handle_invoice_payment,
    handle_subscription,
)

__all__ = ["HANDLERS", "REASONS_ALSO", "Context", "HandlerResult", "current_sequence", "handle", "ignored"]


def handle(fact: Fact, context: Context) -> HandlerResult:
    """Store a fact and say what to rebuild.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured where Stripe had to be asked: nothing is lost, and the
    same fact can be handled again.
    """
    return HANDLERS[fact.object].handle(fact, context)


@dataclass(frozen=True, slots=True)
class Handler:
    """What one kind of object's events do.

    Attributes:
        events: the types that we register for, each with the word that history gives as the reason.
    """

    handle: Callable[[Fact, Context], HandlerResult]
    events: Mapping[str, str]


HANDLERS: Mapping[str, Handler] = {
    "checkout.session": Handler(
        handle_session,
        {
            "checkout.session.completed": "checkout_finalized",
            "checkout.session.async_payment_succeeded": "checkout_finalized",
            "checkout.session.async_payment_failed": "payment_failed",
            "checkout.session.expired": "checkout_expired",
        },
    ),
    "subscription": Handler(
        handle_subscription,
        {
            "customer.subscription.created": "subscription_created",
            "customer.subscription.updated": "subscription_updated",
            "customer.subscription.deleted": "subscription_deleted",
            "customer.subscription.paused": "subscription_paused",
            "customer.subscription.resumed": "subscription_resumed",
            "customer.subscription.trial_will_end": "trial_will_end",
            "customer.subscription.pending_update_applied": "subscription_updated",
            "customer.subscription.pending_update_expired": "subscription_updated",
        },
    ),
    "subscription_schedule": Handler(
        handle_schedule,
        {
            "subscription_schedule.created": "change_scheduled",
            "subscription_schedule.updated": "change_scheduled",
            "subscription_schedule.released": "schedule_released",
            "subscription_schedule.canceled": "schedule_canceled",
            "subscription_schedule.completed": "schedule_completed",
            "subscription_schedule.aborted": "schedule_canceled",
        },
    ),
    "invoice": Handler(
        handle_invoice,
        {
            "invoice.paid": "invoice_paid",
            "invoice.payment_failed": "invoice_payment_failed",
            "invoice.marked_uncollectible": "invoice_uncollectible",
            "invoice.voided": "invoice_voided",
            "invoice.finalization_failed": "invoice_finalization_failed",
        },
    ),
    "invoice_payment": Handler(
        handle_invoice_payment,
        {
            "invoice_payment.paid": "invoice_paid",
        },
    ),
    "credit_note": Handler(
        handle_credit_note,
        {
            "credit_note.created": "credit_note",
            "credit_note.voided": "credit_note",
        },
    ),
    "charge": Handler(
        handle_refund,
        {
            "charge.refunded": "refund",
        },
    ),
    "refund": Handler(
        handle_refund,
        {
            "refund.created": "refund",
            "refund.updated": "refund",
            "refund.failed": "refund_failed",
        },
    ),
    "dispute": Handler(
        handle_dispute,
        {
            "charge.dispute.created": "dispute",
            "charge.dispute.updated": "dispute",
            "charge.dispute.closed": "dispute",
            "charge.dispute.funds_withdrawn": "dispute",
            "charge.dispute.funds_reinstated": "dispute",
        },
    ),
    "customer": Handler(
        handle_customer,
        {
            "customer.deleted": "customer_deleted",
        },
    ),
}
REASONS_ALSO = {"invoice.payment_succeeded": "invoice_paid", "charge.refund.updated": "refund"}
"""Also acted on where an endpoint sends them: older names of what we register for."""
