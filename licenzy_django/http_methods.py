"""Which methods an address takes, and the answer to the others in the form of the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

View = Callable[..., HttpResponse]


def only(*methods: str) -> Callable[[View], View]:
    """Like Django's ``require_http_methods``, whose 405 has no body."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method in methods:
                return view(request, *args, **kwargs)
            error = {"error": "method_not_allowed", "message": f'Method "{request.method}" not allowed.'}
            return JsonResponse(error, status=405, headers={"Allow": ", ".join(methods)})

        return answered

    return decorate
