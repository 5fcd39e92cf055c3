"""What can be known to be wrong before the first request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import NoReverseMatch, reverse

from licenzy_django.conf import SETTING_NAMES, licenzy_settings
from licenzy_django.models import Mode


@register(Tags.compatibility)
def check_setting_names(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    given = getattr(settings, "LICENZY", {})
    if not isinstance(given, dict):
        return [Error("LICENZY must be a dict.", hint="LICENZY = {…} in your settings.", id="licenzy.E001")]
    return [
        Error(
            f"LICENZY has a key {name!r} that does not exist.",
            hint=f"The keys are: {', '.join(sorted(SETTING_NAMES))}.",
            id="licenzy.E001",
        )
        for name in sorted(map(str, given.keys() - SETTING_NAMES))
    ]


@register(Tags.compatibility)
def check_basics(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not check_setting_names() and licenzy_settings().MODE not in Mode.values:
        found.append(
            Error(
                "LICENZY['MODE'] is neither 'test' nor 'live': nobody would have access.",
                hint="It is the mode of in-process checks.",
                id="licenzy.E006",
            )
        )
    if not settings.USE_TZ:
        found.append(
            Error("licenzy_django keeps its times in UTC and needs USE_TZ.", hint="USE_TZ = True", id="licenzy.E008")
        )
    return found


@register(Tags.security)
def check_secret_keys(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if check_setting_names():
        return []
    known = licenzy_settings()
    found: list[CheckMessage] = [message for mode in Mode.values for message in problems_of_mode(mode)]
    if set(known.webhook_secrets("test")) & set(known.webhook_secrets("live")):
        found.append(
            Error(
                "A webhook secret is configured for both modes.",
                hint="Stripe gives each endpoint a secret of its own; keep each under its mode.",
                id="licenzy.E004",
            )
        )
    return found


def problems_of_mode(mode: str) -> Iterator[CheckMessage]:
    known = licenzy_settings()
    key, secrets = known.secret_key(mode), known.webhook_secrets(mode)
    key_name, secrets_name = f"{mode.upper()}_SECRET_KEY", f"{mode.upper()}_WEBHOOK_SECRETS"
    if key and not key.startswith((f"sk_{mode}_", f"rk_{mode}_")):
        yield Error(
            f"LICENZY[{key_name!r}] is not a secret or restricted key of {mode} mode.",
            hint=f"It has to begin with sk_{mode}_ or rk_{mode}_.",
            id="licenzy.E002",
        )
    if key and not secrets:
        yield Warning(
            f"{mode} mode has a secret key but no webhook secret: no payment can be confirmed.",
            hint=f"Put the whsec_… of your endpoint into LICENZY[{secrets_name!r}].",
            id="licenzy.W003",
        )
    given = getattr(known, secrets_name)
    if isinstance(given, str) or not all(str(s).startswith("whsec_") for s in secrets):
        yield Error(
            f"LICENZY[{secrets_name!r}] is not a list of webhook secrets.",
            hint="A list of the whsec_… of your endpoints: one usually, two while one is being replaced.",
            id="licenzy.E005",
        )


@register(Tags.urls)
def check_webhook_url(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    try:
        reverse("licenzy:stripe-webhook")
    except NoReverseMatch:
        return [
            Warning(
                "The webhook has no URL: Stripe cannot tell who paid.",
                hint='path("v1/", include("licenzy_django.urls")) in your urls.py.',
                id="licenzy.W007",
            )
        ]
    return []


@register(Tags.security)
def check_outbound(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """What development may allow, and a public site hardly wants."""
    if check_setting_names() or settings.DEBUG:
        return []
    known = licenzy_settings()
    found: list[CheckMessage] = []
    if known.OUTBOUND_ALLOW_HTTP:
        found.append(
            Warning(
                "Outbound events may be sent over plain HTTP, where anybody on the way can read them.",
                hint="Remove LICENZY['OUTBOUND_ALLOW_HTTP']; it is for development.",
                id="licenzy.W020",
            )
        )
    if known.OUTBOUND_ALLOW_PRIVATE:
        found.append(
            Warning(
                "Outbound endpoints may be inside your network: who configures one can reach what stands there.",
                hint="Remove LICENZY['OUTBOUND_ALLOW_PRIVATE'], or silence this if your receivers are internal.",
                id="licenzy.W021",
            )
        )
    return found
