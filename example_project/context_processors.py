from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, bool]:
    """What every page of the shop wants to know."""
    return {"on_simulator": settings.ON_SIMULATOR}
