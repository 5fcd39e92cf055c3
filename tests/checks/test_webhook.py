"""Whether Stripe's requests arrive."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import clear_url_caches, include, path, re_path, set_urlconf

from licenzy_django import urls
from licenzy_django.webhooks.views import stripe_webhook


@pytest.fixture
def routed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``routed(path(…), …)``: the host's URLs, from now on."""

    def route(*patterns: Any) -> None:
        module = ModuleType("urls_of_the_host")
        module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        settings.ROOT_URLCONF = module.__name__
        clear_url_caches()
        set_urlconf(None)

    yield route
    clear_url_caches()


def page(request: HttpRequest, rest: str = "") -> HttpResponse:
    raise NotImplementedError


def test_w007_a_webhook_without_a_url(routed: Any, ids: Any) -> None:
    routed(path("", page))
    assert "licenzy.W007" in ids()


def test_e040_a_pattern_that_takes_the_webhooks_requests(routed: Any, found: Any) -> None:
    routed(re_path(r"^(?P<rest>.*)$", page), path("v1/", include(urls)))
    [message] = found()
    assert (message.id, f"{__name__}.page" in message.msg, "/v1/webhooks/stripe" in message.msg) == (
        "licenzy.E040",
        True,
        True,
    )


def test_w041_a_decorator_around_the_webhook(routed: Any, found: Any) -> None:
    guarded = login_required(stripe_webhook)
    patterns = [re_path(r"^webhooks/stripe\Z", guarded, name="stripe-webhook")]
    routed(path("v1/", include((patterns, "licenzy"))))
    assert "licenzy.W041" in [message.id for message in found()]


def test_the_ordinary_include_hears_nothing(routed: Any, ids: Any) -> None:
    routed(path("v1/", include(urls)), re_path(r"^(?P<rest>.*)$", page))
    assert ids() == []


@pytest.mark.parametrize("included", [include((urls.urlpatterns, "licenzy")), include(urls, namespace="billing")])
def test_any_namespace_will_do(included: Any, routed: Any, ids: Any) -> None:
    routed(path("api/", include(([path("v1/", included)], "api"))))
    assert ids() == []


def test_a_route_of_its_own_will_do(routed: Any, ids: Any) -> None:
    routed(path("from-stripe", stripe_webhook))
    assert ids() == []


def test_w042_a_login_middleware_that_does_not_know_us(settings: Any, ids: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "stronghold.middleware.LoginRequiredMiddleware"]
    assert ids() == ["licenzy.W042"]


def test_djangos_own_login_middleware_knows_us(settings: Any, ids: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert ids() == []


def test_w043_long_events_would_be_refused(settings: Any, ids: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    assert ids() == ["licenzy.W043"]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert ids() == []
