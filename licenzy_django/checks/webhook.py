"""Whether Stripe's requests reach the webhook, and nobody asks them for a login or a CSRF token."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import NoReverseMatch, Resolver404, resolve

from licenzy_django.webhooks import routes
from licenzy_django.webhooks.views import MAX_BODY_BYTES, stripe_webhook

DJANGOS_LOGIN_MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@register("licenzy", Tags.urls)
def check_webhook_url(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not getattr(settings, "ROOT_URLCONF", None) or webhook_path():
        return []
    return [
        Warning(
            "The webhook has no URL: Stripe cannot tell who paid.",
            hint='path("v1/", include("licenzy_django.urls")) in your urls.py.',
            id="licenzy.W007",
        )
    ]


def webhook_path() -> str:
    try:
        return routes.webhook_path()
    except NoReverseMatch:
        return ""


@register("licenzy", Tags.urls)
def check_webhook_answers_itself(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    path = webhook_path() if getattr(settings, "ROOT_URLCONF", None) else ""
    if not path:
        return []
    answering = answering_view(path)
    if answering is stripe_webhook:
        return []
    if answering is not None and inspect.unwrap(answering) is inspect.unwrap(stripe_webhook):
        return [
            Warning(
                f"A decorator stands around the webhook ({path}): if it asks for a login, Stripe has none.",
                hint="Include licenzy_django.urls without decorators; the API has its own keys and the webhook its "
                "signature. If the decorator lets Stripe through, silence this.",
                id="licenzy.W041",
            )
        ]
    name = "nothing" if answering is None else f"{answering.__module__}.{answering.__qualname__}"
    return [
        Error(
            f"At the webhook's URL ({path}) answers {name}.",
            hint="Move the include of licenzy_django.urls before the pattern that takes its requests.",
            id="licenzy.E040",
        )
    ]


def answering_view(path: str) -> Callable[..., Any] | None:
    try:
        return resolve(path).func
    except Resolver404:
        return None


@register("licenzy", Tags.security)
def check_login_middleware(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Django's own knows ``login_not_required``, which our views have; others have lists of their own."""
    return [
        Warning(
            f"{middleware} may send Stripe, and the clients of the API, to a login page.",
            hint="Exempt the path of licenzy_django.urls in that middleware's settings and silence this, or use "
            "Django's own LoginRequiredMiddleware.",
            id="licenzy.W042",
        )
        for middleware in settings.MIDDLEWARE
        if middleware.rpartition(".")[2] == "LoginRequiredMiddleware" and middleware != DJANGOS_LOGIN_MIDDLEWARE
    ]


@register("licenzy", Tags.compatibility)
def check_body_size(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is None or limit >= MAX_BODY_BYTES:
        return []
    return [
        Warning(
            f"DATA_UPLOAD_MAX_MEMORY_SIZE is {limit}: a longer event of Stripe's would be refused for ever.",
            hint=f"At least {MAX_BODY_BYTES}; Django's default is 2621440.",
            id="licenzy.W043",
        )
    ]
