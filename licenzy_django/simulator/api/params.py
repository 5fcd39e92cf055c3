"""Which parameters a request may have: read from the TypedDicts of the installed stripe package.

So the simulator knows exactly the parameters of the pinned API version, at any depth, and refuses all others as Stripe
does. A form carries strings; they come out as what the type says.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import is_typeddict

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from .own_params import OWN

MOST_DIGITS, MOST_DIGITS_OF_AN_INTEGER = 40, 18
MAX_METADATA_KEYS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500
Reader = Callable[[Any, str], Any]


def read(operation: str, form: Json) -> Json:
    """The parameters of an operation such as ``checkout.sessions.create``, checked and typed."""
    read_all: Json = _object(params_class(operation))(form, "")
    return read_all


@cache
def params_class(operation: str) -> type:
    """``invoice_payments.list`` → ``stripe.params.InvoicePaymentListParams``."""
    if operation in OWN:
        return OWN[operation]
    *path, verb = operation.split(".")
    spaces = [part for part in path[:-1] if part in ("checkout", "billing_portal", "test_helpers")]
    nouns = [part for part in path if part not in spaces]
    name = "".join(_singular(noun) for noun in nouns) + "".join(part.title() for part in verb.split("_")) + "Params"
    found: type = getattr(importlib.import_module(".".join(["stripe.params", *spaces])), name)
    return found


def _singular(noun: str) -> str:
    return "".join(part.title() for part in noun.removesuffix("s").split("_"))


@cache
def _transport_options() -> frozenset[str]:
    from stripe import RequestOptions

    return frozenset(RequestOptions.__annotations__)


def fields_of(params: type) -> dict[str, tuple[Any, bool]]:
    """Name → (type, required), without what configures the request rather than the API."""
    names = vars(sys.modules[params.__module__])
    fields: dict[str, tuple[Any, bool]] = {}
    for name, declared in params.__annotations__.items():
        if name in _transport_options():
            continue
        wanted, required = resolve(declared, names), True
        if get_origin(wanted) in (NotRequired, Required):
            required = get_origin(wanted) is Required
            wanted = resolve(get_args(wanted)[0], names)
        fields[name] = (wanted, required)
    return fields


def resolve(declared: Any, names: dict[str, Any]) -> Any:
    """A type out of what an annotation says; forward references belong to the module that ``names`` are of."""
    if isinstance(declared, ForwardRef):
        declared = declared.__forward_arg__
    if isinstance(declared, str):
        return resolve(eval(declared, dict(names)), names)  # noqa: S307  annotations of an installed package
    origin = get_origin(declared)
    if origin is list:
        return list[resolve(get_args(declared)[0], names)]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return Union[tuple(resolve(arg, names) for arg in get_args(declared))]  # noqa: UP007
    return declared


@cache
def _reader(wanted: Any) -> Reader:
    origin = get_origin(wanted)
    if is_typeddict(wanted):
        return _object(wanted)
    if origin is list:
        return _list(_reader(get_args(wanted)[0]))
    if origin is dict:
        entry = get_args(wanted)[1]
        return _map(_reader(entry)) if is_typeddict(entry) else _metadata
    if origin is Literal:
        return _choice(tuple(str(arg) for arg in get_args(wanted)))
    if origin in (Union, UnionType):
        return _either(get_args(wanted))
    return {int: _integer, bool: _boolean, float: _number, Decimal: _decimal}.get(wanted, _string)


@cache
def _object(params: type) -> Reader:
    fields = {name: (_reader(wanted), required) for name, (wanted, required) in fields_of(params).items()}

    def read_object(value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise invalid("Invalid object", at)
        for name in value:
            if name not in fields:
                path = f"{at}[{name}]" if at else name
                raise RefusalError(f"Received unknown parameter: {path}", param=path, code="parameter_unknown")
        found = {}
        for name, (reader, required) in fields.items():
            path = f"{at}[{name}]" if at else name
            if name in value:
                found[name] = reader(value[name], path)
            elif required:
                raise missing(path)
        return found

    return read_object


def _map(reader: Reader) -> Reader:
    """Objects by names of the caller's: ``currency_options[usd][unit_amount]``."""

    def read_map(value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise invalid("Invalid hash", at)
        return {name: reader(entry, f"{at}[{name}]") for name, entry in value.items()}

    return read_map


def _list(reader: Reader) -> Reader:
    def read_list(value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise invalid("Invalid array", at)
        return [reader(entry, f"{at}[{index}]") for index, entry in enumerate(value)]

    return read_list


def _either(args: tuple[Any, ...]) -> Reader:
    """Unions are: emptyable (``""`` unsets), an open enum (``…|str``; closed here), or a scalar or an object."""
    emptyable = any(get_origin(arg) is Literal and get_args(arg) == ("",) for arg in args)
    choices = tuple(
        str(choice) for arg in args if get_origin(arg) is Literal for choice in get_args(arg) if choice != ""
    )
    compound = [_reader(arg) for arg in args if is_typeddict(arg) or get_origin(arg) in (list, dict)]
    scalars = [_reader(arg) for arg in args if arg in (int, bool, float, Decimal)]
    plain = [_choice(choices)] if choices and not scalars else []

    def read_either(value: Any, at: str) -> Any:
        if value == "" and emptyable:
            return ""
        if isinstance(value, str) and value in choices:
            return value
        options = compound if isinstance(value, (dict, list)) else scalars + plain
        if not options and compound:
            options = compound
        return (options or [_string])[0](value, at)

    return read_either


def _choice(choices: tuple[str, ...]) -> Reader:
    def read_choice(value: Any, at: str) -> str:
        if value not in choices:
            listed = ", ".join(choices[:-1]) + f", or {choices[-1]}" if len(choices) > 1 else choices[0]
            raise invalid(f"Invalid {at}: must be one of {listed}", at)
        return str(value)

    return read_choice


def _metadata(value: Any, at: str) -> Json:
    if not isinstance(value, dict):
        raise invalid("Invalid hash", at)
    if len(value) > MAX_METADATA_KEYS:
        raise invalid(f"Metadata can have at most {MAX_METADATA_KEYS} keys.", at)
    for key, entry in value.items():
        if len(key) > MAX_METADATA_KEY:
            raise invalid(f"Metadata keys can be up to {MAX_METADATA_KEY} characters.", f"{at}[{key}]")
        if not isinstance(entry, str) or len(entry) > MAX_METADATA_VALUE:
            raise invalid(f"Metadata values can be up to {MAX_METADATA_VALUE} characters.", f"{at}[{key}]")
    return dict(value)


def _string(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", at)
    if len(value) > 5000:
        raise invalid("Invalid string: must be at most 5000 characters", at)
    return value


def _integer(value: Any, at: str) -> int:
    text = str(value)
    if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > MOST_DIGITS_OF_AN_INTEGER:
        raise invalid(f"Invalid integer: {text[:MOST_DIGITS]}", at, "parameter_invalid_integer")
    return int(text)


def _boolean(value: Any, at: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", at)
    return bool(value == "true")


def _number(value: Any, at: str) -> float:
    return float(_decimal(value, at))


def _decimal(value: Any, at: str) -> str:
    try:
        number = Decimal(str(value)[:MOST_DIGITS])
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(str(value)) > MOST_DIGITS:
        raise invalid(f"Invalid decimal: {str(value)[:MOST_DIGITS]}", at)
    return str(value)
