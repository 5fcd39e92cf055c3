"""Stripe customers: made once for a subject, remembered, reused."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import F

from licenzy_django.models import Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.client import ask
from licenzy_django.stripe.objects import Fact


def ensure_customer(subject: Subject, *, email: str = "") -> str:
    """The subject's Stripe customer, made if there is none yet.

    Args:
        email: prefilled on Stripe's page if the customer is made now; never stored here.

    Raises StripeRefused, StripeUnavailable, ModeNotConfigured.
    """
    if subject.stripe_customer_id:
        return subject.stripe_customer_id
    metadata = {"licenzy_subject": subject.public_id, "subject_ref": subject.subject_ref}
    params: Any = {"metadata": metadata, **({"email": email} if email else {})}
    # Derived from the subject, so that two first checkouts at once end with one customer; the e-mail is part of what
    # Stripe compares, so it is part of the key.
    key = f"licenzy-customer-{subject.public_id}-{subject.customer_number}"
    if email:
        key += f"-{hashlib.sha256(email.encode()).hexdigest()[:16]}"
    customer = ask(subject.mode, lambda stripe: stripe.v1.customers.create(params, {"idempotency_key": key}))
    bind_customer(subject, customer["id"])
    return subject.stripe_customer_id


@transaction.atomic
def bind_customer(subject: Subject, customer_id: str) -> None:
    """Remember whose customer this is. The first one bound stays."""
    unbound = Subject.objects.filter(pk=subject.pk, stripe_customer_id="")
    if unbound.update(stripe_customer_id=customer_id):
        known = Fact("customer", customer_id, {"is_deleted": False}, {"customer_id": customer_id})
        facts.save(known, mode=subject.mode, subject=subject)
    subject.refresh_from_db(fields=["stripe_customer_id", "customer_number"])


def forget_customer(subject: Subject, customer_id: str) -> None:
    """Stripe says that this customer is gone: the next checkout makes another one, unless one is there already."""
    gone = Subject.objects.filter(pk=subject.pk, stripe_customer_id=customer_id)
    gone.update(stripe_customer_id="", customer_number=F("customer_number") + 1)
    subject.refresh_from_db(fields=["stripe_customer_id", "customer_number"])
