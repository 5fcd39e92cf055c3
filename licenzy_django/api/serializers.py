"""What comes in and what goes out: exactly these fields, exactly these types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from licenzy_django.access.summary import STATUS_ORDER
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import validate_subject_ref
from licenzy_django.models import CheckoutAttempt, Kind, Mode, Source, Status
from licenzy_django.models.limits import MOST, MOST_LETTERS
from licenzy_django.models.units import MAX_UNITS


class TextField(serializers.CharField):
    """A JSON string; numbers are not turned into text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: not "5", not 5.0, not true."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class FlagField(serializers.BooleanField):
    """A JSON boolean: not "true", not 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class SubjectRefField(TextField):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return validate_subject_ref(text)
        except InvalidRequest as error:
            raise serializers.ValidationError(error.extra["fields"]["subject_ref"]) from None


class TimeField(serializers.DateTimeField):
    """ISO 8601 in UTC, whole seconds: ``2026-11-23T08:00:00Z``."""

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RequestSerializer(serializers.Serializer[Any]):
    """A body whose unknown fields are errors: a misspelt one must not be silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = data.keys() - self.fields.keys()
        if unknown:
            raise serializers.ValidationError(
                {shown(name): ["This field is not known."] for name in sorted(unknown)[:20]}
            )
        return super().to_internal_value(data)


def shown(name: str) -> str:
    """A client's text as an answer can carry it: short, and without half characters."""
    return name[:100].encode(errors="replace").decode()


class CheckoutSessionRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    product_code = TextField(max_length=64)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, required=False)
    customer_email = TextField(max_length=254, required=False)
    locale = TextField(max_length=10, required=False)
    success_url = TextField(max_length=2048, required=False)
    cancel_url = TextField(max_length=2048, required=False)
    trial = FlagField(required=False)


class AccessCheckRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    product_code = TextField(max_length=64, required=False)
    feature = TextField(max_length=100, required=False)
    unit = TextField(max_length=64, required=False)
    units = WholeNumberField(min_value=1, max_value=MAX_UNITS, required=False)
    limit = TextField(max_length=MOST_LETTERS, required=False)
    in_use = WholeNumberField(min_value=0, max_value=MOST, required=False)
    required = WholeNumberField(min_value=1, max_value=MOST, required=False)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A question about a limit is whole, and not one about units."""
        if "limit" in attrs and "in_use" not in attrs:
            raise serializers.ValidationError({"in_use": ["Say how many are in use: the host counts them."]})
        if "limit" in attrs and attrs.keys() & {"unit", "units"}:
            raise serializers.ValidationError({"limit": ["Ask for a limit and for units one after the other."]})
        if "limit" not in attrs and (alone := attrs.keys() & {"in_use", "required"}):
            raise serializers.ValidationError({name: ["This goes with limit."] for name in sorted(alone)})
        return attrs


class BillingPortalRequest(RequestSerializer):
    subject_ref = SubjectRefField()
    return_url = TextField(max_length=2048, required=False)
    flow = TextField(max_length=20, required=False)
    product_code = TextField(max_length=64, required=False)
    to_product_code = TextField(max_length=64, required=False)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, required=False)


class PageRequest(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=100, required=False)
    starting_after = TextField(max_length=40, required=False)


class CheckoutSessionResponse(serializers.Serializer[Any]):
    attempt_id = serializers.CharField()
    status = serializers.ChoiceField(CheckoutAttempt.Status.choices)
    checkout_url = serializers.CharField()
    mode = serializers.ChoiceField(Mode.choices)
    expires_at = TimeField(allow_null=True)
    trial_days = serializers.IntegerField()


class AccessCheckResponse(serializers.Serializer[Any]):
    subject_ref = serializers.CharField()
    allowed = serializers.BooleanField()
    limit = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)

    def to_representation(self, instance: dict[str, Any]) -> Any:
        """Without what was not asked for."""
        shown = super().to_representation({"limit": None, "remaining": None, **instance})
        return {name: value for name, value in shown.items() if name in instance}


class EntitlementResponse(serializers.Serializer[Any]):
    id = serializers.CharField()
    product_code = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    status = serializers.ChoiceField(Status.choices)
    available = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    quantity = serializers.IntegerField()
    features = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    starts_at = TimeField(allow_null=True)
    expires_at = TimeField(allow_null=True)
    current_period_end = TimeField(allow_null=True)
    cancel_at = TimeField(allow_null=True)
    trial_ends_at = TimeField(allow_null=True)
    changes_at = TimeField(allow_null=True)
    changes_to = serializers.CharField(allow_null=True)
    changes_quantity = serializers.IntegerField(allow_null=True)
    canceled_at = TimeField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    usage_granted = serializers.IntegerField(allow_null=True)
    usage_remaining = serializers.IntegerField(allow_null=True)
    usage_resets_at = TimeField(allow_null=True)
    usage_rolled_over = serializers.IntegerField(allow_null=True)
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment]
    created_at = TimeField()
    updated_at = TimeField()


class UnitBalanceResponse(serializers.Serializer[Any]):
    remaining = serializers.IntegerField()
    granted = serializers.IntegerField()
    resets_at = TimeField(allow_null=True)


class CustomerAccessResponse(serializers.Serializer[Any]):
    subject_ref = serializers.CharField()
    has_access = serializers.BooleanField()
    status = serializers.ChoiceField([*(status.value for status in STATUS_ORDER), "none"])
    usage_remaining = serializers.IntegerField(allow_null=True)
    features = serializers.ListField(child=serializers.CharField())
    units = serializers.DictField(child=UnitBalanceResponse())
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    entitlements = EntitlementResponse(many=True)


class BillingPortalResponse(serializers.Serializer[Any]):
    url = serializers.CharField()
