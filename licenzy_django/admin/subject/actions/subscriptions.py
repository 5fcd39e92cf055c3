from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenzy_django import subscriptions
from licenzy_django.admin.audit_log import ReasonForm, log_action, new_request_id
from licenzy_django.admin.subject.actions.base import NOTHING_MORE, ActionFailed, ShowFirst, Words
from licenzy_django.admin.subject.actions.entitlements import OfEntitlement
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.catalog.amounts import written
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.exceptions import ChangeExpired
from licenzy_django.idempotency import fingerprint
from licenzy_django.models import Entitlement, Product, Source, Status, Subject
from licenzy_django.models.kinds import kinds_that
from licenzy_django.subscriptions.rules import NOW, PERIOD_END


class OfSubscription(OfEntitlement):
    """What is done to the subscription behind an entitlement, at Stripe."""

    def is_offered(self, row: Entitlement) -> bool:
        return row.source == Source.STRIPE and row.product.is_recurring and row.status != Status.CANCELED

    def key(self, given: dict[str, Any]) -> str:
        return f"admin-{given['request_id']}"

    def done(self, request: HttpRequest, row: Entitlement, what: str, given: dict[str, Any], *, replayed: bool) -> str:
        """Log it once; a second click says that it was the second."""
        if replayed:
            return str(NOTHING_MORE)
        log_action(request, row, what, reason=given["reason"])
        return what


class OnceForm(ReasonForm):
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, given: Any, **more: Any) -> None:
        initial = {"request_id": new_request_id(), **more.pop("initial", {})}
        super().__init__(given, initial=initial, **more)


NOTHING_SHOWN = {"change_token": "", "shown": ""}


class ChangeForm(OnceForm):
    product = forms.ModelChoiceField(label=gettext_lazy("Product"), queryset=Product.objects.none())
    quantity = forms.IntegerField(label=gettext_lazy("Quantity"), min_value=1, max_value=MAX_QUANTITY)
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        required=False,
        choices=[
            ("", gettext_lazy("as fits the change")),
            (NOW, gettext_lazy("now")),
            (PERIOD_END, gettext_lazy("at the end of the period")),
        ],
        help_text=gettext_lazy("What is longer or dearer is now, everything else at the end of the period."),
    )
    change_token = forms.CharField(widget=forms.HiddenInput, required=False, max_length=1000)
    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    field_order = ["product", "quantity", "when", "reason"]

    def __init__(self, given: Any, *, row: Entitlement) -> None:
        super().__init__(given, initial={**NOTHING_SHOWN, "product": row.product_id, "quantity": row.quantity})
        recurring = Product.objects.filter(mode=row.mode, kind__in=kinds_that("is_recurring"))
        offered = recurring.filter(is_active=True, is_add_on=row.product.is_add_on) | recurring.filter(
            pk=row.product_id
        )
        self.fields["product"].queryset = offered.order_by("code")  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, Any]:
        """As the verbs take it."""
        product, cleaned = self.cleaned_data["product"], self.cleaned_data
        return {"to_product_code": product.code, "quantity": cleaned["quantity"], "when": cleaned["when"]}


class Change(OfSubscription):
    slug = "change"
    title = gettext_lazy("Change a subscription")
    button = gettext_lazy("Change")

    def form_for(self, subject: Subject, row: Entitlement, given: Any) -> ChangeForm:
        return ChangeForm(given, row=row)

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        have = {"product": row.product, "quantity": row.quantity}
        return [
            _("%(product)s × %(quantity)s becomes what you choose, at Stripe.") % have,
            _("What it costs is shown first, and nothing has changed until you confirm it."),
        ]

    def show_first(self, subject: Subject, row: Entitlement, form: Any) -> ShowFirst | None:
        """What Stripe says that it costs, unless this very choice has been shown."""
        shown = fingerprint(**form.chosen)
        if form.cleaned_data["change_token"] and form.cleaned_data["shown"] == shown:
            return None
        preview = subscriptions.preview(subject.subject_ref, row.product.code, mode=subject.mode, **form.chosen)
        confirmed = form.data.copy()
        confirmed["change_token"], confirmed["shown"] = preview.change_token, shown
        return ShowFirst(costs(preview), self.form_for(subject, row, confirmed))

    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        product, token = given["product"], given["change_token"]
        try:
            done = subscriptions.change(
                subject.subject_ref,
                row.product.code,
                to_product_code=product.code,
                quantity=given["quantity"],
                when=given["when"],
                change_token=token,
                idempotency_key=self.key(given),
                mode=subject.mode,
            )
        except ChangeExpired as expired:
            raise ActionFailed(
                _("The subscription has changed since the amount was shown. Please begin again.")
            ) from expired
        becomes = {"product": product, "quantity": given["quantity"], "when": moment(done.effective_at)}
        what = {
            "changed": _("It is %(product)s × %(quantity)s now."),
            "scheduled": _("It becomes %(product)s × %(quantity)s on %(when)s."),
        }.get(done.status, _("The payment failed, so nothing has changed. The customer can pay for it at %(url)s."))
        return self.done(request, row, what % {**becomes, "url": done.payment_url}, given, replayed=done.replayed)


def costs(preview: subscriptions.Preview) -> list[Words]:
    amounts = {
        "now": written(preview.amount_due, preview.currency),
        "then": written(preview.next_amount, preview.currency),
        "when": moment(preview.effective_at),
    }
    lines = [f"{line.description}: {written(line.amount, preview.currency)}" for line in preview.lines]
    return [
        _("It costs %(now)s now, and %(then)s for the next whole period. It takes effect on %(when)s.") % amounts,
        *lines,
        _("Confirm it below."),
    ]


class CancelForm(OnceForm):
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[(PERIOD_END, gettext_lazy("at the end of the period")), (NOW, gettext_lazy("now"))],
    )
    field_order = ["when", "reason"]


class Cancel(OfSubscription):
    slug = "cancel"
    title = gettext_lazy("Cancel a subscription")
    button = gettext_lazy("Cancel it")
    is_dangerous = True
    form = CancelForm

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        lines = [
            _("%(product)s ends at Stripe, and is not renewed. No money goes back: refund the payment at Stripe.")
            % {"product": row.product}
        ]
        if row.changes_at is not None:
            lines.append(_("The change that is scheduled is taken back."))
        return lines

    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        done = subscriptions.cancel(
            subject.subject_ref,
            row.product.code,
            when=given["when"],
            idempotency_key=self.key(given),
            mode=subject.mode,
        )
        what = _("%(product)s ends on %(when)s.") % {"product": row.product, "when": moment(done.effective_at)}
        return self.done(request, row, what, given, replayed=done.replayed)


class Resume(OfSubscription):
    slug = "resume"
    title = gettext_lazy("Resume a subscription")
    button = gettext_lazy("Resume")
    form = OnceForm

    def is_offered(self, row: Entitlement) -> bool:
        return super().is_offered(row) and bool(row.cancel_at or row.changes_at)

    def consequences(self, subject: Subject, row: Entitlement) -> Sequence[Words]:
        return [
            _("A cancellation or a change that is scheduled for %(product)s is taken back at Stripe.")
            % {"product": row.product}
        ]

    def act(self, request: HttpRequest, subject: Subject, row: Entitlement, given: dict[str, Any]) -> str:
        done = subscriptions.resume(
            subject.subject_ref, row.product.code, idempotency_key=self.key(given), mode=subject.mode
        )
        what = _("%(product)s goes on.") % {"product": row.product}
        return self.done(request, row, what, given, replayed=done.replayed)
