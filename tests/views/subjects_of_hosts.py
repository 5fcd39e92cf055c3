"""How a host says who the subject of a request is: three that are met in practice."""

from __future__ import annotations

from django.http import HttpRequest

KEYS = {"a-secret-key": "importer"}


def organisation(request: HttpRequest) -> str | None:
    """The whole company pays: what its middleware has put on the request."""
    slug = getattr(request, "organisation", None)
    return f"org:{slug}" if slug and request.user.is_authenticated else None


def api_client(request: HttpRequest) -> str | None:
    """The host's own customers' servers, known by a header."""
    client = KEYS.get(request.headers.get("X-Api-Key", ""))
    return f"client:{client}" if client else None


def client_or_user(request: HttpRequest) -> str | None:
    """Both at one address."""
    from licenzy_django.identity import user_subject

    return api_client(request) or user_subject(request)


async def asynchronous(request: HttpRequest) -> str:
    """Not possible: a check may come from a template or a plain view."""
    return "user_1"


def number(request: HttpRequest) -> int:
    return 7
