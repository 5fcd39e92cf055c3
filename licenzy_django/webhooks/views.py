"""The door that Stripe knocks on."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from licenzy_django.access.private_answers import for_the_key_alone
from licenzy_django.exceptions import DatabaseUnavailable, LicenzyError
from licenzy_django.http_methods import only
from licenzy_django.models import StripeEvent
from licenzy_django.request_bodies import read_body
from licenzy_django.sync import inbox
from licenzy_django.webhooks.signature import signed_mode

logger = logging.getLogger("licenzy_django")

MAX_BODY_BYTES = 1_000_000


@for_the_key_alone
@csrf_exempt
@login_not_required
@only("POST")
@transaction.non_atomic_requests  # the inbox commits in steps: a failure has to stay visible
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """400: too large, or Stripe did not sign it. 5xx: we failed, so it comes again. 2xx: stored, with its effect."""
    body = read_body(request, MAX_BODY_BYTES)
    if body is None:
        return refused("The body is too large, or did not arrive whole.")
    mode = signed_mode(body, request.headers.get("Stripe-Signature", "")) if body else None
    if mode is None:
        return refused("Stripe did not sign this request.")
    event = parsed(body)
    if event is None:
        return refused("This is not a Stripe event.")
    return answer(event, mode)


def answer(event: dict[str, Any], mode: str) -> HttpResponse:
    try:
        received = inbox.receive(event, mode)
        row = received.row
        if row.status not in inbox.DONE:
            if not received.is_new:
                StripeEvent.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
            inbox.process(row)
    except (LicenzyError, DatabaseError, InterfaceError) as error:
        logger.exception("Stripe event %s failed and has to come again", event["id"])
        code = error.code if isinstance(error, LicenzyError) else DatabaseUnavailable.code
        return failed(code, 503)
    except Exception:
        logger.exception("Stripe event %s failed and has to come again", event["id"])
        return failed("webhook_failed", 500)
    return JsonResponse({"received": True, "status": row.status})


def parsed(body: bytes) -> dict[str, Any] | None:
    """The event, or None for JSON that is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    if not all(is_name(event.get(name)) for name in ("id", "type")):
        return None
    if event.get("object") == "v2.core.event":
        return event
    data = event.get("data")
    is_whole = isinstance(data, dict) and isinstance(data.get("object"), dict) and isinstance(event.get("created"), int)
    return event if is_whole else None


def is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def refused(message: str) -> JsonResponse:
    return JsonResponse({"error": "invalid_request", "message": message}, status=400)


def failed(code: str, status: int) -> JsonResponse:
    message = "The event could not be handled now; send it again."
    return JsonResponse({"error": code, "message": message}, status=status, headers={"Retry-After": "30"})
