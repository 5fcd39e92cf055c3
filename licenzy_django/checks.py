"""What can be known to be wrong before the first request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

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


@register(Tags.security)
def check_secret_keys(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if check_setting_names():
        return []
    known = licenzy_settings()
    found: list[CheckMessage] = []
    for mode in Mode.values:
        key = known.secret_key(mode)
        if key and not key.startswith((f"sk_{mode}_", f"rk_{mode}_")):
            found.append(
                Error(
                    f"LICENZY[{mode.upper() + '_SECRET_KEY'!r}] is not a secret or restricted key of {mode} mode.",
                    hint=f"It has to begin with sk_{mode}_ or rk_{mode}_.",
                    id="licenzy.E002",
                )
            )
        if key and not known.webhook_secrets(mode):
            found.append(
                Warning(
                    f"{mode} mode has a secret key but no webhook secret: no payment can be confirmed.",
                    hint=f"Put the whsec_… of your endpoint into LICENZY[{mode.upper() + '_WEBHOOK_SECRETS'!r}].",
                    id="licenzy.W003",
                )
            )
    if set(known.TEST_WEBHOOK_SECRETS) & set(known.LIVE_WEBHOOK_SECRETS):
        found.append(
            Error(
                "A webhook secret is configured for both modes.",
                hint="Stripe gives each endpoint a secret of its own; keep each under its mode.",
                id="licenzy.E004",
            )
        )
    return found
