"""Payment pages at Stripe: opened for an attempt, and closed.

The attempt with everything that Stripe will be asked is committed before Stripe is called, and Stripe's idempotency key
is derived from it. So whoever asks again gets the same page, and a page whose answer was lost can be found and closed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q

from licenzy_django import clock
from licenzy_django.checkout.attempts import update_status
from licenzy_django.clock import from_timestamp
from licenzy_django.exceptions import CheckoutSessionExpired, IdempotencyKeyInUse
from licenzy_django.models import CheckoutAttempt
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.customers import ensure_customer, forget_customer
from licenzy_django.stripe.objects import fact_of_answer

# As long as one try of ours at Stripe may take. A request that outlives it is still safe, since Stripe has our key.
LEASE = timedelta(seconds=15)
# Stripe keeps a key for at least 24 hours; later the same key could make a second session.
ANSWER_CAN_BE_ASKED_FOR = timedelta(hours=23)
REJECTED = "stripe_rejected"
CREATED, FAILED = CheckoutAttempt.Status.CREATED, CheckoutAttempt.Status.FAILED


def open_session(attempt: CheckoutAttempt, customer_email: str, *, is_retry: bool = False) -> CheckoutAttempt:
    """Ask Stripe for the page and commit the answer; on any failure let the next try go ahead at once.

    Raises CheckoutSessionExpired where another request has given the attempt up before Stripe was asked.
    """
    try:
        try:
            session = create_session(attempt, customer_email)
        except client.StripeObjectMissing as missing:
            if missing.param != "customer":
                raise
            forget_customer(attempt.subject, attempt.stripe_params.pop("customer"))
            session = create_session(attempt, customer_email)
        if is_retry:
            # A replayed answer shows the session as it was made; it may be paid or gone by now.
            session = client.fetch_session(attempt.mode, session["id"])
    except (client.StripeRejected, client.StripeObjectMissing):
        close(attempt, status=FAILED, failure_reason=REJECTED)
        raise
    except BaseException:
        close(attempt)
        raise
    answered = {
        "stripe_session_id": session["id"],
        "checkout_url": session.get("url") or "",
        "expires_at": from_timestamp(session.get("expires_at")),
    }
    close(attempt, **answered)
    attempt.refresh_from_db()
    return attempt


def create_session(attempt: CheckoutAttempt, customer_email: str) -> dict[str, Any]:
    subject = attempt.subject
    if "customer" not in attempt.stripe_params:
        attempt.stripe_params["customer"] = ensure_customer(subject, email=customer_email)
        asked = CheckoutAttempt.objects.filter(pk=attempt.pk, status=CREATED)
        if not asked.update(stripe_params=attempt.stripe_params):
            raise CheckoutSessionExpired()
    params: Any = in_order(attempt.stripe_params)
    # The customer is part of what Stripe compares, and the only part that may change: its id is part of the key.
    # What was refused is asked anew, under another key.
    key = f"licenzy-checkout-{attempt.public_id}-{params['customer']}"
    if attempt.rejections:
        key += f"-{attempt.rejections}"
    return client.ask(attempt.mode, lambda stripe: stripe.v1.checkout.sessions.create(params, {"idempotency_key": key}))


def in_order(value: Any) -> Any:
    """The same in the order of its names: PostgreSQL gives JSON back in another order than it was given."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def close(attempt: CheckoutAttempt, **values: Any) -> None:
    """Give the lease back, with what came of it."""
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(leased_until=None, updated_at=clock.now(), **values)


def close_page(attempt: CheckoutAttempt) -> bool:
    """Close the page of an attempt at Stripe and here. Returns False where it was completed before.

    Raises:
        IdempotencyKeyInUse: a request is opening this page at the moment.
        StripeUnavailable, StripeRefused, ModeNotConfigured: it is as it was.
    """
    if not attempt.stripe_session_id:
        find_session(attempt)
    if not attempt.stripe_session_id:
        return True
    try:
        session = expire_at_stripe(attempt)
    except client.StripeObjectMissing:
        give_up(attempt)
        return True
    if session["status"] == "complete":
        return False
    fact = fact_of_answer(session)
    update_status(attempt, facts.save(fact, mode=attempt.mode, subject=attempt.subject))
    return True


def find_session(attempt: CheckoutAttempt) -> None:
    """Ask Stripe for a page whose answer was lost, with the same bytes and the same key.

    If none was asked for, or none can be found any more, the attempt is given up: nobody was ever shown a page.
    """
    if attempt.leased_until is not None and attempt.leased_until > clock.now():
        raise IdempotencyKeyInUse("A payment page is being opened at this moment; retry in a moment.")
    if not give_up(attempt, Q(stripe_params__customer__isnull=True)):
        attempt.refresh_from_db()
        if attempt.stripe_session_id or attempt.status != CREATED:
            return
        if attempt.frozen_at + ANSWER_CAN_BE_ASKED_FOR > clock.now():
            open_session(attempt, "", is_retry=True)
        else:
            give_up(attempt)


def expire_at_stripe(attempt: CheckoutAttempt) -> dict[str, Any]:
    """The session as it is now. Stripe refuses for one that was completed or over before: then that is what counts."""
    session_id = attempt.stripe_session_id
    try:
        return client.ask(attempt.mode, lambda stripe: stripe.v1.checkout.sessions.expire(session_id))
    except client.StripeRejected:
        return client.fetch_session(attempt.mode, session_id)


def give_up(attempt: CheckoutAttempt, *conditions: Q) -> bool:
    """Say that there is no page any more, if these conditions hold."""
    untouched = CheckoutAttempt.objects.filter(*conditions, pk=attempt.pk, status=CREATED)
    untouched = untouched.filter(stripe_session_id=attempt.stripe_session_id)
    values = {"failure_reason": "expired", "leased_until": None, "updated_at": clock.now()}
    return bool(untouched.update(status=FAILED, **values))
