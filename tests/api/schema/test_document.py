"""The document is complete, correct in itself, and the same for every host."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.validation import validate_schema

from licenzy_django import exceptions, urls
from licenzy_django.api.schema.document import paths_and_components
from licenzy_django.api.serializers import RequestSerializer
from tests.api.schema.conftest import Json, resolved
from tests.backend import Backend

pytestmark = pytest.mark.slow

Complaints = Callable[[Json, Any], list[str]]
CONTRACT = """
    invalid_request idempotency_key_missing idempotency_key_invalid missing_bearer_token invalid_api_key
    product_not_found no_billing_account insufficient_usage already_subscribed idempotency_key_in_use
    checkout_session_expired idempotency_key_reused reservation_not_found reservation_closed throttled stripe_error
    stripe_unavailable mode_not_configured database_unavailable no_subscription change_pending change_expired
    not_changeable consumption_not_found limit_reached unit_required
"""


def operations(document: Json) -> list[tuple[str, str, Json]]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def test_it_is_a_valid_openapi_document(document: Json) -> None:
    validate_schema(document)
    assert document["openapi"] == "3.1.0"


def test_every_url_is_described(document: Json) -> None:
    routed = {str(each.pattern) for each in urls.urlpatterns} - {r"^schema/?\Z"}
    described = {re.sub(r"\{.*", "", path).strip("/") for path in document["paths"]}
    assert {re.match(r"\^([a-z/-]+[a-z])", regex)[1] for regex in routed} == described  # type: ignore[index]


def test_every_code_of_the_contract_is_there_and_no_other(document: Json) -> None:
    described = document["components"]["schemas"]["Error"]["properties"]["error"]["description"]
    examples = [
        example["value"]["error"]
        for response in document["components"]["responses"].values()
        for example in response["content"]["application/json"]["examples"].values()
    ]
    assert set(examples) == set(CONTRACT.split())
    assert set(re.findall(r"[a-z]+_[a-z_]+|throttled", described)) == set(CONTRACT.split())


def test_every_error_has_one_form(document: Json) -> None:
    """A generated client has one class for errors, not one for each operation and status."""
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                content = resolved(document, response)["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Error"}
                is_ours = operation["operationId"] != "stripeWebhook"
                assert ("$ref" in response) == is_ours


def test_no_answer_has_a_closed_list_of_values(document: Json) -> None:
    for name, schema in document["components"]["schemas"].items():
        if "additionalProperties" not in schema:
            assert "enum" not in json.dumps(schema), name


def test_it_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Client().get("/v1/schema?format=yaml")
    monkeypatch.setattr(yaml, "safe_dump", None)
    assert Client().get("/v1/schema?format=yaml").status_code == 200


def test_every_error_has_an_example_with_its_own_sentence(document: Json) -> None:
    sentences = {kind.code: kind.message for kind in vars(exceptions).values() if hasattr(kind, "code")}
    for _, _, operation in operations(document):
        for status, response in ((s, resolved(document, r)) for s, r in operation["responses"].items()):
            for example in response["content"]["application/json"].get("examples", {}).values():
                body = example["value"]
                if status >= "400" and body["error"] in sentences:
                    assert body["message"] == sentences[body["error"]]


def test_every_example_fits_its_own_schema(document: Json, complaints: Complaints) -> None:
    seen = 0
    for path_, _, operation in operations(document):
        bodies = [
            *(resolved(document, each) for each in operation["responses"].values()),
            *filter(None, [operation.get("requestBody")]),
        ]
        for content in (body["content"]["application/json"] for body in bodies):
            for example in content.get("examples", {}).values():
                seen += 1
                assert complaints(content["schema"], example["value"]) == [], path_
    assert seen > 60


def test_only_the_key_of_the_server_opens_it_except_for_the_webhook(document: Json) -> None:
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for path_, _, operation in operations(document):
        assert operation["security"] == ([] if "webhooks" in path_ else [{"apiKey": []}])


def test_what_needs_an_idempotency_key_says_so_and_tells_of_replays(document: Json) -> None:
    keyed = {
        path_
        for path_, _, operation in operations(document)
        if any(each["name"] == "Idempotency-Key" and each["required"] for each in operation.get("parameters", []))
    }
    assert keyed == {
        "/checkout/session",
        "/subscription/change",
        "/subscription/cancel",
        "/subscription/resume",
        "/usage/consume",
        "/usage/reserve",
        "/usage/refund",
    }
    for path_ in keyed:
        success = next(status for status in document["paths"][path_]["post"]["responses"] if status < "300")
        assert "Idempotent-Replayed" in document["paths"][path_]["post"]["responses"][success]["headers"]


TEXTS = [
    "user_1", "a", "a b", "org:acme/eu", "ü", "", " a", "a ", "/a", "a/", "a\nb", "a\x7f", "\x85a", "\xa0a", "a" * 255,
    "a" * 256, 5, None, True, "a\0b",
]  # fmt: skip
NUMBERS = [1, 0, -1, 999_999, 1_000_000, 1_000_000_000, 1_000_000_001, 86_400, 86_401, "1", 1.5, True, None]
VALUES = {
    "product_code": [*TEXTS[:6], "a" * 64, "a" * 65, 5, None, "a\0b"],
    "feature": [*TEXTS[:6], "a" * 100, "a" * 101, 5, None, "a\0b"],
    "reservation_id": [*TEXTS[:6], "a" * 40, "a" * 41, 5, None, "a\0b"],
    "subject_ref": TEXTS,
    "quantity": NUMBERS,
    "units": NUMBERS,
    "ttl_seconds": NUMBERS,
    "to_product_code": [*TEXTS[:6], "a" * 64, "a" * 65, 5, None, "a\0b"],
    "when": ["now", "period_end", "", "later", 5, None],
    "add": [{}, {"MORE": 2}, {"MORE": 0}, {"MORE": "2"}, {"MORE": None}, [], "MORE", None],
    "change_token": ["a", "", "a" * 1000, "a" * 1001, 5, None],
    "consumption_key": [*TEXTS[:6], "a" * 256, 5, None, "a\0b"],
    "reason": ["a", "", "a" * 500, "a" * 501, 5, None, "a\0b"],
    "unknown": ["x"],
}
GOOD = {
    "subject_ref": "user_1",
    "product_code": "PRO",
    "units": 1,
    "reservation_id": "res_1",
    "consumption_key": "k",
    "reason": "it failed",
}


@pytest.mark.parametrize("serializer", RequestSerializer.__subclasses__(), ids=lambda each: each.__name__)
def test_a_request_body_fits_exactly_if_we_take_it(
    document: Json, complaints: Complaints, serializer: type[RequestSerializer]
) -> None:
    schema = document["components"]["schemas"][serializer.__name__]
    good = {name: value for name, value in GOOD.items() if name in schema["required"]}
    bodies = [good, {}, *({**good, name: value} for name, values in VALUES.items() for value in values)]
    bodies += [{name: value for name, value in good.items() if name != left_out} for left_out in good]
    for body in bodies:
        assert serializer(data=body).is_valid() == (complaints(schema, body) == []), body


def test_access_check_takes_exactly_the_bodies_that_fit(
    document: Json, complaints: Complaints, backend: Backend
) -> None:
    schema = document["components"]["schemas"]["AccessCheckRequest"]
    good = {"subject_ref": "user_1"}
    bodies = [good, {}, *({**good, name: value} for name, values in VALUES.items() for value in values)]
    for body in bodies:
        status = 400 if complaints(schema, body) else 200
        assert backend.post("access/check", body).status_code == status, body


def test_it_knows_where_it_is_mounted(document: Json, settings: Any) -> None:
    assert document["servers"] == [{"url": "/v1"}]
    settings.ROOT_URLCONF = "tests.api.schema.mounted_elsewhere"
    assert Client().get("/billing/api/schema/").json()["servers"] == [{"url": "/billing/api"}]


@pytest.mark.parametrize("asked", [{"query": "?format=yaml"}, {"headers": {"Accept": "application/yaml"}}])
def test_yaml_for_those_who_ask(document: Json, asked: Any) -> None:
    answer = Client().get("/v1/schema" + asked.get("query", ""), headers=asked.get("headers"))
    assert answer["Content-Type"] == "application/yaml"
    assert yaml.safe_load(answer.content) == document


def test_it_is_open_behind_a_login_middleware(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert Client().get("/v1/schema").status_code == 200
    assert Client().post("/v1/schema").status_code == 405


def test_a_hosts_own_drf_spectacular_neither_changes_it_nor_is_changed(
    document: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectacular_settings, "TITLE", "The host's API")
    monkeypatch.setattr(spectacular_settings, "CAMELIZE_NAMES", True)
    paths_and_components.cache_clear()
    assert Client().get("/v1/schema").json() == document
    assert spectacular_settings.TITLE == "The host's API"
    paths_and_components.cache_clear()


def test_a_hosts_own_document_describes_us_too(document: Json) -> None:
    made = SchemaGenerator(patterns=[path("v1/", include(urls))]).get_schema(public=True)
    consume = made["paths"]["/v1/usage/consume/"]["post"]
    assert not GENERATOR_STATS, "drf-spectacular had to guess"
    assert consume["operationId"] == "consumeUsage"
    assert consume["responses"].keys() == document["paths"]["/usage/consume"]["post"]["responses"].keys()


def test_a_hosts_own_document_describes_both_methods_of_a_seat() -> None:
    made = SchemaGenerator(patterns=[path("v1/", include(urls))]).get_schema(public=True)
    seat = made["paths"]["/v1/members/{subject_ref}/{member_ref}/"]
    names = {method: operation["operationId"] for method, operation in seat.items()}
    assert names == {"put": "assignSeat", "delete": "releaseSeat"}
    assert made["paths"]["/v1/members/{subject_ref}/"].keys() == {"get"}


WITHOUT = """
import sys
sys.modules["drf_spectacular"] = None
import django
django.setup()
from django.urls import NoReverseMatch, reverse
assert reverse("licenzy:access-check") == "/v1/access/check"
try:
    print(reverse("licenzy:schema"))
except NoReverseMatch:
    print("no schema")
"""


def test_without_drf_spectacular_all_works_but_the_schema() -> None:
    command = [sys.executable, "-W", "error", "-c", WITHOUT]
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": "."}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("no schema\n", "")


def test_making_us_does_not_import_it() -> None:
    asked = "import sys, django; django.setup(); import licenzy_django.urls; print('drf_spectacular' in sys.modules)"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    assert done.stdout == "False\n"
