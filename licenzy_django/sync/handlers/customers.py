"""Customers: all that matters of them is their end."""

from __future__ import annotations

from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.customers import forget_customer
from licenzy_django.stripe.objects import Fact
from licenzy_django.sync.handlers.result import Context, HandlerResult, SubscriptionRebuild, ignored


def handle_customer(customer: Fact, context: Context) -> HandlerResult:
    """Deleting a customer ends its subscriptions; the subject gets a new customer with the next checkout."""
    row = facts.facts_by_id(context.mode, [customer.stripe_id]).get(customer.stripe_id)
    if row is None or row.subject_id is None:
        return ignored("a customer of nobody we know")
    facts.save(customer, mode=context.mode)
    if not customer.state["is_deleted"]:
        return HandlerResult("customer", row.subject_id)
    forget_customer(Subject(pk=row.subject_id), customer.stripe_id)
    subscriptions = StripeFact.objects.filter(
        facts.is_not_final("subscription"),
        mode=context.mode,
        customer_id=customer.stripe_id,
        object="subscription",
        subject_id=row.subject_id,
    )
    ids = subscriptions.order_by("stripe_id").values_list("stripe_id", flat=True)
    return HandlerResult(
        "customer deleted",
        row.subject_id,
        tuple(SubscriptionRebuild(row.subject_id, each) for each in ids),
    )
