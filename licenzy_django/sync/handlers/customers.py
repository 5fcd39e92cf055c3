"""Customers, as far as their end is news."""

from __future__ import annotations

from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.customers import forget_customer
from licenzy_django.stripe.translate import Fact
from licenzy_django.sync.handlers.result import FINAL_TICKET, Context, Learned, ignored, settle_of


def learn_customer(customer: Fact, context: Context) -> Learned:
    """Deleting a customer ends its subscriptions; the subject gets a new customer with the next checkout."""
    row = facts.facts_by_id(context.mode, [customer.stripe_id]).get(customer.stripe_id)
    if row is None or row.subject_id is None:
        return ignored("a customer of nobody we know")
    facts.keep(customer, mode=context.mode)
    if not customer.state["is_deleted"]:
        return Learned("customer", row.subject_id)
    forget_customer(Subject(pk=row.subject_id), customer.stripe_id)
    subscriptions = StripeFact.objects.filter(
        mode=context.mode, customer_id=customer.stripe_id, object="subscription", subject_id=row.subject_id
    )
    ids = subscriptions.exclude(applied_ticket=FINAL_TICKET).order_by("stripe_id").values_list("stripe_id", flat=True)
    return Learned("customer deleted", row.subject_id, tuple(settle_of(stripe_id, row.subject_id) for stripe_id in ids))
