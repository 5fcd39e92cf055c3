"""What development may allow, and a public site hardly wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import licenzy_settings


@register("licenzy", Tags.security)
def check_outbound(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or settings.DEBUG:
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
