"""Answers that are no success, as schemas with their codes, and the bodies that the contract shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from licenzy_django import exceptions as ours

Json = dict[str, Any]
ErrorType = type[ours.LicenzyError]


class Throttled(ours.LicenzyError):
    """DRF's own, as ``api.errors`` renders it."""

    code = "throttled"
    status = 429
    retry_after_seconds = 1
    message = "Too many requests; retry later."


ERROR_REF: Json = {"$ref": "#/components/schemas/Error"}
TEXT: Json = {"type": "string"}
FIELDS: Json = {
    "type": "object",
    "description": "What is wrong with each field; with unit_required the units that are sold.",
    "additionalProperties": {"type": "array", "items": TEXT},
}
# Further keys of the answer. Those of invalid_request are there only for a body that could be read.
EXTRA: dict[ErrorType, tuple[Json, Json]] = {
    ours.InvalidRequest: ({"fields": FIELDS}, {"fields": {"units": ["This field is required."]}}),
    ours.UnitRequired: ({}, {"fields": {"unit": ["credits", "sms"]}}),
    ours.InsufficientUsage: ({"usage_remaining": {"type": "integer", "minimum": 0}}, {"usage_remaining": 40}),
    ours.LimitReached: (
        {
            "limit": {"type": "integer", "minimum": 0, "description": "How many there may be."},
            "in_use": {"type": "integer", "minimum": 0, "description": "How many there are."},
        },
        {"limit": 5, "in_use": 5},
    ),
    ours.AlreadySubscribed: (
        {
            "product_code": {**TEXT, "description": "What the subject is subscribed to."},
            "billing_portal": {**TEXT, "description": "Where to POST for the billing portal."},
        },
        {"product_code": "PRO_MONTHLY", "billing_portal": "/v1/billing-portal/session"},
    ),
}
DESCRIPTIONS = {
    400: "The request is not valid.",
    401: "No API key, or one that is unknown or revoked.",
    404: "There is no such thing in this mode.",
    409: "The request is valid, and the state of things forbids it.",
    422: "The Idempotency-Key belongs to another request.",
    429: "Only if the host configured throttling.",
    502: "Stripe refused; an operator has to act.",
    503: "Stripe or the database cannot be asked now, or this mode has no credentials.",
}
ALWAYS: tuple[ErrorType, ...] = (
    ours.InvalidRequest,
    ours.MissingBearerToken,
    ours.InvalidApiKey,
    Throttled,
    ours.DatabaseUnavailable,
)
KEYED: tuple[ErrorType, ...] = (ours.IdempotencyKeyMissing, ours.IdempotencyKeyInvalid, ours.IdempotencyKeyReused)
STRIPE: tuple[ErrorType, ...] = (ours.StripeRefused, ours.StripeUnavailable, ours.ModeNotConfigured)


def by_status(*errors: ErrorType) -> dict[int, list[ErrorType]]:
    found: dict[int, list[ErrorType]] = defaultdict(list)
    for error in errors:
        found[error.status].append(error)
    return dict(sorted(found.items()))


def refusals(*errors: ErrorType) -> dict[Any, Any]:
    """The responses for these errors, as ``extend_schema`` takes them."""
    return {
        status: OpenApiResponse(
            response=ERROR_REF, description=DESCRIPTIONS[status], examples=[example_of(kind) for kind in kinds]
        )
        for status, kinds in by_status(*errors).items()
    }


def error_schema(codes: list[str]) -> Json:
    """The one form of every error. Its codes are described, not enumerated: a new one breaks no client."""
    known = f"Stable. Known today: {', '.join(codes)}."
    properties = {"error": {**TEXT, "description": known}, "message": {**TEXT, "minLength": 1}}
    for kind, (more, _example) in EXTRA.items():
        for name, shape in more.items():
            properties[name] = {**shape, "description": f"With {kind.code}. {shape.get('description', '')}".strip()}
    return {"type": "object", "properties": properties, "required": ["error", "message"]}


def with_its_errors(description: str, errors: Iterable[ErrorType]) -> str:
    codes = dict.fromkeys(error.code for error in errors)
    return f"{description}\n\nIts own refusals: {', '.join(f'`{code}`' for code in codes)}." if codes else description


def example_of(kind: ErrorType) -> OpenApiExample:
    extra = EXTRA[kind][1] if kind in EXTRA else {}
    return OpenApiExample(
        kind.code, value={"error": kind.code, "message": kind.message, **extra}, response_only=True, status_codes=None
    )


def response_headers(success: int, errors: tuple[ErrorType, ...], *, is_keyed: bool) -> list[OpenApiParameter]:
    headers = [header("WWW-Authenticate", "Always Bearer.", [401])]
    retried = sorted({error.status for error in errors if error.retry_after_seconds})
    headers.append(header("Retry-After", "Seconds to wait, where waiting helps.", retried))
    if is_keyed:
        description = "true if this is the answer to the first request with this Idempotency-Key; absent otherwise."
        headers.append(header("Idempotent-Replayed", description, [success], enum=["true"]))
    return headers


def header(name: str, description: str, statuses: list[int], **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=statuses, **more)
