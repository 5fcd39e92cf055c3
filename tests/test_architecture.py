"""The house: imports point one way, few rooms know Stripe or DRF, and no room grows too large."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).resolve().parents[1] / "licenzy_django"
FLOORS = """
management
doctor | testing | apps
admin | checks | simulator | urls | mixins
operators | subjects | webhooks | api | views | templatetags | decorators
billing_portal
subscriptions | seats
usage | sync | catalog | limits
entitlements | checkout | pruning | permissions | throttling
stripe | access | ledger | outbound
models
checkout_options | clock | encryption | identity | idempotency | http_methods | request_bodies
conf | exceptions | signals | wording | view_shapes | db
"""
"""From the top of the house to its ground. Imports go down only; rooms on one floor do not import each other."""
FLOOR_OF = {
    room.strip(): number
    for number, floor in enumerate(reversed(FLOORS.strip().splitlines()))
    for room in floor.split("|")
}
KNOWS_STRIPE = ("stripe/client.py", "webhooks/signature.py", "simulator/")
KNOWS_DRF = ("api/", "permissions.py", "throttling.py", "openapi.py")
MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 50


@cache
def sources() -> dict[str, ast.Module]:
    """Every file of the package by its path in it; migrations are generated and left out."""
    files = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in files}


def room_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def imports_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import that runs, wherever it stands; those for types alone do not run."""
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def rooms_imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imports_of(tree):
        parts = name.split(".")
        if parts[0] == "licenzy_django" and len(parts) > 1:
            yield line, parts[1]


def test_every_room_has_its_floor() -> None:
    assert {room_of(name) for name in sources()} - {"__init__"} == FLOOR_OF.keys()


def test_imports_go_down_only() -> None:
    offending = [
        f"{name}:{line} imports {room}"
        for name, tree in sources().items()
        for line, room in rooms_imported(tree)
        if room in FLOOR_OF and room != room_of(name) and FLOOR_OF[room] >= FLOOR_OF[room_of(name)]
    ]

    assert offending == []


def test_nothing_but_the_test_kit_and_the_doctor_knows_the_simulator() -> None:
    offending = [
        f"{name}:{line}"
        for name, tree in sources().items()
        for line, room in rooms_imported(tree)
        if room == "simulator" and room_of(name) not in ("simulator", "testing", "doctor")
    ]

    assert offending == []


@pytest.mark.parametrize(
    ("library", "rooms"), [("stripe", KNOWS_STRIPE), ("rest_framework", KNOWS_DRF)], ids=["stripe", "DRF"]
)
def test_few_rooms_know_a_library(library: str, rooms: tuple[str, ...]) -> None:
    offending = [
        f"{name}:{line}"
        for name, tree in sources().items()
        for line, imported in imports_of(tree)
        if imported.split(".")[0] == library and not name.startswith(rooms)
    ]

    assert offending == []


def test_importing_us_does_not_import_stripe() -> None:
    program = (
        "import importlib, os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup()\n"
        "names = 'models urls access checkout decorators sync.inbox webhooks.views checks admin simulator'\n"
        "for name in names.split():\n"
        "    importlib.import_module(f'licenzy_django.{name}')\n"
        "    if 'stripe' in sys.modules: sys.exit(f'licenzy_django.{name} imports stripe')"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=PACKAGE.parent)

    assert done.returncode == 0, done.stderr.decode()


def test_no_file_is_long() -> None:
    lengths = {name: len((PACKAGE / name).read_text().splitlines()) for name in sources()}

    assert {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_long() -> None:
    lengths = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or 0) - body_of(node)
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }

    assert {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}


def body_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line before its first statement, after its docstring."""
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return first.lineno - 1


@pytest.mark.parametrize("name", ["utils", "helpers", "helper", "manager", "managers", "misc", "common"])
def test_no_room_is_called_after_nothing(name: str) -> None:
    assert [path for path in sources() if Path(path).stem == name] == []


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())
