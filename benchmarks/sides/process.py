"""The parent's end of a worker: asks one side at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PEERS_PYTHON = ROOT / "benchmarks" / ".venv-peers" / "bin" / "python"
PEERS = ("djstripe", "vinta")


class SideFailed(RuntimeError):
    """A side could not do its job; the message is its traceback."""


def python_of(side: str) -> str:
    """Peers have a virtual environment of their own."""
    return str(PEERS_PYTHON) if side in PEERS else sys.executable


class Side:
    def __init__(self, name: str, database: dict[str, Any]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [python_of(name), "-m", "benchmarks.sides.worker", name, json.dumps(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )

    def ask(self, do: str, **job: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"do": do, **job}) + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise SideFailed(f"{self.name} died at {do}")
        answer = json.loads(line)
        if "error" in answer:
            raise SideFailed(f"{self.name} {do}:\n{answer['error']}")
        return answer["answer"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
