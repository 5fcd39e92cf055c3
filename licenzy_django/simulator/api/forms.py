"""Stripe's forms: ``line_items[0][price]=…`` to nested dicts and lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ..json_tree import Json
from ..refusals import RefusalError

MOST_FIELDS, DEEPEST, MOST_DIGITS = 10_000, 20, 6


def parse(encoded: str) -> Json:
    """Nested dicts of strings; a dict whose keys are 0, 1, 2 … becomes a list. ``a[]=…`` appends.

    Raises RefusalError for what is no such form.
    """
    tree: Json = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise RefusalError("Invalid request: this form has too many fields.") from error
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise RefusalError("Invalid string: a null byte is not allowed.", param=name.replace("\0", ""))
        _put(tree, name, value)
    return {key: _lists(value) for key, value in tree.items()}


def _put(tree: Json, name: str, value: str) -> None:
    head, _, rest = name.partition("[")
    path = [head, *(part.rstrip("]") for part in rest.split("["))] if rest else [head]
    if len(path) > DEEPEST:
        raise RefusalError("Invalid request: this form is nested too deeply.", param=head)
    for depth, part in enumerate(path[:-1]):
        branch = tree.setdefault(_key(tree, part), {})
        if not isinstance(branch, dict):
            raise RefusalError(f"Invalid parameter: {name}", param="[".join(path[: depth + 1]))
        tree = branch
    tree[_key(tree, path[-1])] = value


def _key(tree: Json, part: str) -> str:
    return part or str(len(tree))


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    branches = {key: _lists(value) for key, value in tree.items()}
    if branches and all(_is_position(key) for key in branches):
        return [branches[key] for key in sorted(branches, key=int)]
    return branches


def _is_position(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= MOST_DIGITS
