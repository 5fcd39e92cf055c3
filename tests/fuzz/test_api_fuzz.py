"""Schemathesis against the running demo, with what the demo itself says it takes: ``make test-api-fuzz``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.shops import Shop, manage, open_shop

pytestmark = pytest.mark.fuzz

SECONDS = int(os.environ.get("FUZZ_SECONDS", "90"))
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "40")
# A body may fit the schema and be refused all the same: a host that is not allowed, 5.0 for 5, a key used before.
UNDECIDABLE = "positive_data_acceptance"
# A subject's ref may have slashes in it, so that GET of this path is the list of another subject's members.
CONFIGURATION = """
[[operations]]
include-path = "/members/{subject_ref}/{member_ref}"
checks.unsupported_method.enabled = false
"""
SEED = """
from licenzy_django import operators
from licenzy_django.models import Product
for code in ("CREDITS_1000", "WEEK_PASS"):
    product = Product.objects.get(code=code, mode="test")
    operators.grant("user_123", product, actor=None, reason="so that something succeeds", request_id=code)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("fuzz"), webhook_delay_seconds=1) as shop:
        manage(shop.environment, "shell", "-c", SEED)
        yield shop


def run(shop: Shop, folder: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """What schemathesis printed and reported."""
    report, configuration = folder / "report.json", folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(configuration)]
    command += ["run", f"{shop.url}/v1/schema"]
    command += ["--url", f"{shop.url}/v1", "--max-time", str(SECONDS), "--max-examples", EXAMPLES, "--no-color"]
    command += ["--exclude-checks", UNDECIDABLE, "--request-timeout", "15", "--report-json-path", str(report)]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=SECONDS + 120, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout, json.loads(report.read_text())


def test_no_500_and_no_answer_outside_the_schema(shop: Shop, tmp_path: Path) -> None:
    said, _ = run(shop, tmp_path, "--header", f"Authorization: Bearer {shop.api_key}")

    assert "Tested: 18" in said, "an operation was left out"
    log = next(Path(shop.environment["LOG_FOLDER"]).glob("server-*.log")).read_text()
    assert "Traceback" not in log
    assert '" 500 ' not in log
    for path, status in {"/v1/usage/consume": 200, "/v1/usage/reserve": 201, "/v1/checkout/session": 201}.items():
        assert f'"POST {path} HTTP/1.1" {status} ' in log, "it never came past the door"


def test_the_page_to_try_it_has_all_it_needs_on_this_host(shop: Shop) -> None:
    page = requests.get(f"{shop.url}/api/", timeout=10).text
    assert 'data-schema="/v1/schema"' in page
    needed = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(needed) >= 3
    assert {requests.get(shop.url + path, timeout=10).status_code for path in needed} == {200}
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_without_a_key_every_door_stays_shut(shop: Shop, tmp_path: Path) -> None:
    run(shop, tmp_path, "--exclude-path", "/webhooks/stripe", "--max-examples", "5", "--phases", "examples,coverage")

    answer = requests.post(f"{shop.url}/v1/access/check", json={"subject_ref": "user_123"}, timeout=10)
    assert answer.status_code == 401
