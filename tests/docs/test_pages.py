"""The pages name everything that there is, and nothing that there is not."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from licenzy_django import exceptions
from licenzy_django.conf import STRIPE_API_VERSION, LicenzySettings
from licenzy_django.models import EventType
from licenzy_django.outbound.events import PAYLOAD_KEYS
from licenzy_django.simulator.conf import SimulatorSettings
from tests.docs.pages import BLOCKS, PAGES, REPOSITORY, Block, Page, page

pytestmark = pytest.mark.once

PACKAGE = REPOSITORY / "licenzy_django"
COMMANDS = sorted(path.stem for path in (PACKAGE / "management/commands").glob("licenzy_*.py"))


def errors_below(kind: type[exceptions.LicenzyError]) -> Iterator[type[exceptions.LicenzyError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == exceptions.__name__:
            yield from errors_below(below)


@pytest.mark.parametrize("error", list(errors_below(exceptions.LicenzyError)), ids=lambda error: error.code)
def test_every_error_has_a_row_with_its_status_and_its_exception(error: type[exceptions.LicenzyError]) -> None:
    assert f"| {error.status} | `{error.code}` | `{error.__name__}`" in page("docs/error-codes.md").text


def test_every_row_is_of_an_error_that_there_is() -> None:
    rows = set(re.findall(r"^\| \d{3} \| `(\w+)`", page("docs/error-codes.md").text, re.MULTILINE))

    assert rows == {error.code for error in errors_below(exceptions.LicenzyError)} | {"throttled"}


def test_every_check_has_a_row() -> None:
    sources = [*PACKAGE.glob("checks/*.py"), PACKAGE / "simulator/checks.py"]
    ids = {found for source in sources for found in re.findall(r'id="(licenzy[\w.]+)"', source.read_text())}
    rows = set(re.findall(r"`(licenzy(?:_simulator)?\.[EWI]\d+)`", page("docs/operating.md").text))
    assert rows == ids


def row_of(setting: Field[Any]) -> str:
    """How the row of a setting begins: name, some type, default."""
    default = setting.default if setting.default is not MISSING else setting.default_factory()  # type: ignore[misc]
    shown = json.dumps(default) if isinstance(default, str) else repr(default)
    if default == STRIPE_API_VERSION:
        return rf"\| `{setting.name}` \| [^|]+ \| the version we were built for \|"
    return rf"\| `{setting.name}` \| [^|]+ \| `{re.escape(shown)}` \|"


@pytest.mark.parametrize("setting", [*fields(LicenzySettings), *fields(SimulatorSettings)], ids=lambda each: each.name)
def test_every_setting_has_a_row_with_its_default(setting: Field[Any]) -> None:
    assert re.search(row_of(setting), page("docs/settings.md").text)


def test_every_variable_of_the_examples_environment_has_a_row() -> None:
    source = (REPOSITORY / "example_project/settings.py").read_text()
    known = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert [name for name in sorted(known) if f"`{name}`" not in page("docs/settings.md").text] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str) -> None:
    assert f"| `{command}" in page("docs/operating.md").text


def test_every_outbound_event_and_key_is_described() -> None:
    text = page("docs/outbound-webhooks.md").text
    assert [name for name in EventType.values if f"`{name}`" not in text] == []
    [shown] = [block for block in BLOCKS if '"entitlement.updated",' in block.text and block.language == "json"]
    assert tuple(json.loads(shown.text)["data"]) == PAYLOAD_KEYS


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
@pytest.mark.django_db
def test_every_command_line_is_one(each: Page) -> None:
    assert {shlex.join(line): problem for line in each.commands() if (problem := problem_of(line))} == {}


def problem_of(line: list[str]) -> str:
    """The text may name a verb without its arguments; a wrong word or option is none."""
    name, *arguments = line
    try:
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)
    except CommandError as error:
        return "" if "arguments are required" in str(error) else str(error)
    return ""


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_every_link_within_the_repository_leads_somewhere(each: Page) -> None:
    broken = [link for link in each.links if not urlsplit(link).scheme and not is_there(each, link)]
    assert broken == []


def is_there(on: Page, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (on.path.parent / path).resolve() if path else on.path
    return target.exists() and (not anchor or anchor in Page(target).anchors)


def test_the_index_and_the_tour_lead_to_every_page() -> None:
    names = {path.name for path in (REPOSITORY / "docs").glob("*.md")} - {"README.md"}
    assert {Path(link).name for link in page("docs/README.md").links if link.endswith(".md")} >= names
    assert {link.removeprefix("docs/").partition("#")[0] for link in page("README.md").links} >= names


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=lambda block: block.place)
def test_every_python_block_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=lambda block: block.place)
def test_every_json_block_is_json(block: Block) -> None:
    json.loads(block.text)
