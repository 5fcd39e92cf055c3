"""German is complete: whatever a person reads in this package has a translation, and codes stay English."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override
from django.utils.translation.template import templatize

import licenzy_django
from licenzy_django import exceptions, wording

pytestmark = [pytest.mark.any_database, pytest.mark.once]

PACKAGE = Path(licenzy_django.__file__).parent
MESSAGES = PACKAGE / "locale" / "de" / "LC_MESSAGES"
MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
IN_TEMPLATE = re.compile(r"gettext\((u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))")
PLACEHOLDER = re.compile(r"%\(\w+\)s|%[ds]|\{\w*\}")


def texts_of_code() -> Iterator[str]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value:
                    yield first.value


def texts_of_templates() -> Iterator[str]:
    for path in [*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.txt")]:
        for quoted in IN_TEMPLATE.findall(templatize(path.read_text(), origin=str(path))):
            # The percent sign of a plain text is doubled for the extractor.
            yield ast.literal_eval(quoted)


@pytest.fixture(scope="module")
def german() -> dict[str, list[str]]:
    """What each text is in German: one form, or two where it counts something."""
    with (MESSAGES / "django.mo").open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    found: dict[str, list[str]] = {}
    for key, text in catalog.items():
        found.setdefault(key if isinstance(key, str) else key[0], []).append(text)
    return found


def test_nothing_that_people_read_is_missing(german: dict[str, list[str]]) -> None:
    wanted = {*texts_of_code(), *texts_of_templates()}
    assert len(wanted) > 300, "The texts were not found."
    assert sorted(wanted - german.keys()) == [], "Run `make messages`, translate, and run it again."


def test_no_placeholder_is_lost(german: dict[str, list[str]]) -> None:
    for english, forms in german.items():
        for text in forms if english else ():
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english)), english


def test_the_source_and_what_is_compiled_of_it_agree(german: dict[str, list[str]]) -> None:
    source = (MESSAGES / "django.po").read_text()
    assert "fuzzy" not in source
    assert not re.search(r'^msgstr(\[\d\])? ""\n\n', source, re.MULTILINE), "Something is not translated."
    assert len(re.findall(r"^msgid ", source, re.MULTILINE)) == len(german), "Run `make messages`."


def test_every_reason_and_every_refusal_has_words(german: dict[str, list[str]]) -> None:
    codes = {error.code for error in vars(exceptions).values() if isinstance(error, type) and hasattr(error, "code")}
    assert wording.REFUSALS.keys() <= codes
    for code, text in (wording.REASONS | wording.REFUSALS).items():
        with override("de"):
            spoken = str(text)
        assert [spoken] == german[str(text)], code


def test_codes_stay_english() -> None:
    with override("de"):
        assert str(wording.reason_in_words("usage_exhausted")) == "Alles ist verbraucht."
        assert exceptions.EntitlementRequired().code == "entitlement_required"
    assert wording.reason_in_words(None) == ""
    assert str(wording.refusal_in_words("something_new")) == "This was not possible."
