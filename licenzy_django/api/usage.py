"""Units over HTTP: consume, reserve, confirm, release, refund."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licenzy_django import usage
from licenzy_django.api.serializers import RequestSerializer, SubjectRefField, TextField, TimeField, WholeNumberField
from licenzy_django.api.views import LicenzyView
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.idempotency import idempotency_key
from licenzy_django.models.units import MAX_UNITS
from licenzy_django.usage.actions import checked_actions
from licenzy_django.usage.refunds import MAX_REASON
from licenzy_django.usage.requests import MAX_TTL_SECONDS


class ActionsField(serializers.Field[Any, Any, Any, Any]):
    """How often each action was done: ``{"image": 2, "video": 1}``."""

    def to_internal_value(self, data: Any) -> dict[str, int]:
        try:
            return checked_actions(data)
        except InvalidRequest as error:
            raise serializers.ValidationError(error.extra["fields"]["actions"]) from None


class ConsumeRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    units = WholeNumberField(min_value=1, max_value=MAX_UNITS, required=False)
    actions = ActionsField(required=False)
    unit = TextField(max_length=64, required=False)
    product_code = TextField(max_length=64, required=False)


class ReserveRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    units = WholeNumberField(min_value=1, max_value=MAX_UNITS)
    unit = TextField(max_length=64, required=False)
    product_code = TextField(max_length=64, required=False)
    ttl_seconds = WholeNumberField(min_value=1, max_value=MAX_TTL_SECONDS, required=False)


class ReleaseRequest(RequestSerializer):
    reservation_id = TextField()


class ConfirmRequest(ReleaseRequest):
    units = WholeNumberField(min_value=0, max_value=MAX_UNITS)


class RefundRequest(RequestSerializer):
    consumption_key = TextField()
    units = WholeNumberField(min_value=1, max_value=MAX_UNITS, required=False)
    reason = TextField(max_length=MAX_REASON)


class UsedResponse(serializers.Serializer[Any]):
    ok = serializers.BooleanField(default=True)
    consumed = serializers.IntegerField()
    usage_remaining = serializers.IntegerField()


class ReservedResponse(serializers.Serializer[Any]):
    reservation_id = serializers.CharField()
    reserved = serializers.IntegerField()
    usage_remaining = serializers.IntegerField()
    expires_at = TimeField()


class ReleasedResponse(serializers.Serializer[Any]):
    ok = serializers.BooleanField(default=True)
    usage_remaining = serializers.IntegerField()


class RefundedResponse(serializers.Serializer[Any]):
    ok = serializers.BooleanField(default=True)
    refunded = serializers.IntegerField()
    usage_remaining = serializers.IntegerField()


def headers_of(answer: usage.Used | usage.Reserved | usage.Refunded) -> dict[str, str] | None:
    return {"Idempotent-Replayed": "true"} if answer.replayed else None


class ConsumeView(LicenzyView):
    """POST: use units, once per Idempotency-Key."""

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = self.parse(ConsumeRequest, request)
        used = usage.consume(body.pop("subject_ref"), **body, mode=self.mode, idempotency_key=key)
        return Response(UsedResponse(used).data, headers=headers_of(used))


class ReserveView(LicenzyView):
    """POST: set units aside, once per Idempotency-Key."""

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = self.parse(ReserveRequest, request)
        reserved = usage.reserve(
            body.pop("subject_ref"), body.pop("units"), **body, mode=self.mode, idempotency_key=key
        )
        return Response(ReservedResponse(reserved).data, status=201, headers=headers_of(reserved))


class ConfirmView(LicenzyView):
    """POST: use what a reservation was for; the rest goes back."""

    def post(self, request: Request) -> Response:
        body = self.parse(ConfirmRequest, request)
        used = usage.confirm(body["reservation_id"], body["units"], mode=self.mode)
        return Response(UsedResponse(used).data, headers=headers_of(used))


class ReleaseView(LicenzyView):
    """POST: give all of a reservation back."""

    def post(self, request: Request) -> Response:
        released = usage.release(self.parse(ReleaseRequest, request)["reservation_id"], mode=self.mode)
        return Response(ReleasedResponse(released).data, headers=headers_of(released))


class RefundView(LicenzyView):
    """POST: give units of a consume back, once per Idempotency-Key."""

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = self.parse(RefundRequest, request)
        refunded = usage.refund(body.pop("consumption_key"), **body, mode=self.mode, idempotency_key=key)
        return Response(RefundedResponse(refunded).data, headers=headers_of(refunded))
