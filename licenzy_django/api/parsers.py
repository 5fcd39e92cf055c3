"""JSON in, and nothing but JSON, whatever the Content-Type says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http.request import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_BODY_BYTES = 65_536


class JsonObjectParser(BaseParser):
    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        assert parser_context is not None
        try:
            body = parser_context["request"]._request.body
        except (RequestDataTooBig, UnreadablePostError):
            raise ParseError("The body is too long, or did not arrive.") from None
        return json_object(body)


def json_object(body: bytes) -> dict[str, Any]:
    """The object that a body holds. Raises ParseError."""
    if len(body) > MAX_BODY_BYTES:
        raise ParseError("The body is longer than 64 KiB.")
    try:
        parsed = json.loads(body or b"{}", parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise ParseError("The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise ParseError("The body must be a JSON object.")
    return parsed


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
