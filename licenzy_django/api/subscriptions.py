"""Subscriptions over HTTP: preview, change, cancel, resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licenzy_django import subscriptions
from licenzy_django.api.serializers import RequestSerializer, SubjectRefField, TextField, TimeField, WholeNumberField
from licenzy_django.api.views import LicenzyView
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.idempotency import idempotency_key
from licenzy_django.subscriptions.asked import WRONG_COUNT
from licenzy_django.subscriptions.rules import WHENS


class WhenField(TextField):
    """``now`` or ``period_end``."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text not in WHENS:
            raise serializers.ValidationError("This must be now or period_end.")
        return text


class AddOnsField(serializers.DictField):
    """An object of product codes and how many of each."""

    child = WholeNumberField(min_value=1, max_value=MAX_QUANTITY)

    def run_child_validation(self, data: Any) -> Any:
        """Problems are a list for each field, as everywhere, and not one for each add-on."""
        try:
            return super().run_child_validation(data)
        except serializers.ValidationError:
            raise serializers.ValidationError(WRONG_COUNT) from None


class ResumeRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    product_code = TextField(max_length=64)


class CancelRequest(ResumeRequest):
    when = WhenField(required=False)


class PreviewRequest(CancelRequest):
    to_product_code = TextField(max_length=64, required=False)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, required=False)
    add = AddOnsField(required=False)


class ChangeRequest(PreviewRequest):
    change_token = TextField(max_length=1000, required=False)


class PreviewLineResponse(serializers.Serializer[Any]):
    description = serializers.CharField()
    amount = serializers.IntegerField()
    proration = serializers.BooleanField()


class PreviewResponse(serializers.Serializer[Any]):
    amount_due = serializers.IntegerField()
    currency = serializers.CharField()
    next_amount = serializers.IntegerField()
    effective_at = TimeField()
    lines = PreviewLineResponse(many=True)
    change_token = serializers.CharField()
    expires_at = TimeField()


class ChangeResponse(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["changed", "scheduled", "requires_payment"])
    effective_at = TimeField(allow_null=True)
    payment_url = serializers.CharField(allow_null=True)


class CancelResponse(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["canceled", "scheduled"])
    effective_at = TimeField()


class ResumeResponse(serializers.Serializer[Any]):
    status = serializers.CharField()


class PreviewView(LicenzyView):
    """POST: what a change would cost. It changes nothing."""

    def post(self, request: Request) -> Response:
        body = self.parse(PreviewRequest, request)
        shown = subscriptions.preview(body.pop("subject_ref"), body.pop("product_code"), **body, mode=self.mode)
        return Response(PreviewResponse(shown).data)


class KeyedView(LicenzyView):
    """One verb of ``subscriptions``, carried out once per Idempotency-Key.

    Attributes:
        verb: the function that carries it out.
    """

    verb: ClassVar[Callable[..., Any]]
    asked: ClassVar[type[ResumeRequest]]
    shown: ClassVar[type[serializers.Serializer[Any]]]

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = self.parse(self.asked, request)
        done = self.verb(body.pop("subject_ref"), body.pop("product_code"), **body, mode=self.mode, idempotency_key=key)
        return Response(self.shown(done).data, headers={"Idempotent-Replayed": "true"} if done.replayed else None)


class ChangeView(KeyedView):
    """POST: change a subscription, once per Idempotency-Key."""

    verb = staticmethod(subscriptions.change)
    asked, shown = ChangeRequest, ChangeResponse


class CancelView(KeyedView):
    """POST: end a subscription, once per Idempotency-Key."""

    verb = staticmethod(subscriptions.cancel)
    asked, shown = CancelRequest, CancelResponse


class ResumeView(KeyedView):
    """POST: take a cancellation or a scheduled change back, once per Idempotency-Key."""

    verb = staticmethod(subscriptions.resume)
    asked, shown = ResumeRequest, ResumeResponse
