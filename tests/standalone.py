"""``manage.py licenzy_simulator``, really started, on the example project and a database of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import clean_environment, eventually

PROJECT = Path(__file__).resolve().parents[1]


@contextmanager
def running_simulator(folder: Path, *arguments: str) -> Iterator[str]:
    """Yields the address, without a slash at the end. Events are delivered at once."""
    environment = clean_environment(
        DJANGO_SETTINGS_MODULE="example_project.settings", DATABASE_URL=f"sqlite:///{folder / 'simulator.sqlite3'}",
        DEMO_SECRETS_FILE=str(folder / "demo.json"), SIMULATOR_WEBHOOK_DELAY_SECONDS="0", PYTHONUNBUFFERED="1",
    )  # fmt: skip
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=PROJECT, env=environment, check=True)
    command = [*manage, "licenzy_simulator", "--port", "0", *arguments]
    with (
        (folder / "simulator.log").open("w+") as log,
        subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            said = Path(log.name)
            found = eventually(
                lambda: process.poll() is not None or re.search(r"http://127\.0\.0\.1:\d+", said.read_text())
            )
            assert isinstance(found, re.Match), said.read_text()
            yield found.group()
        finally:
            process.terminate()
            process.wait(10)
