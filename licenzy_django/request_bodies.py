"""A request's body, refused before it is read where it is too long."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError


def read_body(request: HttpRequest, most_bytes: int) -> bytes | None:
    """The body, or None for one that is longer, that does not arrive, or whose length is no number.

    Under ASGI a body may come in chunks, without a declared length: then no more is read than may be.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared and (not declared.isascii() or not declared.isdigit() or int(declared[:20]) > most_bytes):
        return None
    try:
        if not declared and not hasattr(request, "_body"):
            request._body = request.read(most_bytes + 1)
        body = request.body
    except (RequestDataTooBig, UnreadablePostError, RawPostDataException):
        return None
    return body if len(body) <= most_bytes else None
