"""The document itself: made once, and the same whatever the host's own drf-spectacular settings say."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings

from licenzy_django import __version__
from licenzy_django.api.schema.answers import ERROR_REF, TEXT, Json, error_schema
from licenzy_django.api.schema.operations import OPERATIONS

UNPATCHABLE = {"DEFAULT_GENERATOR_CLASS"}
SETTINGS: Json = {
    # The defaults, so that a host's own settings change nothing; those about serving cannot be set here.
    **{name: value for name, value in SPECTACULAR_DEFAULTS.items() if name not in UNPATCHABLE and name[:6] != "SERVE_"},
    "TITLE": "Licenzy",
    "DESCRIPTION": "Checkout, access and usage for the servers of one company. JSON in, JSON out; times are UTC.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "TAGS": [{"name": name} for name in ("Buying", "Changing", "Access", "Usage", "Seats", "Stripe")],
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
# What can be done with a reservation.
LINKS: Json = {
    name: {"operationId": name, "requestBody": {"reservation_id": "$response.body#/reservation_id"}}
    for name in ("confirmUsage", "releaseUsage")
}
WEBHOOK: Json = {
    "operationId": "stripeWebhook",
    "summary": "Called by Stripe only",
    "description": "The signature is verified against every configured secret before anything is read.",
    "tags": ["Stripe"],
    "security": [],
    "parameters": [{"name": "Stripe-Signature", "in": "header", "required": True, "schema": TEXT}],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "description": "A Stripe event."}}},
    },
    "responses": {
        "200": {
            "description": "Kept: processed, or ignored on purpose.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"received": {"type": "boolean"}, "status": TEXT},
                        "required": ["received", "status"],
                    },
                    "example": {"received": True, "status": "processed"},
                }
            },
        },
        **{
            status: {"description": description, "content": {"application/json": {"schema": ERROR_REF}}}
            for status, description in {
                "400": "Stripe did not sign it.",
                "500": "It could not be handled, and has to come again.",
                "503": "It cannot be handled now, and has to come again.",
            }.items()
        },
    },
}
ONLY_WHEN_ASKED = ("limit", "remaining")
"""What an access check answers to a question about a limit alone."""
lock = threading.Lock()


class Generator(SchemaGenerator):
    """Of our operations, without a look at the URLs of the project."""

    def _initialise_endpoints(self) -> None:
        self.endpoints: Any = [
            (each.path, each.path, each.method.upper(), each.described_view().as_view()) for each in OPERATIONS
        ]


@lru_cache(maxsize=1)
def paths_and_components() -> Json:
    """drf-spectacular keeps its settings for the whole process: they are changed once, and behind a lock."""
    with lock, patched_settings(SETTINGS):
        made: Json = Generator().get_schema(request=None, public=True)
    for name, body in made["components"]["schemas"].items():
        is_answer = "additionalProperties" not in body
        if is_answer:  # which always has all of its keys
            asked_for = ONLY_WHEN_ASKED if name == "AccessCheckResponse" else ()
            body["required"] = [key for key in body["properties"] if key not in asked_for]
        for shape in body["properties"].values():
            shape.pop("x-spec-enum-id", None)
            if is_answer:
                leave_open(shape)
    share_errors(made)
    made["paths"]["/usage/reserve"]["post"]["responses"]["201"]["links"] = LINKS
    made["paths"]["/webhooks/stripe"] = {"post": WEBHOOK}
    return made


def leave_open(shape: Json) -> None:
    """A closed list of values would break a client when one is added."""
    values = shape.pop("enum", None)
    if values:
        shape["description"] = f"Known today: {', '.join(str(value) for value in values if value is not None)}."


def share_errors(made: Json) -> None:
    """One schema for every error, and one response for each status, which operations refer to."""
    shared: dict[str, Json] = {}
    for methods in made["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status < "400":
                    continue
                named = shared.setdefault(f"Error{status}", response)
                content = response["content"]["application/json"]
                named["content"]["application/json"].setdefault("examples", {}).update(content.get("examples", {}))
                named.setdefault("headers", {}).update(response.get("headers", {}))
                operation["responses"][status] = {"$ref": f"#/components/responses/Error{status}"}
    codes = {
        example["value"]["error"]: None
        for response in shared.values()
        for example in response["content"]["application/json"]["examples"].values()
    }
    made["components"]["schemas"]["Error"] = error_schema(list(codes))
    made["components"]["responses"] = dict(sorted(shared.items()))


def document(root: str) -> Json:
    """The OpenAPI document of the API that is mounted at ``root`` (``/v1``)."""
    return {**paths_and_components(), "servers": [{"url": root}]}


# Stands for the address of the server in a rendered document, in both formats without quotes of its own.
ROOT = "LICENZY_ROOT"


@lru_cache(maxsize=2)
def template(name: str) -> str:
    """Rendered once a process, since YAML takes long and everybody may ask."""
    if name == "json":
        return json.dumps(document(ROOT)).replace(f'"{ROOT}"', ROOT)
    import yaml

    return yaml.safe_dump(document(ROOT), sort_keys=False, allow_unicode=True, width=120)


def rendered(name: str, root: str) -> str:
    """The document as ``json`` or ``yaml``; a text of JSON is one of YAML too."""
    return template(name).replace(ROOT, json.dumps(root))
