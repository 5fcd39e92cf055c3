from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenzy_django import clock, operators, usage
from licenzy_django.admin.audit_log import ReasonForm, new_request_id
from licenzy_django.admin.subject.actions.base import Action, Words, result
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.db.conditions import as_python
from licenzy_django.entitlements.rebuild import lock_subject
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Product, Subject
from licenzy_django.models.availability import PACK_IS_ON
from licenzy_django.models.units import MAX_UNITS

is_on_now = as_python(PACK_IS_ON)
MOST_DIGITS = 19
"""A longer number is no key of ours, and no database takes it."""


class GrantForm(ReasonForm):
    product = forms.ModelChoiceField(label=gettext_lazy("Product"), queryset=Product.objects.none())
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    units = forms.IntegerField(
        label=gettext_lazy("Units"),
        required=False,
        min_value=1,
        max_value=operators.MAX_UNITS,
        help_text=gettext_lazy("Of a usage pack. Empty means one pack."),
    )
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)
    field_order = ["product", "until", "units", "reason"]

    def __init__(self, given: Any, *, mode: str) -> None:
        super().__init__(given, initial={"request_id": new_request_id()})
        products = Product.objects.filter(mode=mode).order_by("-is_active", "code")
        self.fields["product"].queryset = products  # type: ignore[attr-defined]
        self.fields["until"].help_text = _(
            "In the time zone %(zone)s. Empty means as the product says: a pass its days, a pack its validity, "
            "a subscription without an end."
        ) % {"zone": timezone.get_current_timezone_name()}


class Grant(Action):
    slug = "grant"
    title = gettext_lazy("Grant a product")
    button = gettext_lazy("Grant")

    def form_for(self, subject: Subject, row: Any, given: Any) -> ReasonForm:
        return GrantForm(given, mode=subject.mode)

    def consequences(self, subject: Subject, row: Any) -> Sequence[Words]:
        return [gettext_lazy("Access turns on at once and without a payment. Stripe is told nothing.")]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Any, given: dict[str, Any]) -> str:
        product: Product = given["product"]
        until: datetime | None = given["until"]
        done = operators.grant(
            subject.subject_ref,
            product,
            until=until,
            units=given["units"],
            actor=request.user,
            reason=given["reason"],
            request_id=given["request_id"],
        )
        return result(request, done, done.row, _("%(product)s is granted.") % {"product": product}, given["reason"])


class OfEntitlement(Action):
    model = Entitlement

    def find(self, subject: Subject, target: str) -> Entitlement:
        return get_object_or_404(subject.entitlements.select_related("product"), public_id=target)


class Revoke(OfEntitlement):
    slug = "revoke"
    title = gettext_lazy("Take an entitlement away")
    button = gettext_lazy("Revoke")
    is_dangerous = True

    def is_offered(self, row: Entitlement) -> bool:
        return row.revoked_at is None

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        lines = [
            _("%(product)s (%(id)s) gives no access from now on, whatever Stripe says of it.")
            % {"product": row.product, "id": row.public_id},
            _("No money goes back by this: refund the payment at Stripe. It can be restored."),
        ]
        if row.product.rules.has_units:
            lines.insert(1, _("%(units)s units are void.") % {"units": row.units_remaining})
        return lines

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        done = operators.revoke(row, actor=request.user, reason=given["reason"])
        return result(request, done, done.row, _("%(product)s is revoked.") % {"product": row.product}, given["reason"])


class Restore(OfEntitlement):
    slug = "restore"
    title = gettext_lazy("Take a revocation back")
    button = gettext_lazy("Restore")

    def is_offered(self, row: Entitlement) -> bool:
        return row.revoked_at is not None

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        return [
            _("%(product)s (%(id)s) counts again, as the payments and the clock say.")
            % {"product": row.product, "id": row.public_id}
        ]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        done = operators.restore(row, actor=request.user, reason=given["reason"])
        return result(
            request, done, done.row, _("%(product)s is restored.") % {"product": row.product}, given["reason"]
        )


class AdjustForm(ReasonForm):
    units = forms.IntegerField(
        label=gettext_lazy("Units"),
        min_value=-MAX_UNITS,
        max_value=MAX_UNITS,
        help_text=gettext_lazy("Above zero gives, below zero takes."),
    )
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)
    field_order = ["units", "reason"]


class Adjust(OfEntitlement):
    slug = "adjust"
    title = gettext_lazy("Adjust the units of a pack")
    button = gettext_lazy("Adjust")

    def is_offered(self, row: Entitlement) -> bool:
        return row.product.rules.has_units

    def form_for(self, subject: Subject, row: Entitlement, given: Any) -> ReasonForm:
        return AdjustForm(given, initial={"request_id": new_request_id()})

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        left = {"product": row.product, "id": row.public_id, "left": row.units_remaining, "granted": row.units_granted}
        return [_("%(product)s (%(id)s) has %(left)s of %(granted)s units left.") % left]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        lock_subject(subject.pk)
        before = adjustments_of(row.pack_id)
        changed = adjusted(request, row, given)
        done = operators.Done(changed, changed=adjustments_of(row.pack_id) > before)
        what = _("%(product)s is adjusted by %(units)s units.") % {"product": row.product, "units": given["units"]}
        return result(request, done, done.row, what, given["reason"])


class AdjustWindow(Action):
    """The units of a window of an allowance. What Stripe says later leaves them as they are."""

    slug = "adjust-window"
    model = Pack
    title = gettext_lazy("Adjust the units of a window")
    button = gettext_lazy("Adjust")

    def is_offered(self, row: Pack) -> bool:
        return row.allowance_of_id is not None and is_on_now(row, clock.now())

    def target_of(self, row: Pack) -> str:
        return str(row.pk)

    def find(self, subject: Subject, target: str) -> Pack:
        windows = subject.packs.filter(allowance_of__isnull=False).select_related("product")
        return get_object_or_404(windows, pk=target if target.isdecimal() and len(target) < MOST_DIGITS else 0)

    def form_for(self, subject: Subject, row: Pack, given: Any) -> ReasonForm:
        return AdjustForm(given, initial={"request_id": new_request_id()})

    def consequences(self, subject: Subject, row: Pack) -> Sequence[Words]:
        given = {"product": row.product, "left": row.units_remaining, "granted": row.units_granted, "unit": row.unit}
        return [
            _("The window of %(product)s that ends on %(end)s has %(left)s of %(granted)s %(unit)s left.")
            % {**given, "end": moment(row.ends_at)}
        ]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Pack, given: dict[str, Any]) -> str:
        lock_subject(subject.pk)
        before = adjustments_of(row.pk)
        adjusted(request, row, given)
        done = operators.Done(row.allowance_of or row, changed=adjustments_of(row.pk) > before)
        words = {"product": row.product, "units": given["units"], "unit": row.unit}
        what = _("The window of %(product)s is adjusted by %(units)s %(unit)s.") % words
        return result(request, done, done.row, what, given["reason"])


def adjustments_of(pack_id: int | None) -> int:
    return LedgerEntry.objects.filter(pack=pack_id, kind=LedgerEntry.Kind.ADJUST).count()


def adjusted(request: HttpRequest, row: Any, given: dict[str, Any]) -> Any:
    """The row after it. Raises LicenzyError."""
    return usage.adjust(row, given["units"], actor=request.user, reason=given["reason"], request_id=given["request_id"])
