from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.servers import PATIENCE, Visitor, clean_environment, free_port, running_server

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Shop:
    """The example project as ``make demo`` sets it up, with what that printed."""

    url: str
    api_key: str
    printed: str
    environment: dict[str, str]

    @property
    def secrets_file(self) -> Path:
        return Path(self.environment["DEMO_SECRETS_FILE"])

    def ask(self, method: str, path: str, *, key: str = "", **body: Any) -> requests.Response:
        """One request of another backend."""
        headers = {"Authorization": f"Bearer {self.api_key}"} | ({"Idempotency-Key": key} if key else {})
        return requests.request(method, f"{self.url}{path}", json=body or None, headers=headers, timeout=PATIENCE)

    def allowed(self, subject_ref: str) -> bool:
        answer = self.ask("POST", "/v1/access/check", subject_ref=subject_ref)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["allowed"])

    def visitor(self) -> Visitor:
        return Visitor(self.url)


@contextmanager
def open_shop(folder: Path, *, webhook_delay_seconds: float) -> Iterator[Shop]:
    """A shop as ``make demo`` opens it. Within the delay its pages can be asked what they say before the webhook."""
    environment = environment_of_a_shop(folder, SIMULATOR_WEBHOOK_DELAY_SECONDS=str(webhook_delay_seconds))
    printed = manage(environment, "demo_setup")
    with running_server(REPOSITORY, int(environment["PORT"]), environment) as url:
        yield Shop(url=url, api_key=key_in(printed), printed=printed, environment=environment)


def environment_of_a_shop(folder: Path, **extra: str) -> dict[str, str]:
    """An empty database and a free port."""
    return clean_environment(
        DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}",
        DEMO_SECRETS_FILE=str(folder / "demo.json"),
        LOG_FOLDER=str(folder),
        PORT=str(free_port()),
        PYTHONUNBUFFERED="1",
        **extra,
    )


def manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def key_in(printed: str) -> str:
    return next(word for word in printed.split() if word.startswith("lz_test_"))
