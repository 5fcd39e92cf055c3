"""The simulator alone on a port of its own, and Stripe's tools from npm. ``make test-stripe-tools`` installs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import stripe

from tests.standalone import running_simulator

HERE = Path(__file__).parent
OLDER = "2026-08-26.dahlia"
"""The command line names no version, so its requests are of the account's. Its triggers send ``payment_method_types``,
which Stripe took until this one."""
SECONDS = 120


@dataclass(frozen=True)
class Tools:
    address: str
    home: Path

    @property
    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient("sk_test_simulator", base_addresses={"api": self.address})

    def cli(self, *arguments: str) -> str:
        """What ``stripe …`` printed. Fails with it where the exit status says so."""
        command = [
            str(HERE / "node_modules" / ".bin" / "stripe"), *arguments,
            "--api-base", self.address, "--api-key", "sk_test_simulator",
        ]  # fmt: skip
        return self.run(*command)

    def run(self, *command: str) -> str:
        quiet = {"STRIPE_CLI_TELEMETRY_OPTOUT": "1", "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=HERE, env=os.environ | quiet, timeout=SECONDS
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    if not (HERE / "node_modules" / ".bin" / "stripe").exists():
        pytest.fail("Stripe's tools are not installed: run `make test-stripe-tools`.")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("tools")
    version: str = getattr(request.module, "VERSION", "")
    with running_simulator(folder, *(["--api-version", version] if version else [])) as address:
        yield Tools(address, folder)
