"""JSON in, and nothing but JSON out, whatever Content-Type and Accept say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from licenzy_django.request_bodies import read_body

MAX_BODY_BYTES = 65_536


class JsonObjectParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return json_object((parser_context or {})["request"]._request)


class JsonAlways(BaseContentNegotiation):
    """A client that asks for something else gets JSON too, not an error about its headers."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The object that a request's body holds; no body is an empty one. Raises ParseError.

    Not ``request.data``, which takes a body without Content-Length (chunked, under ASGI) for none.
    """
    body = read_body(request, MAX_BODY_BYTES)
    if body is None:
        raise ParseError("The body is longer than 64 KiB, or did not arrive.")
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ParseError("The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise ParseError("The body must be a JSON object.")
    return parsed
