"""Every parameter of every operation that the simulator serves is done or refused by name; none is taken and ignored.

Which parameters there are is read from the installed stripe package, so one that a later release adds is refused until
the simulator does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from typing_extensions import is_typeddict

from licenzy_django.simulator.api.params import fields_of, params_class
from licenzy_django.simulator.api.routes import ROUTES
from licenzy_django.simulator.api.simulated import SIMULATED, Known, known, refuse_the_rest
from licenzy_django.simulator.refusals import RefusalError

pytestmark = [pytest.mark.any_database, pytest.mark.once]

OPERATIONS = sorted({route.name for route in ROUTES})
Json = dict[str, Any]
DEEPEST = 5


def parameters(params: type, depth: int = 0) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path of every parameter at any depth, and a value of its type."""
    for name, (wanted, _) in fields_of(params).items():
        if name == "expand" and not depth:
            continue
        yield (name,), example(wanted)
        if (inner := object_in(wanted)) and depth < DEEPEST:
            yield from (((name, *path), value) for path, value in parameters(inner, depth + 1))
        if (entry := object_in_map(wanted)) and depth < DEEPEST:
            yield (name, "*"), {}
            yield from (((name, "*", *path), value) for path, value in parameters(entry, depth + 1))


def object_in(wanted: Any) -> type | None:
    if is_typeddict(wanted):
        return wanted
    for inner in get_args(wanted) if get_origin(wanted) in (list, Union, UnionType) else ():
        if found := object_in(inner):
            return found
    return None


def object_in_map(wanted: Any) -> type | None:
    """Of ``currency_options``, whose names are the caller's."""
    if get_origin(wanted) is dict:
        return object_in(get_args(wanted)[1])
    found = [object_in_map(inner) for inner in get_args(wanted)] if get_origin(wanted) in (Union, UnionType) else []
    return next(filter(None, found), None)


def example(wanted: Any) -> Any:
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return args[-1]
    if origin in (Union, UnionType):
        return example(args[-1])
    if origin is list:
        return [example(args[0])]
    if origin is dict or is_typeddict(wanted):
        return {}
    return {int: 7, bool: True, Decimal: "7"}.get(wanted, "text")


def tree(path: tuple[str, ...], value: Any) -> Json:
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def is_simulated(path: tuple[str, ...], simulated: Known) -> bool:
    for name in path:
        if name not in simulated:
            return False
        inner, _ = simulated[name]
        if inner is None:
            return True
        simulated = inner
    return True


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_not_simulated_is_refused_by_its_name(operation: str) -> None:
    for path, value in parameters(params_class(operation)):
        if is_simulated(path, known(operation)):
            continue
        with pytest.raises(RefusalError) as refused:
            refuse_the_rest(operation, tree(path, value))
        assert refused.value.code == "not_simulated"
        assert path[0] in refused.value.param, path


@pytest.mark.parametrize("operation", sorted(SIMULATED))
def test_what_is_said_to_be_simulated_is_a_parameter_of_stripes(operation: str) -> None:
    there = {path for path, _ in parameters(params_class(operation))}
    assert set(paths_in(known(operation))) <= there
    assert operation in OPERATIONS


def paths_in(simulated: Known, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, (inner, _) in simulated.items():
        yield (*above, name)
        yield from paths_in(inner or {}, (*above, name))
