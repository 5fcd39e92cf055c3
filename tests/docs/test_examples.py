"""What the pages show, run: snippets, requests, a shop. What is a whole project runs in test_host.py."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import path as route
from django.utils import timezone

from licenzy_django.models import ApiKey, Kind
from licenzy_django.outbound.signing import headers_of, new_secret
from licenzy_django.testing import StripeDouble
from tests.docs.pages import BLOCKS, PAGES, Block, Page, page

pytestmark = [pytest.mark.once, pytest.mark.django_db]
SNIPPETS = [block for block in BLOCKS if block.language == "python" and not block.file]
PAGES_WITH_REQUESTS = [each for each in PAGES if list(each.requests())]


@pytest.fixture
def shop(stripe_double: StripeDouble) -> StripeDouble:
    """Sells what the pages speak of. user_123 has units."""
    stripe_double.sell("PRO_MONTHLY", features=["export"])
    stripe_double.sell("MAX_MONTHLY", amount=4900)
    stripe_double.sell("CREDITS_1000", kind=Kind.USAGE_PACK, units=1000)
    stripe_double.buy("user_123", "CREDITS_1000")
    return stripe_double


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: block.place)
def test_every_snippet_runs(block: Block, shop: StripeDouble, rf: RequestFactory) -> None:
    ada, admin = User.objects.create(username="ada"), User.objects.create(username="admin")
    request = rf.get("/")
    request.user = ada
    shop.buy(ada, "CREDITS_1000")

    exec(compile(block.text, block.place, "exec"), {"user": ada, "admin": admin, "request": request})


@pytest.mark.parametrize("each", PAGES_WITH_REQUESTS, ids=lambda each: each.name)
def test_every_request_gets_the_answer_that_is_shown(each: Page, shop: StripeDouble, client: Client) -> None:
    _, key = ApiKey.objects.issue("test", "shop-backend")
    for block, (_, *words), shown in each.requests():
        answer = sent(client, words, key)

        assert answer.status_code in (200, 201), (block.place, answer.json())
        if "checkout_url" in answer.json():
            shop.pay(answer.json()["checkout_url"])
        if shown:
            assert sorted(answer.json()) == sorted(json.loads(shown)), block.place


def sent(client: Client, words: list[str], key: str) -> Any:
    """What curl would send."""
    headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
    headers["Authorization"] = headers["Authorization"].replace("$LICENZY_KEY", key)
    [url] = [urlsplit(word) for word in words if word.startswith("http")]
    path = f"{url.path}?{url.query}"
    if "-d" not in words:
        return client.get(path, headers=headers)
    kind = headers.pop("Content-Type")
    return client.post(path, words[words.index("-d") + 1], content_type=kind, headers=headers)


@pytest.fixture
def followed(stripe_double: StripeDouble, settings: Any) -> StripeDouble:
    """ "Adding it to a project", in this process."""
    files = page("docs/adding-to-a-project.md").files()
    names = ["mysite", "mysite.shop", "mysite.shop.views", "mysite.shop.urls", "config", "config.urls"]
    for name in names:
        sys.modules[name] = ModuleType(name)
    sys.modules["mysite.shop"].views = sys.modules["mysite.shop.views"]  # type: ignore[attr-defined]
    sys.modules["config.urls"].urlpatterns = [route("admin/", admin.site.urls)]  # type: ignore[attr-defined]
    try:
        for name in ("mysite.shop.views", "mysite.shop.urls", "config.urls"):
            exec(files[f"{name.replace('.', '/')}.py"], sys.modules[name].__dict__)
        settings.ROOT_URLCONF = "config.urls"
        settings.LOGIN_URL = "admin:login"
        [engine] = settings.TEMPLATES
        pages = {name.removeprefix("templates/"): text for name, text in files.items() if name.endswith(".html")}
        loaders = [
            ("django.template.loaders.locmem.Loader", pages),
            "django.template.loaders.app_directories.Loader",
        ]
        settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": {**engine["OPTIONS"], "loaders": loaders}}]
        yield stripe_double
    finally:
        for name in names:
            del sys.modules[name]


def test_the_shop_of_the_page_sells(followed: StripeDouble, client: Client) -> None:
    followed.sell("PRO_MONTHLY")
    client.force_login(User.objects.create(username="ada"))
    assert client.get("/members/").url == "/pricing/?next=/members/"
    form = client.get("/pricing/").context["token"]

    paying = client.post("/buy/", {"product_code": "PRO_MONTHLY", "token": form}).url
    twice = client.post("/buy/", {"product_code": "PRO_MONTHLY", "token": form}).url
    session = followed.session(paying)
    back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])

    assert twice == paying
    assert b"Confirming your payment" in client.get(back).content
    followed.pay(paying)
    assert b"Pro" not in client.get(back).content or b"switched on" in client.get(back).content
    assert client.get("/members/").content == b"You are in."
    assert b"You have Pro." in client.get("/pricing/").content
    assert b"Renews on" in client.get("/account/").content
    assert client.post("/billing/").url.startswith("http")


def test_the_template_tags_of_the_page_render(shop: StripeDouble, rf: RequestFactory) -> None:
    [block] = [block for block in page("docs/gating.md").blocks if block.language == "html"]
    request = rf.get("/")
    request.user = User.objects.create(username="ada")
    shop.buy(request.user, "PRO_MONTHLY")
    shop.buy(request.user, "CREDITS_1000")

    shown = Template(block.text).render(Context({"request": request}))

    assert "Welcome back." in shown
    assert "Export" in shown
    assert "1000 units left, 1000 of them credits." in shown


def test_the_receiver_of_the_page_takes_what_we_sign(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, body = new_secret(), b'{"type": "entitlement.updated", "data": {"subject_ref": "user_123"}}'
    monkeypatch.setitem(os.environ, "LICENZY_WEBHOOK_SECRET", secret)
    receiver: dict[str, Any] = {}
    exec(page("docs/outbound-webhooks.md").files()["receiver/views.py"], receiver)

    def answer_to(headers: dict[str, str]) -> int:
        request = rf.post("/", body, content_type="application/json", headers=headers)
        status: int = receiver["licenzy_event"](request).status_code
        return status

    assert answer_to(headers_of("evt_1", body, [secret], at=timezone.now())) == 204
    assert answer_to(headers_of("evt_1", body, [new_secret()], at=timezone.now())) == 400


@pytest.mark.parametrize("name", ["docs/adding-to-a-project.md", "docs/gating.md"])
def test_the_subject_functions_of_the_pages_answer(name: str, rf: RequestFactory) -> None:
    functions: dict[str, Any] = {}
    exec(page(name).files()["mysite/billing.py"], functions)
    request = rf.get("/")
    request.user, request.session = User.objects.create(username="ada"), {"organisation": "acme"}  # type: ignore[assignment]
    request.organisation = type("Organisation", (), {"slug": "acme"})()  # type: ignore[attr-defined]

    assert functions["organisation_of"](request) == "org:acme"


@pytest.mark.parametrize("name", ["test_a_year_of_months", "test_money_that_goes_back"])
def test_the_tests_of_the_page_on_allowances_pass(name: str, stripe_double: StripeDouble) -> None:
    functions: dict[str, Any] = {}
    exec(page("docs/allowances.md").files()["test_allowance.py"], functions)

    functions[name](stripe_double)
