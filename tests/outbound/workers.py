"""Delivery workers in processes of their own, on the database of the test that starts them.

They are forked from a process that has loaded everything and has no threads, so that fifty of them start in a moment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"CLOCK": "django.utils.timezone.now", "OUTBOUND_ALLOW_HTTP": True, "OUTBOUND_ALLOW_PRIVATE": True}


class Workers:
    """Starts a worker that delivers until nothing is due, kills it, waits for it."""

    def __init__(self, asked: IO[str], told: IO[str]) -> None:
        self.asked, self.told = asked, told

    def ask(self, *words: Any) -> int:
        self.asked.write(json.dumps(words) + "\n")
        self.asked.flush()
        return int(self.told.readline())

    def start(self, at: datetime) -> int:
        return self.ask("start", at.isoformat())

    def wait(self, pid: int) -> int:
        """Its exit code; negative is the signal that killed it."""
        return self.ask("wait", pid)

    def kill(self, pid: int) -> int:
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)


@contextmanager
def forking_workers(database_name: str) -> Iterator[Workers]:
    command = [sys.executable, "-m", "tests.outbound.workers", str(database_name)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        yield Workers(zygote.stdin, zygote.stdout)
        zygote.stdin.close()


def serve(database_name: str) -> None:
    from django.conf import settings

    settings.LICENZY |= ALLOWED
    settings.DATABASES["default"]["NAME"] = database_name
    import django

    django.setup()
    from licenzy_django.outbound import deliveries

    for line in sys.stdin:
        verb, argument = json.loads(line)
        if verb == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(argument, 0)[1]), flush=True)  # noqa: T201
        elif (pid := os.fork()) == 0:
            while deliveries.deliver_due(at=datetime.fromisoformat(argument)).taken:
                pass
            os._exit(0)
        else:
            print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    serve(sys.argv[1])
