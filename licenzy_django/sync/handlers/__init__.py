"""From one fact to the entitlements that follow from it: store it, find out whose it is, rebuild.

The webhook, ``licenzy_sync`` and the return page all come through here. Two steps, never mixed: ``handle`` stores the
fact (in short transactions of its own, with Stripe asked outside of any), and returns what is to be rebuilt in one
transaction afterwards. A crash between the two loses nothing, since a rebuild starts from what is stored.
"""

from __future__ import annotations

from collections.abc import Callable

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

__all__ = ["Context", "HandlerResult", "current_sequence", "handle", "ignored"]


def handle(fact: Fact, context: Context) -> HandlerResult:
    """Store a fact and say what to rebuild.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured where Stripe had to be asked: nothing is lost, and the
    same fact can be handled again.
    """
    return HANDLERS[fact.object](fact, context)


HANDLERS: dict[str, Callable[[Fact, Context], HandlerResult]] = {
    "checkout.session": handle_session,
    "subscription": handle_subscription,
    "subscription_schedule": handle_schedule,
    "invoice": handle_invoice,
    "invoice_payment": handle_invoice_payment,
    "credit_note": handle_credit_note,
    "charge": handle_refund,
    "refund": handle_refund,
    "dispute": handle_dispute,
    "customer": handle_customer,
}
