"""Stripe's published OpenAPI document, the subset of it that we need, as JSON Schema.

The document is not ours to ship. It is looked for beside the repository, or where LICENZY_STRIPE_OPENAPI says. In CI
(the variable CI is set) its absence is a failure; elsewhere the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

Json = dict[str, Any]
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "stripe-openapi" / "stripe.subset.json"

# What an answer of each path is: the schema's name, or a list of them.
ANSWERS: dict[tuple[str, str], tuple[str, bool]] = {
    ("post", "/v1/checkout/sessions"): ("checkout.session", False),
    ("get", "/v1/checkout/sessions"): ("checkout.session", True),
    ("get", "/v1/checkout/sessions/{session}"): ("checkout.session", False),
    ("post", "/v1/checkout/sessions/{session}/expire"): ("checkout.session", False),
    ("get", "/v1/checkout/sessions/{session}/line_items"): ("item", True),
    ("post", "/v1/customers"): ("customer", False),
    ("get", "/v1/customers/{customer}"): ("customer", False),
    ("post", "/v1/billing_portal/sessions"): ("billing_portal.session", False),
    ("get", "/v1/subscriptions"): ("subscription", True),
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): ("subscription", False),
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): ("subscription", False),
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): ("subscription", False),
    ("get", "/v1/invoices/{invoice}"): ("invoice", False),
    ("get", "/v1/invoice_payments"): ("invoice_payment", True),
    ("get", "/v1/charges/{charge}"): ("charge", False),
    ("get", "/v1/payment_intents/{intent}"): ("payment_intent", False),
    ("get", "/v1/refunds"): ("refund", True),
    ("post", "/v1/refunds"): ("refund", False),
    ("get", "/v1/refunds/{refund}"): ("refund", False),
    ("get", "/v1/disputes"): ("dispute", True),
    ("get", "/v1/disputes/{dispute}"): ("dispute", False),
    ("get", "/v1/events"): ("event", True),
    ("get", "/v1/events/{id}"): ("event", False),
    ("get", "/v1/prices/{price}"): ("price", False),
}


@cache
def document() -> Json:
    place = Path(os.environ.get("LICENZY_STRIPE_OPENAPI") or BESIDE)
    if not place.is_file():
        message = f"Stripe's OpenAPI document is not at {place}; set LICENZY_STRIPE_OPENAPI to where it is."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(f"THE SIMULATOR'S ANSWERS ARE NOT CHECKED: {message}")
    found: Json = json.loads(place.read_text())
    return found


def problems_with(answer: Json, schema: str, *, listed: bool = False) -> list[str]:
    """What is wrong with an object of Stripe's, or with a list of them; empty where it has the published shape."""
    things = answer["data"] if listed else [answer]
    found = [f"{schema}: {problem.json_path}: {problem.message[:300]}" for thing in things
             for problem in _validator(schema).iter_errors(thing)]  # fmt: skip
    if listed:
        frame = {"object": answer.get("object"), "has_more": answer.get("has_more"), "url": answer.get("url")}
        if frame["object"] != "list" or not isinstance(frame["has_more"], bool) or not isinstance(frame["url"], str):
            found.append(f"not a list: {frame}")
    return found


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": _definitions()})


@cache
def _definitions() -> Json:
    return {name: as_json_schema(schema) for name, schema in document()["components"]["schemas"].items()}


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: ``nullable`` becomes a null beside the rest; open enumerations lose their values."""
    if isinstance(schema, list):
        return [as_json_schema(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        name: {key: as_json_schema(value) for key, value in inner.items()}
        if name == "properties"
        else as_json_schema(inner)
        for name, inner in schema.items()
        if name not in ("nullable", "enum", "$ref")
    }
    if "enum" in schema and not schema.get("x-stripeBypassValidation"):
        converted["enum"] = schema["enum"]
    if "$ref" in schema:
        converted["$ref"] = schema["$ref"].replace("#/components/schemas/", "#/$defs/")
    return {"anyOf": [{"type": "null"}, converted]} if schema.get("nullable") is True else converted
