"""The other system: hears of every change, checks the signature, shows what arrived. A receiver to copy."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from standardwebhooks import Webhook, WebhookVerificationError

SHOWN = 50
CACHE_KEY = "shop-received-events"


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """401: not signed with our secret. 204: kept. Each event may come twice; the second time changes nothing."""
    try:
        event = Webhook(endpoint_secret()).verify(request.body, dict(request.headers))
    except (WebhookVerificationError, ValueError, RuntimeError):
        return HttpResponse(status=401)
    arrived = cache.get(CACHE_KEY, [])
    if event["id"] not in (known["event"]["id"] for known in arrived):
        arrived = [{"event": event, "at": timezone.now()}, *arrived]
        cache.set(CACHE_KEY, arrived[:SHOWN], timeout=None)
    return HttpResponse(status=204)


def endpoint_secret() -> str:
    """What ``demo_setup`` was given once, when it made the endpoint; elsewhere it is an environment variable."""
    secret: str = json.loads(settings.DEMO_SECRETS_FILE.read_text()).get("outbound_secret", "")
    return secret


@require_GET
def received(request: HttpRequest) -> HttpResponse:
    """What has arrived, newest first; the page asks for itself every two seconds."""
    return render(request, "shop/received.html", {"arrived": [shown(**known) for known in cache.get(CACHE_KEY, [])]})


def shown(event: dict[str, Any], at: Any) -> dict[str, Any]:
    told = {name: value for name, value in event["data"].items() if value is not None}
    return {"event": event, "at": at, "told": told, "body": json.dumps(event, indent=2, ensure_ascii=False)}
