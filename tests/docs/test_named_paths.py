"""Every path that the documents for contributors name is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.once
DOCUMENTS = ["CONTRIBUTING.md", "docs/design.md", "docs/reliability.md"]
# A name with a slash and without an ending is a folder of ours, or a path of the API.
PATH = re.compile(r"`((?:licenzy_django|tests|docs|\.ci)/[\w./-]*|(?:[\w.-]+/)*[\w-]+\.(?:py|md|toml|sh))`")
ROOTS = ["", "licenzy_django", "tests"]
"""A table of one part of the repository names its files from there."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_backticks_is_there(document: str) -> None:
    named = set(PATH.findall((REPOSITORY / document).read_text()))

    assert named
    assert sorted(path for path in named if not any((REPOSITORY / root / path).exists() for root in ROOTS)) == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/design.md"])
def test_contributors_are_given_paths_from_the_root(document: str) -> None:
    named = set(PATH.findall((REPOSITORY / document).read_text()))

    assert sorted(path for path in named if not (REPOSITORY / path).exists()) == []


def test_every_test_that_is_named_for_a_fault_is_there() -> None:
    section = (
        (REPOSITORY / "docs/reliability.md").read_text().split("## Each fault that was found")[1].split("\n## ")[0]
    )
    rows = re.findall(r"^\| [SHRM]\d.*\|([^|]*)\|$", section, re.MULTILINE)
    files = [
        each.split(" ", 1)
        for row in rows
        for part in row.split(";")
        for each in re.split(r", (?=\w+[/.])", part.strip())
    ]
    assert len(files) > 40
    for name, *named in files:
        text = (REPOSITORY / "tests" / name).read_text()
        for test in re.findall(r"`(\w+)`", " ".join(named)):
            assert f"def {test}(" in text, (name, test)
