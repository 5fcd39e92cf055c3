"""What a customer wants to see of their account, in at most four queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from licenzy_django import access
from licenzy_django.access.summary import AccessSummary, EntitlementView
from licenzy_django.conf import licenzy_settings
from licenzy_django.identity import subject_ref_of
from licenzy_django.models import CheckoutAttempt, Product, Subject
from licenzy_django.wording import Text, reason_in_words

WAITING_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Owned:
    """An entitlement with its name, and why it is not available."""

    name: str
    entitlement: EntitlementView
    reason: Text


@dataclass(frozen=True, slots=True)
class AccountPage:
    """``waiting`` are the names of what is ordered and not paid for yet."""

    summary: AccessSummary | None = None
    owned: list[Owned] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    has_billing: bool = False


def of(subject: Any) -> AccountPage:
    """The page of a subject in the mode of in-process checks; an empty one for nobody."""
    subject_ref, mode = subject_ref_of(subject), licenzy_settings().MODE
    if subject_ref is None:
        return AccountPage()
    summary = access.summary(subject_ref, mode=mode)
    names = names_of({view.product_code for view in summary.entitlements}, mode)
    owned = [Owned(names[view.product_code], view, reason_in_words(view.reason)) for view in summary.entitlements]
    pending = CheckoutAttempt.objects.filter(
        mode=mode, subject__subject_ref=subject_ref, status=CheckoutAttempt.Status.PENDING_PAYMENT
    )
    waiting = list(pending.values_list("product__name", flat=True)[:WAITING_SHOWN])
    customers = Subject.objects.filter(mode=mode, subject_ref=subject_ref).exclude(stripe_customer_id="")
    return AccountPage(summary, owned, waiting, customers.exists())


def names_of(codes: Iterable[str], mode: str) -> dict[str, str]:
    return dict(Product.objects.filter(mode=mode, code__in=codes).values_list("code", "name"))
