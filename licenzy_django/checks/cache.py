"""Whether the cache of access checks is one that all processes share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from licenzy_django.checks.settings import check_setting_names
from licenzy_django.conf import licenzy_settings


@register("licenzy", Tags.caches)
def check_cache_is_shared(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if check_setting_names():
        return []
    alias = licenzy_settings().CACHE
    if not alias or not isinstance(alias, str):
        return []
    if alias not in settings.CACHES:
        return [
            Error(
                f"LICENZY['CACHE'] names {alias!r}, which CACHES does not have: every access check would log an error.",
                hint=f"One of {', '.join(sorted(settings.CACHES))}; or leave it out, then each check is one query.",
                id="licenzy.E030",
            )
        ]
    if isinstance(caches[alias], LocMemCache):
        return [
            Warning(
                f"LICENZY['CACHE'] names {alias!r}, which each process has for itself: a change in one of them is seen "
                f"by the others only after {licenzy_settings().CACHE_SECONDS} seconds.",
                hint="Use Redis or Memcached; or leave it out, then each check is one query.",
                id="licenzy.W030",
            )
        ]
    return []
