"""Each view parses, calls one verb, and renders."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licenzy_django import access, billing_portal, checkout, clock
from licenzy_django.access import entitlement_rows
from licenzy_django.access.decisions import decide
from licenzy_django.api.authentication import ApiKeyAuthentication, HasApiKey, bearer_token, note_use
from licenzy_django.api.errors import DatabaseErrors, database_unavailable, error_response
from licenzy_django.api.parsers import JsonAlways, JsonObjectParser, json_object
from licenzy_django.api.serializers import (
    AccessCheckRequest,
    AccessCheckResponse,
    BillingPortalRequest,
    BillingPortalResponse,
    CheckoutSessionRequest,
    CheckoutSessionResponse,
    CustomerAccessResponse,
    EntitlementResponse,
    PageRequest,
)
from licenzy_django.exceptions import LicenzyError
from licenzy_django.idempotency import idempotency_key
from licenzy_django.identity import MAX_LENGTH, validate_subject_ref
from licenzy_django.models.keys import digest_of

PAGE_SIZE = 100
logger = logging.getLogger("licenzy_django")


class LicenzyView(APIView):
    """Closed whatever the host's defaults are; every error in the contract's form."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasApiKey]
    parser_classes = [JsonObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JsonAlways
    versioning_class = None
    # DRF would name OPTIONS as allowed, and refuse it for want of a metadata class.
    http_method_names = [name for name in APIView.http_method_names if name != "options"]
    metadata_class = None

    @property
    def mode(self) -> str:
        """The API key says which; a request body never does."""
        key: entitlement_rows.KeyRow = self.request.auth  # type: ignore[assignment]
        return key.mode

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:  # type: ignore[override]
        # Checkout commits before and after it asks Stripe, so ATOMIC_REQUESTS must not wrap it.
        return transaction.non_atomic_requests(login_not_required(super().as_view(**initkwargs)))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The one place for a database that fails, whoever asked it: authentication, a throttle, the verb."""
        try:
            return self.quick_answer(request) or super().dispatch(request, *args, **kwargs)
        except DatabaseErrors:
            logger.exception("The database failed under %s %s", request.method, request.path)
            return database_unavailable()

    def quick_answer(self, request: HttpRequest) -> HttpResponse | None:
        """An answer without DRF, where a view has one."""
        return None

    def handle_exception(self, exc: Exception) -> Response:
        response = error_response(exc, self.request)
        if response is None:
            raise exc
        response.exception = True
        return response

    def parse(self, serializer: type[Any], request: Request) -> dict[str, Any]:
        parsed = serializer(data=json_object(request._request))
        parsed.is_valid(raise_exception=True)
        return dict(parsed.validated_data)

    def page_of(
        self,
        name: str,
        subject_ref: str,
        find: Callable[..., Sequence[Any]],
        asked: type[serializers.Serializer[Any]],
        shown: type[serializers.Serializer[Any]],
    ) -> Response:
        """One page of what a subject has, and whether there is more: one row more than is shown tells it."""
        validate_subject_ref(subject_ref)
        page = asked(data=self.request.query_params.dict())
        page.is_valid(raise_exception=True)
        limit, after = page.validated_data.get("limit", PAGE_SIZE), page.validated_data.get("starting_after", "")
        found = find(subject_ref, mode=self.mode, limit=limit + 1, starting_after=after)
        rows = shown(found[:limit], many=True).data
        return Response({"subject_ref": subject_ref, name: rows, "has_more": len(found) > limit})


class CheckoutSessionView(LicenzyView):
    """POST: start a payment. It grants nothing."""

    def post(self, request: Request) -> Response:
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        body = self.parse(CheckoutSessionRequest, request)
        started = checkout.start(**body, mode=self.mode, idempotency_key=key)
        headers = {"Idempotent-Replayed": "true"} if started.replayed else None
        return Response(CheckoutSessionResponse(started).data, status=201, headers=headers)


PLAIN_LENGTHS = {
    name: getattr(field, "max_length", None) or MAX_LENGTH
    for name, field in AccessCheckRequest().fields.items()
    if name in ("subject_ref", "product_code", "feature")
}


def plain_question(request: HttpRequest) -> tuple[str, dict[str, str]] | None:
    """The digest of the key and the body of an access check that is certainly well formed; None for any other one."""
    try:
        digest, asked = digest_of(bearer_token(request)), json_object(request)
        validate_subject_ref(asked.get("subject_ref"))
    except (LicenzyError, ParseError):
        return None
    is_plain = all(
        name in PLAIN_LENGTHS and isinstance(text, str) and 0 < len(text) <= PLAIN_LENGTHS[name] and text.isprintable()
        for name, text in asked.items()
    )
    return (digest, asked) if is_plain else None


class AccessCheckView(LicenzyView):
    """POST: may this subject?

    A plain question with a good key is answered by one statement and without DRF, whose machinery takes as long as the
    database. Whatever else comes, and every request where the host throttles, goes through it.
    """

    def quick_answer(self, request: HttpRequest) -> HttpResponse | None:
        is_plain = request.method == "POST" and not self.throttle_classes
        question = plain_question(request) if is_plain else None
        if question is None:
            return None
        digest, asked = question
        now = clock.now()
        key, rows = entitlement_rows.key_and_rows_of(digest, asked["subject_ref"], at=now)
        if key is None or key.revoked_at is not None:
            return None
        note_use(key, at=now)
        return HttpResponse(
            json.dumps(answer_to(asked, rows, at=now), ensure_ascii=False, separators=(",", ":")),
            content_type=JSONRenderer.media_type,
            headers=self.default_response_headers,
        )

    def post(self, request: Request) -> Response:
        asked, now = self.parse(AccessCheckRequest, request), clock.now()
        subject_ref, codes = asked.pop("subject_ref"), [asked.pop("product_code")] if "product_code" in asked else []
        # A given moment is asked of the database, never of the cache.
        counted = {name: asked.pop(name) for name in ("limit", "in_use", "required") if name in asked}
        # A limit alone asks for no entitlement: what gives it says how many.
        is_limit_alone = bool(counted) and not (codes or asked)
        allowed = is_limit_alone or access.check(subject_ref, *codes, **asked, mode=self.mode, at=now).allowed
        answer = {"subject_ref": subject_ref, "allowed": allowed}
        if counted:
            limit, in_use = access.limit(subject_ref, counted["limit"], mode=self.mode, at=now), counted["in_use"]
            answer |= {"limit": limit.value, "remaining": limit.remaining(in_use)}
            answer["allowed"] = allowed and limit.allows(in_use, counted.get("required", 1))
        return Response(AccessCheckResponse(answer).data)


def answer_to(asked: dict[str, str], rows: list[entitlement_rows.EntitlementRow], *, at: datetime) -> dict[str, Any]:
    codes = (asked["product_code"],) if asked.get("product_code") is not None else ()
    decision = decide(asked["subject_ref"], rows, codes, asked.get("feature", ""), at=at)
    return {"subject_ref": asked["subject_ref"], "allowed": decision.allowed}


class CustomerAccessView(LicenzyView):
    """GET: all that a product usually wants to know of a subject."""

    def get(self, request: Request, subject_ref: str) -> Response:
        summary = access.summary(validate_subject_ref(subject_ref), mode=self.mode)
        return Response(CustomerAccessResponse(summary).data)


class EntitlementsView(LicenzyView):
    """GET: a subject's entitlements, newest first; ``limit`` and ``starting_after`` turn the pages."""

    def get(self, request: Request, subject_ref: str) -> Response:
        return self.page_of("entitlements", subject_ref, access.entitlements_of, PageRequest, EntitlementResponse)


class BillingPortalSessionView(LicenzyView):
    """POST: a link to Stripe's own page for card, plan and cancellation."""

    def post(self, request: Request) -> Response:
        body = self.parse(BillingPortalRequest, request)
        url = billing_portal.session_url(**body, mode=self.mode)
        return Response(BillingPortalResponse({"url": url}).data, status=201)
