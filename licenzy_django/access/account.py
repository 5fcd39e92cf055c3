"""What a customer wants to see of their account, in at most six queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """An entitlement with its name, and why it is not available.

    Attributes:
        becomes: what a scheduled change makes of it; empty if none is scheduled, or if it ends.
    """

    name: str
    entitlement: EntitlementView
    reason: Text
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """``waiting`` are the names of what is ordered and not paid for yet. One unit is never named."""

    summary: AccessSummary | None = None
    owned: list[Owned] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    has_billing: bool = False

    @property
    def has_several_units(self) -> bool:
        return self.summary is not None and self.summary.usage_remaining is None


def of(subject: Any) -> AccountPage:
    """The page of a subject in the mode of in-process checks; an empty one for nobody."""
    subject_ref, mode = subject_ref_of(subject), licenzy_settings().MODE
    if subject_ref is None:
        return AccountPage()
    summary = access.summary(subject_ref, mode=mode)
    codes = {code for view in summary.entitlements for code in (view.product_code, view.changes_to) if code}
    names = names_of(codes, mode)
    owned = [
        Owned(names[view.product_code], view, reason_in_words(view.reason), becomes(view, names))
        for view in summary.entitlements
    ]
    pending = CheckoutAttempt.objects.filter(
        mode=mode, subject__subject_ref=subject_ref, status=CheckoutAttempt.Status.PENDING_PAYMENT
    )
    waiting = list(pending.values_list("product__name", flat=True)[:WAITING_SHOWN])
    customers = Subject.objects.filter(mode=mode, subject_ref=subject_ref).exclude(stripe_customer_id="")
    return AccountPage(summary, owned, waiting, customers.exists())


def becomes(view: EntitlementView, names: Mapping[str, str]) -> str:
    """Pro, yearly; or Pro × 3, where it is more than one."""
    if view.changes_at is None or view.changes_to is None or not view.changes_quantity:
        return ""
    name = names[view.changes_to]
    return f"{name} × {view.changes_quantity}" if view.changes_quantity > 1 else name


def names_of(codes: Iterable[str], mode: str) -> dict[str, str]:
    return dict(Product.objects.filter(mode=mode, code__in=codes).values_list("code", "name"))
