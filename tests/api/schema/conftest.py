"""The document as a client gets it, and a judge of answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]


@pytest.fixture
def document() -> Json:
    answer = Client().get("/v1/schema")
    assert answer.status_code == 200
    made: Json = answer.json()
    return made


def resolved(document: Json, described: Json) -> Json:
    """What a ``$ref`` leads to, or the thing itself."""
    found = document if "$ref" in described else described
    for name in described.get("$ref", "#").split("/")[1:]:
        found = found[name]
    return found


@pytest.fixture
def complaints(document: Json) -> Callable[[Json, Any], list[str]]:
    """``complaints(schema, value)``: what the document has against a value."""

    def validate(schema: Json, value: Any) -> list[str]:
        whole = {**schema, "components": document["components"]}
        return [
            error.message for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
        ]

    return validate


@pytest.fixture
def fits(document: Json, complaints: Callable[[Json, Any], list[str]]) -> Callable[[str, str, HttpResponse], None]:
    """``fits("post", "/access/check", answer)``: status, type and body are what the document says, and no key more."""

    def judge(method: str, path: str, answer: HttpResponse) -> None:
        described = resolved(document, document["paths"][path][method]["responses"][str(answer.status_code)])
        assert answer["Content-Type"] == "application/json"
        body, schema = answer.json(), described["content"]["application/json"]["schema"]
        assert complaints(schema, body) == []
        if "$ref" in schema:
            # What must be there the schema itself requires.
            assert set(body) <= set(resolved(document, schema)["properties"])
        for name in described.get("headers", {}).keys() & {"WWW-Authenticate"}:
            assert name in answer

    return judge
