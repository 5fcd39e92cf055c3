"""Start a payment at Stripe. It grants nothing: only a confirmed payment does.

Crash-safe: the attempt with everything that Stripe will be asked is committed before Stripe is called, Stripe's own
idempotency key is derived from the attempt, and the answer is committed afterwards. Whatever dies in between, the same
request again ends in the same session, and a webhook finds the attempt by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from licenzy_django import clock
from licenzy_django.checkout.add_ons import add_ons_of
from licenzy_django.checkout.options import page_options
from licenzy_django.checkout.order import Order
from licenzy_django.checkout.pages import ANSWER_CAN_BE_ASKED_FOR, LEASE, REJECTED, open_session
from licenzy_django.checkout.params import session_params, urls_in
from licenzy_django.checkout.plan_groups import make_way, slot_of
from licenzy_django.checkout.products import product_named
from licenzy_django.checkout.trials import offer_trial
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import (
    CheckoutSessionExpired,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InvalidRequest,
    ProductNotFound,
)
from licenzy_django.idempotency import idempotency_key as checked_key
from licenzy_django.identity import is_request, required_subject_ref
from licenzy_django.models import CheckoutAttempt, Subject
from licenzy_django.models.catalog import MAX_DAYS
from licenzy_django.stripe import client

if TYPE_CHECKING:
    from django.http import HttpRequest

TRIES = 3
FROZEN = (
    "status",
    "failure_reason",
    "terms",
    "stripe_price_id",
    "page_slot",
    "trial_days",
    "trial_slot",
    "stripe_params",
    "reopened_at",
    "leased_until",
    "rejections",
)


@dataclass(frozen=True, slots=True)
class StartedCheckout:
    """Where to send the customer.

    Attributes:
        replayed: this request had been answered before.
        trial_days: how long nothing is paid; 0 for no trial.
    """

    attempt_id: str
    status: str
    checkout_url: str
    mode: str
    expires_at: datetime | None
    replayed: bool = False
    trial_days: int = 0


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
    trial: bool | None = None,
    locale: str = "",
    metadata: Mapping[str, str] | None = None,
    optional_items: Sequence[str] = (),
    request: HttpRequest | None = None,
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
        trial: False does without the product's trial. A subject that has had its trial gets none (setting ``TRIALS``).
        locale: the language of Stripe's page, one of Stripe's; by default that of the browser.
        metadata: the host's own, 50 texts by name at most (40 and 500 characters, as Stripe's). It is kept, stays here,
            and comes back in outbound events as ``metadata``.
        optional_items: codes of add-ons that the customer may put beside a subscription on the page, 10 at most.
        request: the visitor's, for the setting ``CHECKOUT_PARAMS``; by default ``subject_ref`` if that is one.

    Raises:
        InvalidRequest, ProductNotFound, AlreadySubscribed, ModeNotConfigured: nothing was begun.
        ImproperlyConfigured: an option of Stripe's page that may not be set; nothing was begun.
        IdempotencyKeyReused, IdempotencyKeyInUse, CheckoutSessionExpired: the key's first request stands.
        StripeUnavailable: the same call again continues where this one stopped.
        StripeRefused: an operator has to act.
        RuntimeError: called inside a database transaction.
    """
    client.refuse_inside_a_transaction()
    mode = mode or licenzy_settings().MODE
    key = checked_key(idempotency_key)
    order = Order(
        subject_ref=required_subject_ref(subject_ref),
        product_code=product_code,
        quantity=quantity,
        customer_email=customer_email,
        success_url=success_url,
        cancel_url=cancel_url,
        trial=trial,
        locale=locale,
        metadata={} if metadata is None else metadata,
        optional_items=optional_items,
        request=request or (subject_ref if is_request(subject_ref) else None),
    )
    attempt = attempt_of_key(mode, key)
    if attempt is None:
        order.validate()
        attempt, is_new = begin(order, mode, key)
        if is_new:
            return opened(attempt, customer_email)
    if attempt.fingerprint != order.fingerprint:
        raise IdempotencyKeyReused()
    return resume(attempt, order)


def attempt_of_key(mode: str, key: str) -> CheckoutAttempt | None:
    attempts = CheckoutAttempt.objects.select_related("subject", "product")
    return attempts.filter(mode=mode, idempotency_key=key).first()


