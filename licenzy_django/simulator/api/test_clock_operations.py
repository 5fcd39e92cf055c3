"""Test clocks: what the API does with their parameters."""

from __future__ import annotations

from .. import clocks
from ..json_tree import Json
from ..world import World


def create(world: World, params: Json, _: str) -> Json:
    return clocks.create(world, params)


def advance(world: World, params: Json, identifier: str) -> Json:
    return clocks.advance(world, world.find(clocks.KIND, identifier), params["frozen_time"])


def delete(world: World, params: Json, identifier: str) -> Json:
    return clocks.delete(world, world.find(clocks.KIND, identifier))
