"""An id is given once, and a test names it."""

from __future__ import annotations

import re
from pathlib import Path

import licenzy_django

HERE = Path(__file__).parent
PACKAGE = Path(licenzy_django.__file__).parent


def test_every_check_has_a_test_that_names_it() -> None:
    given = {
        found
        for file in (PACKAGE / "checks").glob("*.py")
        for found in re.findall(r'"licenzy\.(\w\d+)"', file.read_text())
    }
    tested = {found for file in HERE.glob("test_*.py") for found in re.findall(r"licenzy\.(\w\d+)", file.read_text())}
    assert given
    assert given <= tested, sorted(given - tested)
