"""Tell the host's own code, after the commit and only if it listens."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from licenzy_django import signals
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange


def entitlement_changed(row: Entitlement, change: EntitlementChange) -> None:
    transaction.on_commit(partial(signals.entitlement_changed.send_robust, Entitlement, entitlement=row, change=change))


def checkout_finalized(attempt: CheckoutAttempt) -> None:
    if signals.checkout_finalized.has_listeners(CheckoutAttempt):
        transaction.on_commit(partial(send_finalized, attempt.pk))


def send_finalized(pk: int) -> None:
    attempt = CheckoutAttempt.objects.select_related("subject", "product").get(pk=pk)
    signals.checkout_finalized.send_robust(CheckoutAttempt, attempt=attempt)
