"""Whatever parameter is taken makes a difference: in the answer, in an event, or in what is kept.

Each operation is asked on two equal accounts, with the parameter and without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin
from unittest.mock import patch

import pytest
from typing_extensions import is_typeddict

from licenzy_django.simulator.api.params import fields_of, params_class
from licenzy_django.simulator.api.routes import ROUTES
from licenzy_django.simulator.api.simulated import Known, known
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.contract.account_of_everything import Account, Form, Json
from tests.contract.parameters_by_example import ALWAYS_SO, BASE, BESIDE, MAY_DECLINE, TARGETS, TRIED_ELSEWHERE, VALUES

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

OPERATIONS = sorted({route.name for route in ROUTES if known(route.name)})


Leaf = tuple[tuple[str, ...], Any, frozenset[str], dict[str, Any]]
"""Path, type, the values that are simulated, and what Stripe requires beside it: path as written → type."""


def leaves(
    params: Any, simulated: Known, above: tuple[str, ...] = (), beside: dict[str, Any] | None = None
) -> Iterator[Leaf]:
    """Inside of lists the first entry is meant."""
    fields = fields_of(params)
    required = {written((*above, name)): wanted for name, (wanted, needed) in fields.items() if needed and above}
    for name, (wanted, _) in fields.items():
        if name not in simulated:
            continue
        inner, values = simulated[name]
        found, listed = inside(wanted)
        path = (*above, name, "0") if listed else (*above, name)
        others = {
            at: kind for at, kind in (beside or {}).items() | required.items() if not written(path).startswith(at)
        }
        if found is not None and is_typeddict(found):
            yield from leaves(found, everything(found) if inner is None else inner, path, others)
        else:
            yield path, found if found is not None else wanted, values, others


def everything(params: Any) -> Known:
    return {name: (None, frozenset()) for name in fields_of(params)}


def inside(wanted: Any) -> tuple[Any, bool]:
    """The compound or the entry's type that a parameter may be, and whether it is a list."""
    options = get_args(wanted) if get_origin(wanted) is Union else (wanted,)
    for option in options:
        if is_typeddict(option):
            return option, False
        if get_origin(option) is list:
            return get_args(option)[0], True
    return None, False


def example(operation: str, path: tuple[str, ...], wanted: Any, values: frozenset[str]) -> str:
    dotted = ".".join(part for part in path if part != "0")
    for name in (f"{operation}:{dotted}", dotted, dotted.rpartition(".")[2]):
        if name in VALUES:
            return VALUES[name]
    if values:
        return min(values - ALWAYS_SO)
    return plain(wanted)


def plain(wanted: Any) -> str:
    for kind in get_args(wanted) if get_origin(wanted) is Union else (wanted,):
        if get_origin(kind) is Literal and get_args(kind) != ("",):
            return str(get_args(kind)[-1])
        if kind in (int, float, bool):
            return "true" if kind is bool else "7"
    return "7" if wanted is Decimal else "text"


def required(beside: dict[str, Any]) -> Form:
    """Something for everything that Stripe requires beside a parameter, at any depth."""
    form: Form = {}
    for at, wanted in beside.items():
        found, listed = inside(wanted)
        place = f"{at}[0]" if listed else at
        if found is not None and is_typeddict(found):
            inner = {f"{place}[{name}]": kind for name, (kind, needed) in fields_of(found).items() if needed}
            form |= required(inner)
        else:
            form[place] = plain(found if found is not None else wanted)
    return form


def written(path: tuple[str, ...]) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:])


def matters(operation: str, leaf: Leaf) -> bool:
    """Also where it is required: without it the answer is another."""
    path, wanted, values, beside = leaf
    is_map = any(get_origin(kind) is dict for kind in (wanted, *get_args(wanted)))
    name = written(path) + ("[key]" if is_map else "")
    base = BASE.get(operation, {}) | required(beside)
    for beginning, more in BESIDE.items():
        if f"{operation}:{dotted(path)}".startswith(beginning) or dotted(path).startswith(beginning):
            base |= more
    base = {key: entry for key, entry in base.items() if entry}
    without = {key: entry for key, entry in base.items() if key != name}
    in_base = name in BASE.get(operation, {})
    given = without | {name: base[name] if in_base else example(operation, path, wanted, values)}
    status, answer, kept = outcome(operation, given)
    assert status == 200 or (operation in MAY_DECLINE and status == 402), (operation, given, answer)
    return (status, answer, kept) != outcome(operation, without)


def dotted(path: tuple[str, ...]) -> str:
    return ".".join(part for part in path if part != "0")


def outcome(operation: str, form: Form) -> tuple[int, Json, Any]:
    """``@name`` stands for the id of that thing, ``@@first`` and ``@@last`` for those of the list."""
    with patch("secrets.token_hex", lambda length: "0" * 2 * length):
        return _outcome(account().twin(), operation, form)


@cache
def account() -> Account:
    return Account()


def _outcome(asked: Account, operation: str, form: Form) -> tuple[int, Json, Any]:
    target = TARGETS.get(operation) or TARGETS.get(operation.rpartition(".")[0], "")
    spelled = {name: value if value[:1] != "@" else asked.ids.get(value[1:], value) for name, value in form.items()}
    for cursor in {"starting_after", "ending_before"} & spelled.keys():
        whole = {name: value for name, value in spelled.items() if name != cursor}
        listed = asked.ask(operation, whole, asked.ids.get(target, target))[1]["data"]
        spelled[cursor] = listed[0 if cursor == "starting_after" else -1]["id"]
    status, answer = asked.ask(operation, spelled, asked.ids.get(target, target))
    store = asked.simulator.store
    assert isinstance(store, MemoryStore)
    return status, answer, store._things


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_parameter_that_is_taken_matters(operation: str) -> None:
    assert [dotted(leaf[0]) for leaf in tried(operation) if not matters(operation, leaf)] == []


def tried(operation: str) -> Iterator[Leaf]:
    for leaf in leaves(params_class(operation), known(operation)):
        says_nothing = leaf[2] and not leaf[2] - ALWAYS_SO
        if not says_nothing and not {dotted(leaf[0]), f"{operation}:{dotted(leaf[0])}"} & TRIED_ELSEWHERE.keys():
            yield leaf
