"""A second process of the same host, told line by line what to do; answers with a line each."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import django


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def heard() -> str:
    return sys.stdin.readline().strip()


def main(database: str, caches: str, seconds: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.CACHES = json.loads(caches)
    settings.LICENZY |= {"CACHE": "shared", "CACHE_SECONDS": int(seconds)}
    django.setup()
    say("ready")
    while command := heard():
        verb, _, argument = command.partition(" ")
        globals()[verb](argument)


def check(subject_ref: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from licenzy_django import access

    with CaptureQueriesContext(connection) as queries:
        allowed = bool(access.check(subject_ref))
    say(f"{allowed} {len(queries)}")


def stall(subject_ref: str) -> None:
    """Check, but stop between reading and remembering until a line comes."""
    from licenzy_django.access import entitlement_rows

    read = entitlement_rows.rows_of

    def stalled(*given: Any, **more: Any) -> Any:
        rows = read(*given, **more)
        say("read")
        heard()
        return rows

    entitlement_rows.rows_of = stalled
    check(subject_ref)
    entitlement_rows.rows_of = read


def revoke(pk: str) -> None:
    from licenzy_django import operators
    from licenzy_django.models import Entitlement

    operators.revoke(Entitlement.objects.get(pk=pk), actor=None, reason="a test")
    say("revoked")


def die_revoking(pk: str) -> None:
    """Killed after the commit and before the cache is told."""
    from licenzy_django.access import shared_cache

    shared_cache.bump = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
    revoke(pk)


if __name__ == "__main__":
    main(*sys.argv[1:])
