"""The parameters of Checkout Sessions as the installed ``stripe`` package has them, and where each of them is."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
import typing_extensions
from stripe.params.checkout import SessionCreateParams

from licenzy_django.checkout_options.lists import OURS, REFUSED, SETTABLE
from licenzy_django.checkout_options.shapes import Fields, Several

TRANSPORT = frozenset(stripe.RequestOptions.__annotations__)


@dataclass
class Parameter:
    """One parameter at any depth.

    Attributes:
        path: ``custom_fields.label.custom``; lists have no place of their own in it.
        types: what its value may be, other than a text, a number or a flag's own type: ``object``, ``list``, …
        choices: the words that it may be, if Stripe names them.
    """

    path: str
    types: set[str] = field(default_factory=set)
    choices: set[str] = field(default_factory=set)
    required: bool = True
    inside: list[Parameter] = field(default_factory=list)

    def walk(self) -> Iterator[Parameter]:
        yield self
        for each in self.inside:
            yield from each.walk()


def parameters(declared: type = SessionCreateParams, path: str = "") -> list[Parameter]:
    found = []
    for name, annotation in declared.__annotations__.items():
        if name not in TRANSPORT:
            parameter = Parameter(f"{path}.{name}" if path else name)
            read(annotation, vars(sys.modules[declared.__module__]), parameter)
            found.append(parameter)
    return found


def read(wanted: Any, names: dict[str, Any], into: Parameter) -> None:
    wanted = wanted.__forward_arg__ if isinstance(wanted, ForwardRef) else wanted
    wanted = eval(wanted, dict(names)) if isinstance(wanted, str) else wanted
    origin, args = get_origin(wanted), get_args(wanted)
    if origin in (typing.NotRequired, typing.Required):
        read(args[0], names, into)
        into.required = origin is typing.Required
    elif typing_extensions.is_typeddict(wanted):
        into.types.add("object")
        into.inside = parameters(wanted, into.path)
    elif origin in (Union, UnionType):
        for arg in args:
            read(arg, names, into)
    elif origin is list:
        into.types.add("list")
        read(args[0], names, into)
    elif origin is Literal:
        into.choices |= set(args)
    else:
        into.types.add(getattr(origin or wanted, "__name__", str(wanted)))


def decided(path: str) -> tuple[str, str] | None:
    """In which list a parameter is, and the sentence about it; None if nobody decided."""
    for name in prefixes(path):
        for list_name, sentences in (("ours", OURS), ("refused", REFUSED)):
            if name in sentences:
                return list_name, str(sentences[name])
    return ("settable", "") if shape_at(path) is not None else None


def prefixes(path: str) -> Iterator[str]:
    """The path itself first, then what it is in."""
    parts = path.split(".")
    yield from (".".join(parts[:count]) for count in range(len(parts), 0, -1))


def shape_at(path: str) -> Any:
    """The shape of a settable parameter; None if it is none."""
    shape: Any = SETTABLE
    for name in path.split("."):
        shape = shape.each if isinstance(shape, Several) else shape
        shape = shape.fields.get(name) if isinstance(shape, Fields) else None
    return shape
