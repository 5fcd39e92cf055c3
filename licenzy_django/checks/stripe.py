"""Keys and secrets: each of its own mode, and none of them alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from licenzy_django import encryption
from licenzy_django.checks import secrets as secrets_checked
from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import LicenzySettings, as_list, licenzy_settings
from licenzy_django.models import Mode

SIMULATOR = "licenzy_django.simulator"
OWN_LIVE_KEY = "sk_live_simulator"
"""The simulator's, for tests of the live mode. No real key looks like this."""
THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


@register("licenzy", Tags.security)
def check_secret_keys(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    known = licenzy_settings()
    found: list[CheckMessage] = [message for mode in Mode.values for message in problems_of_mode(known, mode)]
    if set(known.webhook_secrets("test")) & set(known.webhook_secrets("live")):
        found.append(
            Error(
                "A webhook secret is configured for both modes.",
                hint="Stripe gives each endpoint a secret of its own; keep each under its mode.",
                id="licenzy.E004",
            )
        )
    return found


def problems_of_mode(known: LicenzySettings, mode: str) -> Iterator[CheckMessage]:
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
        return
    is_played = key == OWN_LIVE_KEY or (mode == "test" and (known.STRIPE_HTTP_CLIENT or apps.is_installed(SIMULATOR)))
    if is_played:
        return
    keys = [(key_name, key)] if key and key.startswith((f"sk_{mode}_", f"rk_{mode}_")) else []  # licenzy.E002 otherwise
    for name, secret in [*keys, *((secrets_name, each) for each in secrets)]:
        if problem := secrets_checked.problem_of(secret):
            yield not_secret(name, problem, mode)


def not_secret(name: str, problem: str, mode: str) -> CheckMessage:
    """Never shows the secret. In test mode no money is at stake, and a fake of Stripe's API may take any key."""
    message = f"LICENZY[{name!r}] has something that Stripe never gave out: {problem}."
    hint = "Copy it from Stripe's dashboard once more, whole; with a secret that is known anybody can sign events."
    if mode == "live":
        return Error(message, hint=hint, id="licenzy.E060")
    return Warning(message, hint=hint, id="licenzy.W060")


@register("licenzy", Tags.security)
def check_mode_has_a_key(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    known = licenzy_settings()
    other = "test" if known.MODE == "live" else "live"
    if known.secret_key(known.MODE) or not known.secret_key(other):
        return []
    return [
        Warning(
            f"LICENZY['MODE'] is {known.MODE!r}, but only {other} mode has a secret key: "
            "what is bought in one is not seen by the checks in the other.",
            hint=f"Set MODE to {other!r}, or {known.MODE.upper()}_SECRET_KEY.",
            id="licenzy.W015",
        )
    ]


@register("licenzy", Tags.security)
def check_clock_of_live_mode(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable():
        return []
    known = licenzy_settings()
    if not known.LIVE_SECRET_KEY or known.CLOCK == LicenzySettings().CLOCK:
        return []
    return [
        Warning(
            "LICENZY['CLOCK'] is replaced beside a live key: whoever moves that clock decides what has expired.",
            hint="Remove CLOCK; it is for demos and staging systems.",
            id="licenzy.W014",
        )
    ]


@register("licenzy", Tags.security)
def check_api_base(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or not licenzy_settings().STRIPE_API_BASE:
        return []
    base = urlsplit(licenzy_settings().STRIPE_API_BASE)
    if base.scheme not in ("http", "https") or not base.hostname:
        return [
            Error(
                "LICENZY['STRIPE_API_BASE'] is not an absolute http or https URL.",
                hint="Such as 'https://stripe-proxy.example.com'; empty means Stripe's own.",
                id="licenzy.E016",
            )
        ]
    if base.scheme == "http" and base.hostname not in THIS_MACHINE and licenzy_settings().LIVE_SECRET_KEY:
        return [
            Warning(
                "LICENZY['STRIPE_API_BASE'] sends the live secret key over plain HTTP.",
                hint="Use https.",
                id="licenzy.W019",
            )
        ]
    return []


@register("licenzy", Tags.security)
def check_encryption_keys(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or not as_list(licenzy_settings().ENCRYPTION_KEYS):
        return []
    try:
        encryption.fernet()
    except ImproperlyConfigured as error:
        hint = "The keys are made with cryptography.fernet.Fernet.generate_key(): 44 characters each."
        return [Error(f"Signing secrets can be neither stored nor read. {error}", hint=hint, id="licenzy.E063")]
    return []


@register("licenzy", Tags.compatibility)
def check_dj_stripe(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not apps.is_installed("djstripe"):
        return []
    return [
        Info(
            "dj-stripe is installed too, and gives stripe's objects the methods of a dict.",
            hint="licenzy_django does not depend on either form. Give each its own webhook endpoint and secret.",
            id="licenzy.I044",
        )
    ]


@register("licenzy", Tags.compatibility)
def check_simulator_is_installed(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or apps.is_installed(SIMULATOR):
        return []
    named = [
        name for name in ("STRIPE_HTTP_CLIENT", "CLOCK") if str(getattr(licenzy_settings(), name)).startswith(SIMULATOR)
    ]
    return [
        Error(
            f"LICENZY[{name!r}] names the Stripe simulator, which is not installed.",
            hint="Add 'licenzy_django.simulator' to INSTALLED_APPS, or remove the setting to speak to Stripe.",
            id="licenzy.E045",
        )
        for name in named
    ]
