"""From one fact to the rights it touches: keep it, find out whose it is, settle.

The webhook, ``licenzy_sync`` and the return page all come through here. Two steps, never mixed: ``learn`` keeps the
fact (each in a short transaction of its own, asking Stripe where needed, outside of any), and hands back what is to be
settled in one transaction afterwards. A crash between the two loses nothing, since settling starts from what is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from licenzy_django.stripe.translate import Fact
from licenzy_django.sync.handlers.customers import learn_customer
from licenzy_django.sync.handlers.refunds import learn_dispute, learn_refund
from licenzy_django.sync.handlers.result import Context, Learned, current_ticket, ignored
from licenzy_django.sync.handlers.sessions import learn_session
from licenzy_django.sync.handlers.subscriptions import learn_invoice, learn_invoice_payment, learn_subscription

__all__ = ["Context", "Learned", "current_ticket", "ignored", "learn"]


def learn(fact: Fact, context: Context) -> Learned:
    """Keep a fact and say what to settle.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured where Stripe had to be asked: then nothing is lost, the
    same fact can be learned again.
    """
    return LEARNERS[fact.object](fact, context)


LEARNERS: dict[str, Callable[[Fact, Context], Learned]] = {
    "checkout.session": learn_session,
    "subscription": learn_subscription,
    "invoice": learn_invoice,
    "invoice_payment": learn_invoice_payment,
    "charge": learn_refund,
    "refund": learn_refund,
    "dispute": learn_dispute,
    "customer": learn_customer,
}
