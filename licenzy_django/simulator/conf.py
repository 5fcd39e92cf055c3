"""The LICENZY_SIMULATOR setting, typed and read afresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatorSettings:
    PRICES: list[dict[str, Any]] = field(default_factory=list)
    """Prices that exist from the start: id, currency, unit_amount, recurring, product_name."""
    WEBHOOK_SECRET: str = field(default="whsec_simulator", repr=False)
    WEBHOOK_URL: str = ""
    """Where events go; empty means licenzy's own webhook, called in this process."""
    WEBHOOK_DELAY_SECONDS: float | None = 3
    """How long after its creation an event is delivered; None means never by itself."""
    WEBHOOK_API_VERSION: str = API_VERSION
    BASE_URL: str = "http://127.0.0.1:8000"
    """Scheme and host of the addresses of the simulator's pages."""
    ALLOW_WITHOUT_DEBUG: bool = False
    """Lets the simulator be installed with DEBUG=False, for benchmarks and tests."""


def simulator_settings() -> SimulatorSettings:
    """Read on every call, so ``override_settings`` simply works."""
    return SimulatorSettings(**getattr(settings, "LICENZY_SIMULATOR", {}))
