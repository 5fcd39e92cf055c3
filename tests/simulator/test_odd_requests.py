"""Whatever is sent, the API answers in Stripe's form; never a 500, and never a traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from licenzy_django.simulator.api.front import Front, Request
from licenzy_django.simulator.api.params import fields_of, params_class
from licenzy_django.simulator.api.routes import ROUTES
from licenzy_django.simulator.api.simulated import known
from tests.simulator.conftest import Shop

SEEDS = range(12)
VALUES = [
    "",
    "x",
    "0",
    "-1",
    "1",
    "7",
    "true",
    "false",
    "now",
    "null",
    "[]",
    "{}",
    "9" * 18,
    "9" * 400,
    "-" + "9" * 18,
    "1.5",
    "NaN",
    "1e999",
    "Infinity",
    "²",
    "٣",
    "\x00",
    "\ud800",
    "\u202e",
    "usd",
    "eur",
    "pm_card_visa",
    "month",
    "é" * 600,
    "a@b.example",
    "https://x.example/",
    "card",
    "unbekannt",
    "' OR 1=1",
    "../..",
    "%00",
    "sub_1",
    "{CHECKOUT_SESSION_ID}",
]
BODIES = [
    b"\xff\xfe",
    b"\x00",
    b"a" * 100_000,
    b"a[" * 2_000,
    b"a" + b"[b]" * 3_000 + b"=1",
    b"=&=&=",
    b"&" * 20_000,
    b'{"email": "a"}',
    b"a=1&a[b]=2",
    b"a[b]=2&a=1",
    b"a[]=1&a[x]=2",
    b"[a]=1",
    b"]=1",
    b"metadata[]=1",
    b"metadata[a][b]=1",
    b"metadata=1",
    b"expand=1",
    b"expand[]=",
    b"expand[]=..",
    b"expand[]=a.b.c.d.e.f",
    b"expand[0][x]=1",
    b"items[99999999999999999999999]=1",
    b"items[\xc2\xb2]=1",
    b"%",
    b"%zz=%zz",
    b"limit=abc",
    b"email=%00",
    b"a=" + b"%F0%9F%92%A3" * 5_000,
]
HEADERS = [
    {},
    {"authorization": ""},
    {"authorization": "Basic"},
    {"authorization": "Basic é"},
    {"authorization": "Basic ===="},
    {"authorization": "Bearer sk_test_1", "stripe-version": "yesterday"},
    {"authorization": "Bearer sk_test_1", "stripe-version": "2019-02-19"},
    {"authorization": "Bearer sk_test_1", "idempotency-key": "k" * 256},
    {"authorization": "Bearer sk_test_1", "idempotency-key": ""},
]
KEY = {"authorization": "Bearer sk_test_1"}


def ask(front: Front, method: str, path: str, form: str, headers: dict[str, str] = KEY) -> int:
    answer = front.handle(Request(method, path, form, headers))
    body = json.loads(answer.body)
    assert answer.status in (200, 400, 401, 402, 404, 409, 429), answer.body
    if answer.status != 200:
        assert set(body["error"]) >= {"type", "message"}, (method, path, form)
    return answer.status


@pytest.fixture
def front(shop: Shop) -> Front:
    shop.subscription()
    shop.bought()
    return Front(shop.simulator)


def known_ids(front: Front) -> list[str]:
    kinds = ("customer", "price", "product", "subscription", "invoice", "payment_intent", "charge", "checkout.session")
    return [thing["id"] for kind in kinds for thing in front.simulator.all(kind)]


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_values_for_known_parameters_are_refused_or_done(front: Front, seed: int) -> None:
    chance = random.Random(seed)
    ids = known_ids(front)
    for route in ROUTES:
        path = route.pattern.pattern.replace("(?P<id>[^/]+)", chance.choice([*ids, "nobody", "%00", "a%2Fb"]))
        names = list(paths(params_class(route.name)))
        wanted = [chance.choice(names) for _ in range(chance.randint(0, 6))] if names else []
        simulated = [name for name in names if name.partition("[")[0] in known(route.name)]
        wanted += [name for name in simulated if chance.random() < 0.5]
        form = "&".join(f"{quote(name)}={quote(chance.choice([*VALUES, *ids]), errors='replace')}" for name in wanted)
        ask(front, route.method, path, form)


def paths(params: Any, above: str = "", depth: int = 0) -> Iterator[str]:
    from tests.contract.test_every_parameter import object_in

    for name, (declared, _) in fields_of(params).items():
        path = f"{above}[{name}]" if above else name
        inner = object_in(declared)
        listed = "list" in str(declared)
        yield f"{path}[0]" if listed and not inner else path
        if inner and depth < 2:
            yield from paths(inner, f"{path}[0]" if listed else path, depth + 1)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_odd_bodies_are_refused(front: Front, body: bytes) -> None:
    for method, path in (("POST", "/v1/customers"), ("POST", "/v1/checkout/sessions"), ("GET", "/v1/prices")):
        ask(front, method, path, body.decode("utf-8", "replace"))


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_odd_headers_are_refused(front: Front, headers: dict[str, str]) -> None:
    ask(front, "POST", "/v1/customers", "", headers)


@pytest.mark.parametrize(
    "path", ["/v1/", "/v1", "/v2/core", "/v1/customers/", "/v1/customers/a/b/c", "/v1/%00", "/v1/custömers", "/v1//"]
)
def test_odd_paths_are_stripes_404(front: Front, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "TRACE"):
        assert ask(front, method, path, "") == 404


@pytest.mark.django_db
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_over_http_too(client: Client, body: bytes) -> None:
    answer = client.post(
        "/simulator/v1/customers",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": "Bearer sk_test_1"},
    )
    assert answer.status_code in (200, 400)
    assert answer["Content-Type"].startswith("application/json")
    assert answer.status_code == 200 or "message" in answer.json()["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["customers/%00", "customers/a%2Fb", "customers/" + "a" * 3_000, "caf%C3%A9", "%FF"])
def test_odd_paths_over_http_are_404(client: Client, path: str) -> None:
    answer = client.get(f"/simulator/v1/{path}", headers={"Authorization": "Bearer sk_test_1"})
    assert answer.status_code == 404
    assert "message" in answer.json()["error"]
