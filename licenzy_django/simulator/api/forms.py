"""Stripe's forms: ``line_items[0][price]=…`` to nested dicts and lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ..json_tree import Json
from ..refusals import RefusalError


def parse(encoded: str) -> Json:
    """Nested dicts of strings; a dict whose keys are 0, 1, 2 … becomes a list. ``a[]=…`` appends."""
    tree: Json = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _put(tree, name, value)
    return {key: _lists(value) for key, value in tree.items()}


def _put(tree: Json, name: str, value: str) -> None:
    head, _, rest = name.partition("[")
    path = [head, *(part.rstrip("]") for part in rest.split("["))] if rest else [head]
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
    if branches and all(key.isdigit() for key in branches):
        return [branches[key] for key in sorted(branches, key=int)]
    return branches
