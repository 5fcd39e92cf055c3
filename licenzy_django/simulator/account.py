"""The simulated Stripe account that lives in the database: its simulator, its API front, its clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.core.exceptions import SynchronousOnlyOperation
from django.db import OperationalError, ProgrammingError
from django.urls import NoReverseMatch, reverse

from .conf import API_VERSION, simulator_settings

if TYPE_CHECKING:
    from .api.front import Front
    from .simulator import Simulator

_serving = {"site": "", "version": ""}
"""Where this process serves the simulator alone, and as an account of which API version."""
CLOCK_AGE_SECONDS = 1.0
_clock: dict[str, float] = {"read_at": float("-inf"), "skipped": 0.0}


def database_simulator(*, livemode: bool = False) -> Simulator:
    """The simulator of the demo. Cheap: make one for every use."""
    from .simulator import Simulator
    from .stores.database import DatabaseStore

    return Simulator(DatabaseStore(livemode=livemode), page_base=page_base)


def database_front(site: str = "") -> Front:
    """``site`` is the scheme and host that the pages' addresses begin with; by default the setting BASE_URL."""
    from .api.front import Front

    version = _serving["version"] or API_VERSION
    return Front(database_simulator(), page_base=lambda: page_base(site), version=version)


def serve_at(site: str, *, version: str = "") -> None:
    """This process serves the simulator alone, at the root of ``site``."""
    _serving.update(site=site, version=version)


def page_base(site: str = "") -> str:
    """Where the simulator's pages are, without a slash at the end."""
    if _serving["site"]:
        return site or _serving["site"]
    try:
        path = reverse("licenzy_simulator:machine")
    except NoReverseMatch:
        path = "/simulator/"
    return (site or simulator_settings().BASE_URL).rstrip("/") + path.rstrip("/")


def simulated_now() -> datetime:
    """Reads the skipped time at most once a second; in an event loop it uses what was read last."""
    if time.monotonic() - _clock["read_at"] > CLOCK_AGE_SECONDS:
        _read_clock()
    return datetime.fromtimestamp(time.time() + _clock["skipped"], UTC)


def _read_clock() -> None:
    from .models import Account

    try:
        skipped = Account.objects.filter(pk=1).values_list("skipped_seconds", flat=True).first()
    except (SynchronousOnlyOperation, OperationalError, ProgrammingError):
        return
    _clock.update(read_at=time.monotonic(), skipped=float(skipped or 0))


def forget_clock() -> None:
    """To be called when the clock was moved in this process."""
    _clock["read_at"] = float("-inf")
