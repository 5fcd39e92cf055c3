"""The document itself: made once, and the same whatever the host's own drf-spectacular is told."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings

from licenzy_django import __version__
from licenzy_django.api.schema.answers import TEXT, Json
from licenzy_django.api.schema.operations import OPERATIONS

UNPATCHABLE = {"DEFAULT_GENERATOR_CLASS"}
SETTINGS: Json = {
    # The defaults, so that a host's own settings change nothing; those about serving cannot be set here.
    **{name: value for name, value in SPECTACULAR_DEFAULTS.items() if name not in UNPATCHABLE and name[:6] != "SERVE_"},
    "TITLE": "Licenzy",
    "DESCRIPTION": "Checkout, access and usage for the servers of one company. JSON in, JSON out; times are UTC.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "TAGS": [{"name": name} for name in ("Buying", "Access", "Usage", "Stripe")],
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
ERROR: Json = {
    "type": "object",
    "properties": {"error": TEXT, "message": TEXT},
    "required": ["error", "message"],
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
            status: {"description": description, "content": {"application/json": {"schema": ERROR}}}
            for status, description in {
                "400": "Stripe did not sign it.",
                "500": "It could not be handled, and has to come again.",
                "503": "It cannot be handled now, and has to come again.",
            }.items()
        },
    },
}
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
    for body in made["components"]["schemas"].values():
        if "additionalProperties" not in body:  # an answer always has all of its keys
            body["required"] = list(body["properties"])
        for shape in body["properties"].values():
            shape.pop("x-spec-enum-id", None)
    made["paths"]["/usage/reserve"]["post"]["responses"]["201"]["links"] = LINKS
    made["paths"]["/webhooks/stripe"] = {"post": WEBHOOK}
    return made


def document(root: str) -> Json:
    """The OpenAPI document of the API that is mounted at ``root`` (``/v1``)."""
    return {**paths_and_components(), "servers": [{"url": root}]}
