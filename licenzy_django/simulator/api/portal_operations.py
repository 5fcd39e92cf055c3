"""Configurations of the billing portal: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..resources import portal_configurations
from ..world import World
from .listing import page


def create(world: World, params: Json, _: str) -> Json:
    return portal_configurations.create(world, params)


def update(world: World, params: Json, identifier: str) -> Json:
    return portal_configurations.update(world, portal_configurations.named(world, identifier), params)


def retrieve(world: World, params: Json, identifier: str) -> Json:
    return portal_configurations.named(world, identifier)


def list_all(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("active", "is_default") if name in params}
    found = [
        entry
        for entry in portal_configurations.everything(world)
        if all(entry[name] == value for name, value in where.items())
    ]
    return page(found, params, "/v1/billing_portal/configurations")
