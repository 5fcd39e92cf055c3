"""What a refused request gets: a page that the host can style, a way to the upgrade page, or JSON for an API client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, JsonResponse
from django.shortcuts import resolve_url

from licenzy_django.access.private_answers import never_stored
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage, LimitReached

if TYPE_CHECKING:
    from django.http import HttpRequest

UpgradeUrl = str | Callable[[Any], str]
"""A URL name, a path, an address, or a callable that is given the request."""


def refused_with(
    error: EntitlementRequired | InsufficientUsage | LimitReached, request: HttpRequest, upgrade_url: UpgradeUrl = ""
) -> HttpResponse:
    """The answer to a request that is refused.

    An API client gets the error form with 403. A person is sent to ``upgrade_url`` with ``?next=``; without one the
    error is raised, which is a PermissionDenied: Django answers 403 with the host's template.
    """
    if is_api_client(request):
        return never_stored(JsonResponse(error.form, status=403))
    if not upgrade_url:
        raise error
    target = upgrade_url(request) if callable(upgrade_url) else resolve_url(upgrade_url)
    return never_stored(redirect_to_login(request.get_full_path(), target, "next"))


def is_api_client(request: HttpRequest) -> bool:
    """Whether JSON is wanted: DRF's requests, whoever prefers it to HTML, and whoever sends it and names neither."""
    if hasattr(request, "_request"):
        return True
    accepts = request.headers.get("Accept", "*/*")
    if request.content_type == "application/json" and "html" not in accepts:
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
