"""The table of docs/checkout-options.md. ``python -m tests.checkout_options.table`` writes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "checkout-options.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def table() -> str:
    from tests.checkout_options.sdk import parameters

    rows = [row for parameter in parameters() for row in rows_of(parameter)]
    return "".join(["| parameter | it is | why, or for what |\n|---|---|---|\n", *rows])


def rows_of(parameter: object) -> Iterator[str]:
    """One row, or one for each parameter inside, where not all of them are in the same list for the same reason."""
    from tests.checkout_options.sdk import Parameter, decided

    assert isinstance(parameter, Parameter)
    if len({decided(inner.path) for inner in parameter.walk()}) > 1:
        for inner in parameter.inside:
            yield from rows_of(inner)
        return
    where, sentence = decided(parameter.path) or ("?", "")
    yield f"| `{parameter.path}` | {where} | {sentence or only_for(parameter.path)} |\n"


def only_for(path: str) -> str:
    from licenzy_django.checkout_options.lists import ONLY_IN

    words = {"payment": "only for what is paid once", "subscription": "only for subscriptions", "": ""}
    return words[ONLY_IN.get(path.split(".")[0], "")]


def with_table(page: str) -> str:
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    PAGE.write_text(with_table(PAGE.read_text()))
