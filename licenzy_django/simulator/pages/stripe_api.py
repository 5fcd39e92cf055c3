"""Stripe's API over real HTTP: ``StripeClient(key, base_addresses={"api": "http://127.0.0.1:8000/simulator"})``."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from ..account import database_front
from ..api.faults import ConnectionDroppedError
from ..api.front import Request
from ..refusals import RefusalError


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def stripe_api(request: HttpRequest, rest: str) -> HttpResponse:
    try:
        form = "&".join(part for part in (request.META.get("QUERY_STRING", ""), request.body.decode()) if part)
    except UnicodeDecodeError:
        refusal = RefusalError("Invalid request: the body is not UTF-8.")
        return JsonResponse(refusal.body(), status=refusal.status)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        answer = database_front(f"{request.scheme}://{request.get_host()}").handle(
            Request(str(request.method), f"/v1/{rest}", form, headers)
        )
    except ConnectionDroppedError:
        return HttpResponse(status=502)
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
