"""What we send to Stripe has the shape that the installed package and Stripe's published document say."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from licenzy_django import billing_portal, checkout
from licenzy_django.conf import STRIPE_API_VERSION
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble
from tests.contract.openapi import as_json_schema, document
from tests.contract.typed_params import assert_valid_params

KINDS = {"subscription": "PRO_MONTHLY", "time_pass": "WEEK_PASS", "usage_pack": "CREDITS"}
OPERATIONS = {
    "/v1/customers": "customers.create",
    "/v1/checkout/sessions": "checkout.sessions.create",
    "/v1/billing_portal/sessions": "billing_portal.sessions.create",
}
LONGEST = "🙂" * 255


@pytest.fixture
def sent(stripe_double: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every operation and its parameters as they left our hands, for one checkout of each kind and a portal."""
    calls: list[tuple[str, dict[str, Any]]] = []
    for kind, code in KINDS.items():
        stripe_double.sell(code, kind=kind)
    note_params(monkeypatch, calls)
    for number, code in enumerate(KINDS.values()):
        checkout.start(LONGEST, code, idempotency_key=str(number), quantity=number + 1, customer_email="a@b.example")
    billing_portal.session_url(LONGEST)
    return calls


def note_params(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[str, dict[str, Any]]]) -> None:
    stripe_client = client.client("test")
    for operation in OPERATIONS.values():
        *path, verb = operation.split(".")
        service: Any = stripe_client.v1
        for name in path:
            service = getattr(service, name)
        monkeypatch.setattr(type(service), verb, noting(operation, getattr(type(service), verb), calls))


def noting(operation: str, original: Any, calls: list[tuple[str, dict[str, Any]]]) -> Any:
    def call(self: Any, params: dict[str, Any], options: Any = None) -> Any:
        calls.append((operation, params))
        return original(self, params, options)

    return call


def test_the_stripe_package_knows_every_parameter(sent: list[tuple[str, dict[str, Any]]]) -> None:
    assert {operation for operation, _ in sent} == set(OPERATIONS.values())
    for operation, params in sent:
        assert_valid_params(operation, params)


def test_the_published_document_knows_every_parameter(sent: list[tuple[str, dict[str, Any]]]) -> None:
    path_of = {operation: path for path, operation in OPERATIONS.items()}
    for operation, params in sent:
        form = document()["paths"][path_of[operation]]["post"]["requestBody"]["content"]
        schema = closed(as_json_schema(form["application/x-www-form-urlencoded"]["schema"]))

        problems = [f"{p.json_path}: {p.message[:200]}" for p in Draft202012Validator(schema).iter_errors(params)]

        assert not problems, (operation, problems)


def closed(schema: Any) -> Any:
    """Stripe's document leaves nested objects open; Stripe refuses unknown parameters at any depth."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {name: closed(entry) for name, entry in schema.items()}
    if "properties" in schema and not schema.get("additionalProperties"):
        shut["additionalProperties"] = False
    return shut


def test_each_kind_says_who_it_is_for_in_every_object_that_stripe_makes_of_it(
    sent: list[tuple[str, dict[str, Any]]],
) -> None:
    sessions = [params for operation, params in sent if operation == "checkout.sessions.create"]

    assert [params["mode"] for params in sessions] == ["subscription", "payment", "payment"]
    for params in sessions:
        inner = params.get("subscription_data") or params.get("payment_intent_data")
        assert params["metadata"] == inner["metadata"] == {"licenzy_attempt": params["client_reference_id"]}
        assert "customer_email" not in params
        assert len(params["client_reference_id"]) <= 200


def test_every_request_names_the_version_and_carries_no_telemetry(stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.buy("user_1", "PRO_MONTHLY")

    assert stripe_double.requests
    for request in stripe_double.requests:
        assert request.headers["stripe-version"] == STRIPE_API_VERSION
        assert "x-stripe-client-telemetry" not in request.headers
        assert request.idempotency_key or request.method == "GET"
