"""POST /v1/access/check behind gunicorn, beside bare views, taking turns under wrk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.databases import VENDORS
from benchmarks.figures import figure, ratio
from benchmarks.measures.servers import WORKERS, gunicorn, post
from benchmarks.sides.process import Side

SCRIPT = Path(__file__).with_name("post.lua")
PATHS = {
    "licenzy: check, with its API key": "/v1/access/check",
    "bare DRF view, one query": "/drf-query",
    "bare Django view, one query": "/bare-query",
    "bare Django view": "/bare",
}
OURS = "licenzy: check, with its API key"
CONNECTIONS = 4
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def can_measure() -> bool:
    return shutil.which("wrk") is not None


def measure(vendor: str, *, subscribers: int, rounds: int, seconds: int) -> dict[str, Any]:
    took: dict[str, dict[str, list[float]]] = {name: {"per_second": [], "p50": [], "p99": []} for name in PATHS}
    with VENDORS[vendor]() as make_database:
        database = make_database("http")
        with Side("licenzy", database) as side:
            side.ask("make_tables")
            side.ask("fill", subscribers=subscribers)
            key = side.ask("api_key")
        with gunicorn(database) as port:
            for path in PATHS.values():
                status, body = post(port, path, b'{"subject_ref": "user_7"}', {"Authorization": f"Bearer {key}"})
                assert (status, json.loads(body)["allowed"]) == (200, True), (path, status, body)
            for number in range(rounds + 1):
                for name, path in PATHS.items():
                    answer = wrk(port, path, key, subscribers, seconds if number else 1)
                    if number:
                        for which, value in answer.items():
                            took[name][which].append(value)
    views = {
        name: {
            "requests_per_second": figure(times["per_second"]),
            "p50_milliseconds": figure(times["p50"]),
            "p99_milliseconds": figure(times["p99"]),
            "ours_as_a_part_of_it": ratio(took[OURS]["per_second"], times["per_second"]),
        }
        for name, times in took.items()
    }
    return {"workers": WORKERS, "connections": CONNECTIONS, "views": views}


def wrk(port: int, path: str, key: str, subscribers: int, seconds: int) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT)]
    environment = os.environ | {"BENCH_SUBSCRIBERS": str(subscribers), "BENCH_API_KEY": key}
    ran = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], env=environment, capture_output=True, text=True, check=True
    )
    assert "Non-2xx" not in ran.stdout, ran.stdout
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout)
    assert per_second, ran.stdout
    return {"per_second": float(per_second[1]), "p50": latency(ran.stdout, 50), "p99": latency(ran.stdout, 99)}


def latency(printed: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", printed, re.MULTILINE)
    assert found, printed
    return float(found[1]) * MILLISECONDS[found[2]]
