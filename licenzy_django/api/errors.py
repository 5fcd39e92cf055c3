"""Errors as HTTP answers: whatever went wrong, the answer has the same form."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from licenzy_django import exceptions as ours

# Whatever the database says no with: both are roots, of what it refused and of a connection that is gone.
DatabaseErrors = (DatabaseError, InterfaceError)


def database_unavailable() -> JsonResponse:
    """Deadlocks, failovers and time-outs are over in a moment; what is not is in the log, and no page of HTML."""
    error = ours.DatabaseUnavailable()
    headers = {"Retry-After": str(error.retry_after_seconds)}
    return JsonResponse(error.form, status=error.status, headers=headers)


def error_response(error: Exception, request: HttpRequest) -> Response | None:
    """The answer to an error, or None for one that is not a client's to see."""
    if isinstance(error, ours.LicenzyError):
        return licenzy_error(error, request)
    if isinstance(error, drf.ValidationError):
        return body("invalid_request", "The request is not valid.", 400, fields=error.detail)
    if isinstance(error, drf.ParseError):
        return body("invalid_request", str(error.detail), 400)
    if isinstance(error, drf.Throttled):
        wait = {"Retry-After": str(int(getattr(error, "wait", None) or 1))}
        return body("throttled", "Too many requests; retry later.", 429, headers=wait)
    if isinstance(error, drf.APIException):
        return body(str(error.default_code), str(error.detail), error.status_code)
    if isinstance(error, Http404):
        return body("not_found", "There is nothing here.", 404)
    if isinstance(error, SuspiciousOperation):
        return body("invalid_request", "The request has too many parameters, or is malformed.", 400)
    if isinstance(error, PermissionDenied):
        return body("permission_denied", "This is not allowed.", 403)
    return None


def licenzy_error(error: ours.LicenzyError, request: HttpRequest) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after_seconds:
        headers["Retry-After"] = str(error.retry_after_seconds)
    form = error.form
    if isinstance(error, ours.AlreadySubscribed):
        form["billing_portal"] = neighbour(request, "billing-portal-session")
    return Response(form, status=error.status, headers=headers)


def neighbour(request: HttpRequest, name: str) -> str:
    """The path of another endpoint of ours, in whatever namespace the host has included this one."""
    namespaces = request.resolver_match.namespaces if request.resolver_match else ["licenzy"]
    return reverse(":".join([*namespaces, name]))


def body(code: str, message: str, status: int, *, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    return Response({"error": code, "message": message, **extra}, status=status, headers=headers)
