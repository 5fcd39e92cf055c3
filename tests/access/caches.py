"""Caches with a temper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache


class CountingCache(LocMemCache):
    """Counts the round trips."""

    trips: ClassVar[list[str]] = []

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        self.trips.append("get_many")
        return {key: value for key in keys if (value := super(CountingCache, self).get(key)) is not None}

    def set(self, *args: Any, **kwargs: Any) -> None:
        self.trips.append("set")
        super().set(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        self.trips.append("add")
        return super().add(*args, **kwargs)


class BrokenCache(LocMemCache):
    """Nobody answers."""

    def get_many(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:  # type: ignore[override]
        raise ConnectionError("Connection refused")

    def set(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("Connection refused")

    def add(self, *args: Any, **kwargs: Any) -> bool:
        raise ConnectionError("Connection refused")
