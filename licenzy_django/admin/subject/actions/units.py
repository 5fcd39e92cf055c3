from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from licenzy_django import operators, usage
from licenzy_django.admin.audit_log import ReasonForm, new_request_id
from licenzy_django.admin.subject.actions.base import Action, Words, result
from licenzy_django.models import LedgerEntry, Subject
from licenzy_django.usage import refunds


class GiveBackForm(ReasonForm):
    units = forms.IntegerField(
        label=gettext_lazy("Units"),
        required=False,
        min_value=1,
        help_text=gettext_lazy("Empty means all that was not given back yet."),
    )
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)
    field_order = ["units", "reason"]


class GiveBack(Action):
    slug = "give-back"
    model = LedgerEntry
    title = gettext_lazy("Give units back")
    button = gettext_lazy("Give back")

    def is_offered(self, row: LedgerEntry) -> bool:
        return row.kind in refunds.TAKEN and row.part_of is None

    def target_of(self, row: LedgerEntry) -> str:
        return str(row.pk)

    def find(self, subject: Subject, target: str) -> LedgerEntry:
        taken = LedgerEntry.objects.filter(subject=subject, kind__in=refunds.TAKEN)
        return get_object_or_404(taken, pk=target if target.isascii() and target.isdecimal() else None)

    def form_for(self, subject: Subject, row: LedgerEntry, given: Any) -> ReasonForm:
        return GiveBackForm(given, initial={"request_id": new_request_id()})

    def consequences(self, subject: Subject, row: LedgerEntry) -> Sequence[Words]:
        left = refunds.units_left(row)
        return [
            ngettext("%d unit of it was not given back yet.", "%d units of it were not given back yet.", left) % left,
            _("They go back to the packs that they came from. Those of a pack that is over or void cannot be used."),
        ]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: LedgerEntry, given: dict[str, Any]) -> str:
        answer = usage.refund(
            row.pk,
            given["units"],
            reason=given["reason"],
            idempotency_key=given["request_id"],
            mode=subject.mode,
            actor=request.user,
        )
        done = operators.Done(row, changed=not answer.replayed)
        what = ngettext("%d unit can be used again.", "%d units can be used again.", answer.refunded)
        return result(request, done, subject, what % answer.refunded, given["reason"])
