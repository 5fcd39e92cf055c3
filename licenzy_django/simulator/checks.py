"""The simulator refuses to run where real money is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.urls import NoReverseMatch, reverse

from .conf import SimulatorSettings, simulator_settings

OWN_LIVE_KEY = "sk_live_simulator"
"""No real key looks like this: it is for tests of the live mode on the simulator."""


def check_simulator(**_: Any) -> list[CheckMessage]:
    unknown = list(_unknown_keys())
    return unknown or [*_live_keys(), *_debug(), *_secret(), *_pages()]


def objection() -> str:
    """Why the simulator must not run here, with what to do about it; empty where it may."""
    found = next(iter([*_live_keys(), *_debug()]), None)
    return f"{found.msg} {found.hint}" if found else ""


def _unknown_keys() -> Iterator[CheckMessage]:
    known = {field.name for field in fields(SimulatorSettings)}
    for name in sorted(set(getattr(settings, "LICENZY_SIMULATOR", {})) - known):
        yield Error(
            f"LICENZY_SIMULATOR has the unknown key {name!r}.",
            hint=f"It may have: {', '.join(sorted(known))}.",
            id="licenzy_simulator.E003",
        )


def _live_keys() -> Iterator[CheckMessage]:
    given = getattr(settings, "LICENZY", {})
    for name, value in given.items() if isinstance(given, dict) else ():  # licenzy.E001 says the rest
        if isinstance(value, str) and value.startswith(("sk_live_", "rk_live_")) and value != OWN_LIVE_KEY:
            yield Error(
                f"The Stripe simulator is installed together with a live key (LICENZY[{name!r}]).",
                hint="Remove 'licenzy_django.simulator' from INSTALLED_APPS, or the live key.",
                id="licenzy_simulator.E001",
            )


def _debug() -> Iterator[CheckMessage]:
    if not (settings.DEBUG or _is_debug_in_file() or simulator_settings().ALLOW_WITHOUT_DEBUG):
        yield Error(
            "The Stripe simulator is installed with DEBUG=False: whoever finds its pages can give access to anybody.",
            hint=(
                "Remove 'licenzy_django.simulator' from INSTALLED_APPS. On a machine that only you can reach, "
                "LICENZY_SIMULATOR['ALLOW_WITHOUT_DEBUG'] = True lets it be."
            ),
            id="licenzy_simulator.E002",
        )


def _is_debug_in_file() -> bool:
    """Django's test runner switches DEBUG off and then runs the checks; a host's own tests are no public site."""
    written = sys.modules.get(os.environ.get(ENVIRONMENT_VARIABLE, ""))
    return bool(getattr(written, "DEBUG", False))


def _secret() -> Iterator[CheckMessage]:
    if not simulator_settings().WEBHOOK_SECRET:
        yield Error(
            "LICENZY_SIMULATOR['WEBHOOK_SECRET'] is empty: no event of the simulator could be verified.",
            hint="Set it to any string, and put the same string into LICENZY['TEST_WEBHOOK_SECRETS'].",
            id="licenzy_simulator.E004",
        )


def _pages() -> Iterator[CheckMessage]:
    try:
        reverse("licenzy_simulator:machine")
    except NoReverseMatch:
        yield CheckWarning(
            "The simulator's pages are not routed: a checkout would lead nowhere.",
            hint="Add path('simulator/', include('licenzy_django.simulator.urls')) to your URLs.",
            id="licenzy_simulator.W001",
        )
