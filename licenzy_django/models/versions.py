"""What a product gave, and since when: what was sold stays, so the catalog has to remember what it said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Versions = list[dict[str, Any]]
"""The oldest first, each ``{"since": Unix seconds, "gives": {…}, "is_for_all": bool}``."""


def with_version(versions: Versions, gives: dict[str, Any], at: datetime) -> Versions:
    """The versions with what the product gives from now on."""
    if versions and versions[-1]["gives"] == gives:
        return versions
    since = max([int(at.timestamp()), *(version["since"] for version in versions)])
    return [*versions, {"since": since, "gives": gives, "is_for_all": False}]


def applied_to_all(versions: Versions) -> Versions:
    """The versions, of which the newest counts for everybody, whenever they bought."""
    return [*versions[:-1], {**versions[-1], "is_for_all": True}] if versions else []


def is_applied_since(versions: Sequence[dict[str, Any]], at: int) -> bool:
    """Whether something newer than what was sold at a moment was applied to everybody."""
    return any(version["is_for_all"] and version["since"] >= at for version in versions)


def sold_at(versions: Sequence[dict[str, Any]], at: int | None) -> dict[str, Any]:
    """What was sold at a moment, or what was applied to everybody after it. None means unknown: the newest."""
    if not versions:
        return {}
    before = [number for number, version in enumerate(versions) if at is None or version["since"] <= at]
    applied = [number for number, version in enumerate(versions) if version["is_for_all"]]
    gives: dict[str, Any] = versions[max([0, *before[-1:], *applied[-1:]])]["gives"]
    return gives
