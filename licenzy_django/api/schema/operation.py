"""One operation of ``/v1``, as drf-spectacular reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from licenzy_django.api import views
from licenzy_django.api.authentication import ApiKeyAuthentication
from licenzy_django.api.schema.answers import (
    ALWAYS,
    KEYED,
    ErrorType,
    Json,
    refusals,
    response_headers,
    with_its_errors,
)
from licenzy_django.api.schema.extensions import SUBJECT_PATTERN

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!#-~]([ -~]*[!#-~])?$"},
    OpenApiParameter.HEADER,
    required=True,
    description='One effect for each key: a repetition gives the first answer again. "k" and k are the same key.',
    examples=[OpenApiExample("a key", value="order-1001")],
)


def subject_in_path(name: str, example: str) -> OpenApiParameter:
    return OpenApiParameter(
        "subject_ref",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": SUBJECT_PATTERN},
        OpenApiParameter.PATH,
        description="Percent-encoded, slashes too.",
        examples=[OpenApiExample(name, value=example)],
    )


def page_of(starting_after: str, max_length: int) -> tuple[OpenApiParameter, ...]:
    """What turns the pages of a list."""
    return (
        OpenApiParameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}, description="How many at most."
        ),
        OpenApiParameter(
            "starting_after",
            {"type": "string", "minLength": 1, "maxLength": max_length},
            description=starting_after,
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method at one path. ``errors`` are those besides the ones that every operation has."""

    path: str
    view: type[views.LicenzyView]
    name: str
    summary: str
    tag: str
    description: str = ""
    answer: type[Any]
    shown: Json
    method: str = "post"
    asked: type[Any] | None = None
    asked_example: Json = field(default_factory=dict)
    success: int = 200
    is_keyed: bool = False
    parameters: tuple[OpenApiParameter, ...] = ()
    errors: tuple[ErrorType, ...] = ()

    def annotation(self) -> Any:
        """The decorator that drf-spectacular knows a method by."""
        errors = (*ALWAYS, *(KEYED if self.is_keyed else ()), *self.errors)
        examples = [
            OpenApiExample("An example", value=self.shown, response_only=True, status_codes=[str(self.success)])
        ]
        if self.asked:
            examples.append(OpenApiExample("An example", value=self.asked_example, request_only=True))
        return extend_schema(
            operation_id=self.name,
            summary=self.summary,
            description=with_its_errors(self.description or self.summary, self.errors),
            tags=[self.tag],
            request={"application/json": self.asked} if self.asked else None,
            responses={self.success: OpenApiResponse(self.answer, description="Done."), **refusals(*errors)},
            examples=examples,
            parameters=[
                *self.parameters,
                *([IDEMPOTENCY_KEY] if self.is_keyed else []),
                *response_headers(self.success, errors, is_keyed=self.is_keyed),
            ],
        )

    def described_view(self) -> type[views.LicenzyView]:
        """The view, in the form that drf-spectacular reads. It answers no request."""

        return described([self])


def described(operations: Sequence[Operation]) -> type[views.LicenzyView]:
    """The view that these operations share, in the form that drf-spectacular reads. It answers no request."""
    view = operations[0].view
    methods = {each.method: each.annotation()(only_looked_at()) for each in operations}
    shared = {"schema": AutoSchema(), "authentication_classes": [ApiKeyAuthentication]}
    return type(view.__name__, (view,), shared | methods)


def only_looked_at() -> Any:
    def method(view: views.LicenzyView, request: Any, **kwargs: Any) -> None:
        """It is never called."""

    method.schema = AutoSchema  # type: ignore[attr-defined]
    return method
