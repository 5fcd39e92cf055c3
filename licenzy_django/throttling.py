"""As many requests as the plan allows, for DRF's views."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from licenzy_django import access
from licenzy_django.conf import licenzy_settings
from licenzy_django.identity import subject_ref_of

PERIODS = ("second", "minute", "hour", "day")


class LimitThrottle(SimpleRateThrottle):
    """``throttle_classes = [LimitThrottle]``: the limit ``requests_per_minute`` of the subject is its rate.

    ``[LimitThrottle.of("exports_per_day")]`` takes another limit; its name ends with ``_per_`` and ``second``,
    ``minute``, ``hour`` or ``day``. Unlimited is not throttled, and a limit of 0, as nobody has it, lets nothing
    through. What was asked for is counted in Django's default cache, as DRF does.
    """

    limit: ClassVar[str] = "requests_per_minute"

    def __init__(self) -> None:
        """The rate is known with the subject, so no setting of DRF's names it."""

    @classmethod
    def of(cls, limit: str) -> type[LimitThrottle]:
        """The throttle for another limit. Raises ImproperlyConfigured for a name without a period."""
        if limit.rpartition("_per_")[2] not in PERIODS:
            raise ImproperlyConfigured(f"{limit!r} has to end with _per_ and one of {', '.join(PERIODS)}.")
        return type(cls.__name__, (cls,), {"limit": limit})

    def allow_request(self, request: Request, view: Any) -> bool:
        allowed = access.limit(request, self.limit).value
        if allowed is None:
            return True
        self.rate = f"{allowed}/{self.limit.rpartition('_per_')[2]}"
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return bool(super().allow_request(request, view))

    def get_cache_key(self, request: Request, view: Any) -> str:
        """A digest: a cache takes neither every character nor every length."""
        asked = f"{licenzy_settings().MODE} {self.limit} {subject_ref_of(request)}"
        return f"licenzy_throttle_{sha256(asked.encode()).hexdigest()}"
