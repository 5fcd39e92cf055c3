"""Checks what we send to Stripe against the parameter types of the installed stripe package, at any depth.

``assert_valid_params("checkout.sessions.create", params)`` fails for an unknown parameter, a wrong type, a missing
required one and a value outside an enumeration. It reads the package itself and shares no code with the simulator.
"""

from __future__ import annotations

import importlib
import sys
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
import typing_extensions

SPACES = ("checkout", "billing_portal")
TRANSPORT = frozenset(stripe.RequestOptions.__annotations__)


def assert_valid_params(operation: str, params: Mapping[str, Any]) -> None:
    """``operation`` as in ``client.v1.<operation>``, such as ``checkout.sessions.line_items.list``."""
    problems = list(problems_of(params, typed_dict_of(operation), ""))
    assert not problems, f"{operation}: " + "; ".join(problems)


def typed_dict_of(operation: str) -> type:
    *nouns, verb = operation.split(".")
    module = ".".join(["stripe.params", *(noun for noun in nouns if noun in SPACES)])
    stem = "".join(noun.removesuffix("s").title().replace("_", "") for noun in nouns if noun not in SPACES)
    found: type = getattr(importlib.import_module(module), f"{stem}{verb.title().replace('_', '')}Params")
    return found


def problems_of(value: Any, wanted: Any, at: str, names: dict[str, Any] | None = None) -> Iterator[str]:
    wanted = _resolved(wanted, names or {})
    origin, args = get_origin(wanted), get_args(wanted)
    if typing_extensions.is_typeddict(wanted):
        yield from _problems_of_object(value, wanted, at)
    elif origin in (Union, UnionType):
        yield from _problems_of_union(value, args, at, names or {})
    elif origin is list:
        yield from _problems_of_list(value, args[0], at, names or {})
    elif origin is Literal:
        if value not in args:
            yield f"{at} is {value!r}, not one of {args}"
    elif not _fits(value, origin or wanted):
        yield f"{at} is {value!r}, not of type {wanted}"


def _resolved(wanted: Any, names: dict[str, Any]) -> Any:
    """The type behind forward references (of the module that ``names`` belong to) and NotRequired."""
    while True:
        if isinstance(wanted, ForwardRef):
            wanted = wanted.__forward_arg__
        if isinstance(wanted, str):
            wanted = eval(wanted, dict(names))
        if get_origin(wanted) not in (typing.NotRequired, typing.Required):
            return wanted
        wanted = get_args(wanted)[0]


def _fits(value: Any, wanted: type) -> bool:
    if wanted is int:
        return type(value) is int
    if wanted is Decimal:
        return isinstance(value, (Decimal, str))
    if wanted is dict:
        return isinstance(value, dict) and all(isinstance(entry, str) for entry in [*value, *value.values()])
    return isinstance(value, wanted)


def _problems_of_list(value: Any, wanted: Any, at: str, names: dict[str, Any]) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"{at} is not a list"
        return
    for position, entry in enumerate(value):
        yield from problems_of(entry, wanted, f"{at}[{position}]", names)


def _problems_of_object(value: Any, wanted: Any, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at} is not an object"
        return
    names = vars(sys.modules[wanted.__module__])
    known = {name: declared for name, declared in wanted.__annotations__.items() if name not in TRANSPORT}
    for name, entry in value.items():
        path = f"{at}[{name}]" if at else name
        if name not in known:
            yield f"{path} is not a parameter of {wanted.__name__}"
        elif entry is not None:
            yield from problems_of(entry, known[name], path, names)
    for name, declared in known.items():
        if name not in value and "NotRequired[" not in str(declared):
            yield f"{at}[{name}] is missing"


def _problems_of_union(value: Any, args: tuple[Any, ...], at: str, names: dict[str, Any]) -> Iterator[str]:
    """An open enumeration (``Literal[…] | str``) is taken as closed: Stripe refuses what it does not know."""
    closed = any(get_origin(arg) is Literal and get_args(arg) != ("",) for arg in args)
    options = [arg for arg in args if not (closed and arg is str)]
    attempts = [list(problems_of(value, option, at, names)) for option in options]
    if all(attempts):
        yield from min(attempts, key=len)
