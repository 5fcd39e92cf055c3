"""Each view parses, calls one verb, and renders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licenzy_django import access, billing_portal, checkout, clock, gate
from licenzy_django.api.authentication import ApiClient, ApiKeyAuthentication, HasApiKey, bearer_token
from licenzy_django.api.errors import error_response
from licenzy_django.api.parsers import JsonAlways, JsonObjectParser, json_object
from licenzy_django.api.serializers import (
    AccessCheckRequest,
    BillingPortalRequest,
    BillingPortalResponse,
    CheckoutSessionRequest,
    CheckoutSessionResponse,
    CustomerAccessResponse,
    EntitlementResponse,
    PageRequest,
)
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.idempotency import idempotency_key
from licenzy_django.models.keys import digest_of
from licenzy_django.subjects import MAX_LENGTH, validate_subject_ref

PAGE_SIZE = 100


class LicenzyView(APIView):
    """Closed whatever the host's defaults are; every error in the contract's form."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasApiKey]
    parser_classes = [JsonObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JsonAlways
    versioning_class = None
    metadata_class = None

    @property
    def mode(self) -> str:
        """The API key says which; a request body never does."""
        key: gate.KeyRow = self.request.auth  # type: ignore[assignment]
        return key.mode

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:  # type: ignore[override]
        # Checkout commits before and after it asks Stripe, so ATOMIC_REQUESTS must not wrap it.
        return transaction.non_atomic_requests(login_not_required(super().as_view(**initkwargs)))

    def handle_exception(self, exc: Exception) -> Response:
        response = error_response(exc)
        if response is None:
            raise exc
        response.exception = True
        return response

    def parse(self, serializer: type[Any], request: Request) -> dict[str, Any]:
        parsed = serializer(data=json_object(request))
        parsed.is_valid(raise_exception=True)
        return dict(parsed.validated_data)


class CheckoutSessionView(LicenzyView):
    """POST: start a payment. It grants nothing."""

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        wanted = self.parse(CheckoutSessionRequest, request)
        started = checkout.start(**wanted, mode=self.mode, idempotency_key=key)
        headers = {"Idempotent-Replayed": "true"} if started.replayed else None
        return Response(CheckoutSessionResponse(started).data, status=201, headers=headers)


class KeyAndEntitlements(ApiKeyAuthentication):
    """Authenticates and reads the subject's entitlements in the same statement: half the time of two."""

    def authenticate(self, request: Request) -> tuple[ApiClient, gate.KeyRow]:
        digest = digest_of(bearer_token(request))
        asked = access_question(request)
        if asked is None:
            return super().authenticate(request)
        key, rows = gate.key_and_rows_of(digest, asked["subject_ref"], at=clock.now())
        request._request.licenzy_asked = asked, rows  # type: ignore[attr-defined]
        return self.accept(key)


def access_question(request: Request) -> dict[str, Any] | None:
    """A body that names a subject; any other one is refused later, after the key was checked."""
    try:
        asked = json_object(request)
        validate_subject_ref(asked.get("subject_ref"))
    except (ParseError, InvalidRequest):
        return None
    return asked


TEXT_LENGTHS = {
    name: getattr(field, "max_length", None) or MAX_LENGTH for name, field in AccessCheckRequest().fields.items()
}


def is_plain(asked: dict[str, Any]) -> bool:
    """Whether every field is certainly right. If so there is no need for the serializer, which takes as long as the
    database."""
    return all(
        name in TEXT_LENGTHS and isinstance(text, str) and 0 < len(text) <= TEXT_LENGTHS[name] and text.isprintable()
        for name, text in asked.items()
    )


class AccessCheckView(LicenzyView):
    """POST: may this subject?"""

    authentication_classes = [KeyAndEntitlements]

    def post(self, request: Request) -> Response:
        asked, rows = getattr(request._request, "licenzy_asked", ({}, []))
        wanted = asked if asked and is_plain(asked) else self.parse(AccessCheckRequest, request)
        subject_ref, product_code = wanted["subject_ref"], wanted.get("product_code")
        codes = () if product_code is None else (product_code,)
        decision = access.decide(subject_ref, rows, codes, wanted.get("feature", ""), at=clock.now())
        return Response({"subject_ref": subject_ref, "allowed": decision.allowed})


class CustomerAccessView(LicenzyView):
    """GET: all that a product usually wants to know of a subject."""

    def get(self, request: Request, subject_ref: str) -> Response:
        summary = access.summary(validate_subject_ref(subject_ref), mode=self.mode)
        return Response(CustomerAccessResponse(summary).data)


class EntitlementsView(LicenzyView):
    """GET: a subject's entitlements, newest first; ``limit`` and ``starting_after`` turn the pages."""

    def get(self, request: Request, subject_ref: str) -> Response:
        validate_subject_ref(subject_ref)
        page = PageRequest(data=request.query_params.dict())
        page.is_valid(raise_exception=True)
        limit = page.validated_data.get("limit", PAGE_SIZE)
        found = access.entitlements_of(
            subject_ref,
            mode=self.mode,
            limit=limit + 1,
            starting_after=page.validated_data.get("starting_after", ""),
        )
        rows = EntitlementResponse(found[:limit], many=True).data
        return Response({"subject_ref": subject_ref, "entitlements": rows, "has_more": len(found) > limit})


class BillingPortalSessionView(LicenzyView):
    """POST: a link to Stripe's own page for card, plan and cancellation."""

    def post(self, request: Request) -> Response:
        wanted = self.parse(BillingPortalRequest, request)
        url = billing_portal.session_url(**wanted, mode=self.mode)
        return Response(BillingPortalResponse({"url": url}).data, status=201)
