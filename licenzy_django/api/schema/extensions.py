"""What drf-spectacular cannot read off our fields: texts that are really texts, closed objects, the key of a server."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)

from licenzy_django.models.units import MAX_UNITS
from licenzy_django.subscriptions.rules import WHENS
from licenzy_django.usage.actions import MAX_ACTIONS

# Neither white space nor a slash at an end, no control character anywhere.
SUBJECT_END = r"[^\s/\u0000-\u001f\u007f-\u009f]"
SUBJECT_PATTERN = rf"^{SUBJECT_END}([^\u0000-\u001f\u007f-\u009f]*{SUBJECT_END})?$"
# The same without a slash anywhere.
MEMBER_PATTERN = rf"^{SUBJECT_END}([^/\u0000-\u001f\u007f-\u009f]*{SUBJECT_END})?$"
FORMATS = {"customer_email": "email", "success_url": "uri", "cancel_url": "uri", "return_url": "uri"}
TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-23T08:00:00Z"]}


class ApiKey(OpenApiAuthenticationExtension):
    target_class = "licenzy_django.api.authentication.ApiKeyAuthentication"
    match_subclasses = True
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "lz_test_… or lz_live_…",
            "description": "An API key, which also says the mode. For servers, never for browsers.",
        }


class SubjectRef(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.serializers.SubjectRefField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": SUBJECT_PATTERN,
            "description": "Who buys and uses: an opaque, case-sensitive text of the host's choice.",
        }


class Text(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.serializers.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000]+$"}
        if self.target.max_length is not None:
            text["maxLength"] = self.target.max_length
        kind = FORMATS.get(self.target.field_name or "")
        return {**text, "format": kind} if kind else text


class When(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.subscriptions.WhenField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(WHENS)}


class WholeNumber(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.serializers.WholeNumberField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.target.min_value, "maximum": self.target.max_value}


class Actions(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.usage.ActionsField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "description": "How often each action was done, in place of units; what it costs is the host's setting.",
            "minProperties": 1,
            "maxProperties": MAX_ACTIONS,
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": MAX_UNITS},
            "examples": [{"image": 2, "video": 1}],
        }


class Time(OpenApiSerializerFieldExtension):
    target_class = "licenzy_django.api.serializers.TimeField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(TIME)


class ClosedBody(OpenApiSerializerExtension):
    """A body with a field that is not known is refused, and the document says so."""

    target_class = "licenzy_django.api.serializers.RequestSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        mapped = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        mapped.pop("description", None)
        return {**mapped, "additionalProperties": False}
