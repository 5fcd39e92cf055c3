from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenzy_django.admin.audit_log import log_action
from licenzy_django.admin.subject.actions.base import NOTHING_MORE, Action, Words
from licenzy_django.models import Delivery, Subject
from licenzy_django.outbound import endpoints


class Requeue(Action):
    slug = "requeue"
    model = Delivery
    title = gettext_lazy("Send a notification again")
    button = gettext_lazy("Send again")

    def is_offered(self, row: Delivery) -> bool:
        return row.status in (Delivery.Status.DEAD, Delivery.Status.FAILED)

    def target_of(self, row: Delivery) -> str:
        return str(row.pk)

    def find(self, subject: Subject, target: str) -> Delivery:
        deliveries = Delivery.objects.select_related("event", "endpoint")
        own = deliveries.filter(event__subject_ref=subject.subject_ref, event__mode=subject.mode)
        return get_object_or_404(own, pk=target if target.isascii() and target.isdecimal() else None)

    def consequences(self, subject: Subject, row: Delivery) -> Sequence[Words]:
        return [
            _("%(event)s is sent to %(endpoint)s again, with the next round of licenzy_deliver.")
            % {"event": row.event.public_id, "endpoint": row.endpoint}
        ]

    @transaction.atomic
    def act(self, request: HttpRequest, subject: Subject, row: Delivery, given: dict[str, Any]) -> str:
        if not endpoints.requeue(row):
            return str(NOTHING_MORE)
        what = _("%(event)s will be sent again.") % {"event": row.event.public_id}
        log_action(request, subject, what, reason=given["reason"])
        return what
