"""Where a checkout attempt stands."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from licenzy_django import clock, signals
from licenzy_django.clock import from_timestamp
from licenzy_django.models import CheckoutAttempt
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.session import paid_at_of

ORDER = (
    CheckoutAttempt.Status.CREATED,
    CheckoutAttempt.Status.PENDING_PAYMENT,
    CheckoutAttempt.Status.FAILED,
    CheckoutAttempt.Status.FINALIZED,
)


def update_status(attempt: CheckoutAttempt, session: Fact) -> bool:
    """The state of an attempt follows from its session alone, and only ever moves on. Returns if this finalized it.

    The UPDATE decides: a worker that read the session earlier may come later.
    """
    status, reason = status_of_session(session)
    paid_at = from_timestamp(paid_at_of(session))
    values = {"failure_reason": reason, "finalized_at": paid_at, "updated_at": clock.now()}
    rows = CheckoutAttempt.objects.filter(pk=attempt.pk)
    if not rows.filter(status__in=ORDER[: ORDER.index(status)]).update(status=status, **values):
        rows.filter(status=status).exclude(finalized_at=paid_at).update(**values)
        return False
    is_finalized = status == CheckoutAttempt.Status.FINALIZED
    if is_finalized:
        signal_finalized(attempt)
    return is_finalized


def status_of_session(session: Fact) -> tuple[CheckoutAttempt.Status, str]:
    state, Attempt = session.state, CheckoutAttempt.Status  # noqa: N806
    if paid_at_of(session) is not None:
        return Attempt.FINALIZED, ""
    if state.get("failed_at") is not None:
        return Attempt.FAILED, "payment_failed"
    if state.get("status") == "expired":
        return Attempt.FAILED, "expired"
    return (Attempt.PENDING_PAYMENT if state.get("status") == "complete" else Attempt.CREATED), ""


def signal_finalized(attempt: CheckoutAttempt) -> None:
    """Send the signal after the commit, and only if somebody receives it."""
    if signals.checkout_finalized.has_listeners(CheckoutAttempt):
        transaction.on_commit(partial(send_finalized, attempt.pk))


def send_finalized(pk: int) -> None:
    attempt = CheckoutAttempt.objects.select_related("subject", "product").get(pk=pk)
    signals.checkout_finalized.send_robust(CheckoutAttempt, attempt=attempt)
