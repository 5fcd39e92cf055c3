"""Start a payment at Stripe. It grants nothing: only a confirmed payment does.

Crash-safe: the attempt with everything that Stripe will be asked is committed before Stripe is called, Stripe's own
idempotency key is derived from the attempt, and the answer is committed afterwards. Whatever dies in between, the same
request again ends in the same session, and a webhook finds the attempt by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q

from licenzy_django import access, clock
from licenzy_django.checkout.redirects import redirect_url
from licenzy_django.clock import from_timestamp
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import (
    AlreadySubscribed,
    CheckoutSessionExpired,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InvalidRequest,
    ProductNotFound,
    StripeRefused,
)
from licenzy_django.idempotency import fingerprint
from licenzy_django.idempotency import idempotency_key as checked_key
from licenzy_django.identity import required_subject_ref
from licenzy_django.models import CheckoutAttempt, Product, Subject
from licenzy_django.models.catalog import MAX_DAYS
from licenzy_django.stripe import client
from licenzy_django.stripe.customers import ensure_customer, forget_customer
from licenzy_django.stripe.translate import ATTEMPT_METADATA_KEY

MAX_QUANTITY = 999_999
# As long as one try of ours at Stripe may take. A request that outlives it is still safe, since Stripe has our key.
LEASE = timedelta(seconds=15)
# Stripe keeps a key for at least 24 hours; later the same key could make a second session.
ANSWER_CAN_BE_ASKED_FOR = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class StartedCheckout:
    """Where to send the customer. ``replayed`` means that this request had been answered before."""

    attempt_id: str
    status: str
    checkout_url: str
    mode: str
    expires_at: datetime | None
    replayed: bool = False


def start(
    subject_ref: Any,
    product_code: str,
    *,
    idempotency_key: str,
    mode: str | None = None,
    quantity: int = 1,
    customer_email: str = "",
    success_url: str = "",
    cancel_url: str = "",
) -> StartedCheckout:
    """Open a Stripe Checkout page for a subject and a product.

    Args:
        subject_ref: who buys: a ref, a request or a user.
        product_code: what; price, amount and currency are the product's, never the caller's.
        idempotency_key: the same key with the same arguments gives the same page, never a second one.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        quantity: packs or seats, 1 to 999,999; passes together 36,500 days at most.
        customer_email: prefilled on Stripe's page when the subject buys for the first time.
        success_url, cancel_url: where Stripe sends the customer, on an allowed host; by default the settings'.

    Raises:
        InvalidRequest, ProductNotFound, AlreadySubscribed, ModeNotConfigured: nothing was written.
        IdempotencyKeyReused, IdempotencyKeyInUse, CheckoutSessionExpired: the key's first request stands.
        StripeUnavailable: the same call again continues where this one stopped.
        StripeRefused: an operator has to act.
        RuntimeError: called inside a database transaction.
    """
    client.refuse_inside_a_transaction()
    mode = mode or licenzy_settings().MODE
    key = checked_key(idempotency_key)
    subject_ref = required_subject_ref(subject_ref)
    meaning = fingerprint(
        subject_ref=subject_ref,
        product_code=product_code,
        quantity=quantity,
        customer_email=customer_email,
        success_url=success_url,
        cancel_url=cancel_url,
    )
    attempt = attempt_of_key(mode, key)
    if attempt is None:
        validate(quantity, customer_email)
        urls = redirects(success_url, cancel_url)
        attempt, is_new = begin(subject_ref, product_code, mode, key, meaning, quantity, urls)
        if is_new:
            return started(open_session(attempt, customer_email))
    if attempt.fingerprint != meaning:
        raise IdempotencyKeyReused()
    return resume(attempt, customer_email)


def attempt_of_key(mode: str, key: str) -> CheckoutAttempt | None:
    attempts = CheckoutAttempt.objects.select_related("subject", "product")
    return attempts.filter(mode=mode, idempotency_key=key).first()


def validate(quantity: Any, customer_email: str) -> None:
    problems: dict[str, list[str]] = {}
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= MAX_QUANTITY:
        problems["quantity"] = ["This must be a whole number from 1 to 999,999."]
    if customer_email:
        try:
            validate_email(customer_email)
        except ValidationError:
            problems["customer_email"] = ["This is not an e-mail address."]
    if problems:
        raise InvalidRequest(fields=problems)


def redirects(success_url: str, cancel_url: str) -> dict[str, str]:
    settings = licenzy_settings()
    return {
        "success_url": redirect_url("success_url", success_url, settings.SUCCESS_URL),
        "cancel_url": redirect_url("cancel_url", cancel_url, settings.CANCEL_URL),
    }


def begin(
    subject_ref: str,
    product_code: str,
    mode: str,
    key: str,
    meaning: str,
    quantity: int,
    urls: dict[str, str],
) -> tuple[CheckoutAttempt, bool]:
    """Commit the attempt and what Stripe will be asked. The second of the pair says whether it is ours to run."""
    # A host may take the code from a form: what no database can hold is no product either.
    known = Product.objects.filter(mode=mode, code=storable(product_code), is_active=True).first()
    product = known if known and known.code == product_code else None
    if product is None:
        raise ProductNotFound()
    if (product.duration_days or 0) * quantity > MAX_DAYS:
        raise InvalidRequest(fields={"quantity": [f"Together they may last {MAX_DAYS:,} days at most."]})
    client.client(mode)
    if product.is_recurring and access.check(subject_ref, product_code, mode=mode):
        raise AlreadySubscribed()
    subject, _ = Subject.objects.get_or_create(mode=mode, subject_ref=subject_ref)
    attempt = CheckoutAttempt(
        mode=mode,
        subject=subject,
        product=product,
        quantity=quantity,
        terms=product.terms(),
        stripe_price_id=product.stripe_price_id,
        idempotency_key=key,
        fingerprint=meaning,
        leased_until=clock.now() + LEASE,
    )
    attempt.stripe_params = session_params(attempt, urls)
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
    except IntegrityError:
        # The same key at the same moment: the unique index let one through.
        first = attempt_of_key(mode, key)
        if first is None:
            raise
        return first, False
    return attempt, True


def session_params(attempt: CheckoutAttempt, urls: dict[str, str]) -> dict[str, Any]:
    """What Stripe is asked, without the customer. Never changed once it was sent: a retry must be the same bytes."""
    product = attempt.product
    metadata = {ATTEMPT_METADATA_KEY: attempt.public_id}
    line: dict[str, Any] = {"price": attempt.stripe_price_id, "quantity": attempt.quantity}
    if product.rules.has_units:
        line["adjustable_quantity"] = {"enabled": True, "minimum": 1, "maximum": max(99, attempt.quantity)}
    return {
        "mode": "subscription" if product.is_recurring else "payment",
        "line_items": [line],
        "client_reference_id": attempt.public_id,
        "metadata": metadata,
        # Refunds and disputes inherit nothing; subscriptions and payments only what is set here.
        ("subscription_data" if product.is_recurring else "payment_intent_data"): {"metadata": metadata},
        **urls,
    }


def resume(attempt: CheckoutAttempt, customer_email: str) -> StartedCheckout:
    """Answer a repeated request: what was answered before, or carry on where the first one stopped."""
    if attempt.failure_reason == "stripe_rejected":
        raise StripeRefused()
    now = clock.now()
    if not attempt.is_open(now):
        raise CheckoutSessionExpired()
    if attempt.stripe_session_id and attempt.checkout_url:
        return started(attempt, replayed=True)
    if attempt.created_at + ANSWER_CAN_BE_ASKED_FOR < now:
        raise CheckoutSessionExpired()
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    unanswered = CheckoutAttempt.objects.filter(free, pk=attempt.pk, checkout_url="")
    if not unanswered.update(leased_until=now + LEASE):
        attempt.refresh_from_db()
        if attempt.checkout_url and attempt.is_open(now):
            return started(attempt, replayed=True)
        raise IdempotencyKeyInUse()
    attempt = open_session(attempt, customer_email, is_retry=True)
    if not attempt.checkout_url or not attempt.is_open(now):
        raise CheckoutSessionExpired()
    return started(attempt, replayed=True)


def open_session(attempt: CheckoutAttempt, customer_email: str, *, is_retry: bool = False) -> CheckoutAttempt:
    """Ask Stripe for the page and commit the answer; on any failure let the next try go ahead at once."""
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
        close(attempt, status=CheckoutAttempt.Status.FAILED, failure_reason="stripe_rejected")
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
        CheckoutAttempt.objects.filter(pk=attempt.pk).update(stripe_params=attempt.stripe_params)
    params: Any = in_order(attempt.stripe_params)
    # The customer is part of what Stripe compares, and the only part that may change: its id is part of the key.
    key = f"licenzy-checkout-{attempt.public_id}-{params['customer']}"
    return client.ask(attempt.mode, lambda stripe: stripe.v1.checkout.sessions.create(params, {"idempotency_key": key}))


def in_order(value: Any) -> Any:
    """The same in the order of its names: PostgreSQL gives JSON back in another order than it was given."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def close(attempt: CheckoutAttempt, **values: Any) -> None:
    """Give the lease back, with what came of it."""
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(leased_until=None, updated_at=clock.now(), **values)


def started(attempt: CheckoutAttempt, *, replayed: bool = False) -> StartedCheckout:
    return StartedCheckout(
        attempt.public_id, attempt.status, attempt.checkout_url, attempt.mode, attempt.expires_at, replayed
    )
