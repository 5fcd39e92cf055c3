"""How long Django needs to start with one side installed: ``python -m benchmarks.sides.startup [SIDE]``.

Prints JSON: the processor's milliseconds, and which heavy libraries are loaded by then. Without a side: bare Django.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from types import SimpleNamespace

import django
from django.conf import settings

from benchmarks.sides import tables, timing  # noqa: F401  # what every side imports must not count for one
from benchmarks.sides.common import settings_of

HEAVY = ("stripe", "rest_framework", "requests")


def main() -> None:
    bare = SimpleNamespace(settings=dict)
    side = import_module(f"benchmarks.sides.{sys.argv[1]}") if sys.argv[1:] else bare
    configured = settings_of(side, {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})
    assert not any(name in sys.modules for name in HEAVY), "these have to be timed"
    began = time.process_time()
    settings.configure(**configured)
    django.setup()
    took = (time.process_time() - began) * 1000
    print(json.dumps({"milliseconds": took, "loaded": [name for name in HEAVY if name in sys.modules]}))


if __name__ == "__main__":
    main()
