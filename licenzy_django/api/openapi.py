"""``GET /v1/schema``: the OpenAPI document, for anybody. Routed only where drf-spectacular is installed."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.vary import vary_on_headers

from licenzy_django.http_methods import only


def is_available() -> bool:
    return find_spec("drf_spectacular") is not None


@csrf_exempt
@login_not_required
@only("GET", "HEAD")
@vary_on_headers("Accept")
def schema(request: HttpRequest) -> HttpResponse:
    """JSON, or YAML for those who ask for it: ``?format=yaml`` or an Accept header."""
    from licenzy_django.api.schema import rendered

    try:
        named = request.GET.get("format")
    except TooManyFieldsSent:
        refusal = {"error": "invalid_request", "message": "The request has too many parameters."}
        return JsonResponse(refusal, status=400)
    format_wanted = named or ("yaml" if "yaml" in request.headers.get("Accept", "") else "json")
    name = "yaml" if format_wanted == "yaml" else "json"
    text = rendered(name, root=request.path.rstrip("/").removesuffix("/schema"))
    return HttpResponse(text, content_type=f"application/{name}")
