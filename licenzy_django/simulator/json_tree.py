"""Plain JSON trees: copying them, comparing them, hiding what is ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def snapshot(tree: Any) -> Any:
    """A deep copy of a JSON tree; several times faster than ``copy.deepcopy``."""
    if type(tree) is dict:
        return {key: snapshot(value) if type(value) in (dict, list) else value for key, value in tree.items()}
    if type(tree) is list:
        return [snapshot(value) if type(value) in (dict, list) else value for value in tree]
    return tree


def public(thing: Mapping[str, Any]) -> Json:
    """A copy of a Stripe object without the keys that only the simulator knows (they begin with ``_``).

    What ``_own`` has is shown in the place of what is charged (``catalog.in_currency``).
    """
    shown = {key: _public(key, value) for key, value in thing.items() if key[0] != "_"}
    own: Json = thing.get("_own", {})
    return shown | own


def _public(key: str, value: Any) -> Any:
    if type(value) is dict and key != "metadata":
        return public(value)
    if type(value) is list:
        return [public(entry) if type(entry) is dict else entry for entry in value]
    return snapshot(value)


class ShownEvent(dict[str, Any]):
    """An event without internal keys. ``stored`` has them: what an older API version showed is made from those."""

    __slots__ = ("stored",)

    def __init__(self, stored: Json) -> None:
        super().__init__(public(stored))
        self.stored = stored


def whole(event: Mapping[str, Any]) -> Json:
    """An event with its internal keys, and with whatever was changed since it was shown."""
    found: Json = _with_internal(dict(event), getattr(event, "stored", None))
    return found


def _with_internal(shown: Any, stored: Any) -> Any:
    if isinstance(shown, dict) and isinstance(stored, dict):
        internal = {key: value for key, value in stored.items() if key[0] == "_"}
        return internal | {key: _with_internal(value, stored.get(key)) for key, value in shown.items()}
    if isinstance(shown, list) and isinstance(stored, list):
        known = [_with_internal(*pair) for pair in zip(shown, stored, strict=False)]
        return known + shown[len(known) :]
    return shown


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Json:
    """What ``previous_attributes`` says: the old values of the changed keys, objects by key, lists whole."""
    changed: Json = {}
    for key, old in before.items():
        new = after.get(key)
        if key[0] == "_" or old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changed[key] = difference(old, new)
        else:
            changed[key] = snapshot(old)
    for key in after.keys() - before.keys():
        if key[0] != "_":
            changed[key] = None
    return changed
