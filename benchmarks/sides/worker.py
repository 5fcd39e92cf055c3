"""One side in a process of its own: a job comes as a line of JSON, its answer goes as one.

``python -m benchmarks.sides.worker SIDE DATABASE`` where DATABASE is an entry of Django's DATABASES as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from importlib import import_module

import django
from django.conf import settings

from benchmarks import stripe_double
from benchmarks.sides.common import settings_of


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not look like an answer
    side = import_module(f"benchmarks.sides.{sys.argv[1]}")
    settings.configure(**settings_of(side, json.loads(sys.argv[2])))
    django.setup()
    stripe_double.install()
    for line in sys.stdin:
        job = json.loads(line)
        gc.collect()
        try:
            answer = {"answer": getattr(side, job.pop("do"))(**job)}
        except Exception:  # noqa: BLE001  # the parent raises it
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
