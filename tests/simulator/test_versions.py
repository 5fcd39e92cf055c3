"""A request is read and answered in the words of its own API version."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from licenzy_django.simulator.api.front import Front, Request
from tests.simulator.conftest import Json, Shop

DAHLIA, ENDIVE = "2026-08-26.dahlia", "2026-09-30.endive"
PAYMENT = {"amount": "2000", "currency": "eur", "payment_method_types[]": "card"}


def ask(front: Front, method: str, path: str, form: dict[str, Any], version: str = "") -> tuple[int, Json]:
    headers = {"authorization": "Bearer sk_test_1"} | ({"stripe-version": version} if version else {})
    answer = front.handle(Request(method, path, urlencode(form), headers))
    return answer.status, json.loads(answer.body)


def test_what_a_version_took_out_is_taken_from_older_requests_alone(shop: Shop) -> None:
    front = Front(shop.simulator)
    status, intent = ask(front, "POST", "/v1/payment_intents", PAYMENT, DAHLIA)
    assert (status, intent["payment_method_types"]) == (200, ["card"])
    status, answer = ask(front, "POST", "/v1/payment_intents", PAYMENT, ENDIVE)
    assert (status, answer["error"]["code"]) == (400, "parameter_unknown")


def test_a_request_without_a_version_is_of_the_accounts(shop: Shop) -> None:
    assert ask(Front(shop.simulator), "POST", "/v1/payment_intents", PAYMENT)[0] == 400
    assert ask(Front(shop.simulator, version=DAHLIA), "POST", "/v1/payment_intents", PAYMENT)[0] == 200


def test_what_a_version_renamed_is_known_by_its_old_name_before(shop: Shop) -> None:
    front, ref = Front(shop.simulator), shop.subscription()
    path, form = f"/v1/subscriptions/{ref}", {"billing_cycle_anchor": "unchanged", "metadata[a]": "1"}
    assert ask(front, "POST", path, form, DAHLIA)[0] == 200
    assert ask(front, "POST", path, form, ENDIVE)[1]["error"]["param"] == "billing_cycle_anchor"
    session = {"mode": "payment", "success_url": "https://x.example/", "line_items[0][price]": shop.pack["id"],
               "line_items[0][quantity]": "1", "ui_mode": "hosted"}  # fmt: skip
    status, made = ask(front, "POST", "/v1/checkout/sessions", session, "2026-01-28.clover")
    assert (status, made["ui_mode"]) == (200, "hosted")
    assert ask(front, "POST", "/v1/checkout/sessions", session, ENDIVE)[0] == 400


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("2019-02-19", "speaks Stripe's API from 2024-06-20 on, not 2019-02-19"),
        ("2099-01-01.zebra", "Invalid Stripe API version: 2099-01-01.zebra"),
        ("latest", "Invalid Stripe API version: latest"),
    ],
)
def test_a_version_that_it_does_not_speak_is_refused(shop: Shop, version: str, sentence: str) -> None:
    status, answer = ask(Front(shop.simulator), "GET", "/v1/prices", {}, version)
    assert status == 400
    assert sentence in answer["error"]["message"]