def begin(order: Order, mode: str, key: str) -> tuple[CheckoutAttempt, bool]:
    """Commit the attempt and what Stripe will be asked. The second of the pair says whether it is ours to run."""
    urls, product = order.urls(), product_named(order.product_code, mode)
    if (product.duration_days or 0) * order.quantity > MAX_DAYS:
        raise InvalidRequest(fields={"quantity": [f"Together they may last {MAX_DAYS:,} days at most."]})
    client.client(mode)
    subject, _ = Subject.objects.get_or_create(mode=mode, subject_ref=order.subject_ref)
    attempt = CheckoutAttempt(
        mode=mode,
        subject=subject,
        product=product,
        quantity=order.quantity,
        idempotency_key=key,
        fingerprint=order.fingerprint,
    )
    freeze(attempt, order, urls)
    if is_written(attempt, partial(attempt.save, force_insert=True)):
        return attempt, True
    first = attempt_of_key(mode, key)
    if first is None:  # pruned in between
        raise IdempotencyKeyInUse()
    return first, False


def freeze(attempt: CheckoutAttempt, order: Order, urls: Mapping[str, str]) -> None:
    """Keep what is sold and what Stripe is asked, as they are now."""
    product = attempt.product
    attempt.status, attempt.failure_reason = CheckoutAttempt.Status.CREATED, ""
    attempt.terms, attempt.stripe_price_id = product.terms(), product.stripe_price_id
    attempt.page_slot, attempt.metadata = slot_of(product), dict(order.metadata)
    offer_trial(attempt, order.trial)
    add_ons = add_ons_of(attempt, order.optional_items)
    attempt.stripe_params = session_params(attempt, urls, page_options(attempt, order), add_ons)
    attempt.leased_until = clock.now() + LEASE


def is_written(attempt: CheckoutAttempt, write: Callable[[], object]) -> bool:
    """Write an attempt whose page may be opened. False if the same key was used at the same moment.

    The unique indexes decide: of the key, of the one page that a subject may have of a plan group, and of its
    one page with a trial.
    """
    for _ in range(TRIES):
        make_way(attempt)
        try:
            with transaction.atomic():
                write()
        except IntegrityError:
            if attempt._state.adding and attempt_of_key(attempt.mode, attempt.idempotency_key):
                return False
            if not attempt.page_slot:
                raise
        else:
            return True
    raise IdempotencyKeyInUse("Another payment page is being opened at this moment; retry in a moment.")


def resume(attempt: CheckoutAttempt, order: Order) -> StartedCheckout:
    """Answer a repeated request: what was answered before, or carry on where the first one stopped."""
    now = clock.now()
    if attempt.failure_reason == REJECTED and reopen(attempt, order):
        return opened(attempt, order.customer_email)
    if not attempt.is_open(now):
        raise CheckoutSessionExpired()
    if attempt.stripe_session_id and attempt.checkout_url:
        return started(attempt, replayed=True)
    if attempt.frozen_at + ANSWER_CAN_BE_ASKED_FOR < now:
        raise CheckoutSessionExpired()
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    unanswered = CheckoutAttempt.objects.filter(free, pk=attempt.pk, checkout_url="")
    if not unanswered.update(leased_until=now + LEASE):
        attempt.refresh_from_db()
        if attempt.checkout_url and attempt.is_open(now):
            return started(attempt, replayed=True)
        raise IdempotencyKeyInUse()
    return opened(attempt, order.customer_email, is_retry=True)


def reopen(attempt: CheckoutAttempt, order: Order) -> bool:
    """Begin anew what Stripe found wrong, as the product is now: an operator may have put it right.

    Stripe made nothing of it, and keeps no answer to a request whose parameters were wrong
    (https://docs.stripe.com/api/idempotent_requests). False if another request does it at the same moment.
    """
    if not attempt.product.is_for_sale:
        raise ProductNotFound()
    freeze(attempt, order, urls_in(attempt))
    attempt.rejections += 1
    attempt.reopened_at = clock.now()
    rejected = CheckoutAttempt.objects.filter(pk=attempt.pk, failure_reason=REJECTED)
    is_ours: list[int] = []

    def write() -> None:
        frozen = {name: getattr(attempt, name) for name in FROZEN}
        is_ours.append(rejected.update(**frozen, updated_at=clock.now()))

    is_written(attempt, write)
    attempt.refresh_from_db()
    return bool(is_ours[-1])


def opened(attempt: CheckoutAttempt, customer_email: str, *, is_retry: bool = False) -> StartedCheckout:
    """The page, asked for at Stripe. Raises CheckoutSessionExpired if it was closed meanwhile."""
    attempt = open_session(attempt, customer_email, is_retry=is_retry)
    if not attempt.checkout_url or not attempt.is_open(clock.now()):
        raise CheckoutSessionExpired()
    return started(attempt, replayed=is_retry)


def started(attempt: CheckoutAttempt, *, replayed: bool = False) -> StartedCheckout:
    return StartedCheckout(
        attempt.public_id,
        attempt.status,
        attempt.checkout_url,
        attempt.mode,
        attempt.expires_at,
        replayed,
        attempt.trial_days,
    )
