"""Coupons, promotion codes, tax: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import no_such
from ..resources import coupons, customers, promotion_codes, taxes
from ..world import World
from .listing import page


def create_coupon(world: World, params: Json, _: str) -> Json:
    return coupons.shown(world, coupons.create(world, params))


def retrieve_coupon(world: World, params: Json, identifier: str) -> Json:
    return coupons.shown(world, world.find("coupon", identifier))


def update_coupon(world: World, params: Json, identifier: str) -> Json:
    return coupons.shown(world, coupons.update(world, world.find("coupon", identifier), params))


def delete_coupon(world: World, params: Json, identifier: str) -> Json:
    return coupons.delete(world, world.find("coupon", identifier))


def list_coupons(world: World, params: Json, _: str) -> Json:
    return page([coupons.shown(world, coupon) for coupon in world.store.all("coupon")], params, "/v1/coupons")


def create_promotion_code(world: World, params: Json, _: str) -> Json:
    return promotion_codes.shown(world, promotion_codes.create(world, params))


def retrieve_promotion_code(world: World, params: Json, identifier: str) -> Json:
    return promotion_codes.shown(world, world.find("promotion_code", identifier))


def update_promotion_code(world: World, params: Json, identifier: str) -> Json:
    found = world.find("promotion_code", identifier)
    return promotion_codes.shown(world, promotion_codes.update(world, found, params))


def list_promotion_codes(world: World, params: Json, _: str) -> Json:
    where = {"customer": params["customer"]} if "customer" in params else {}
    found = [promotion_codes.shown(world, code) for code in world.store.all("promotion_code", **where)]
    if "active" in params:
        found = [code for code in found if code["active"] is params["active"]]
    if "code" in params:
        found = [code for code in found if code["code"].lower() == params["code"].lower()]
    if "coupon" in params:
        found = [code for code in found if code["promotion"]["coupon"] == params["coupon"]]
    return page(found, params, "/v1/promotion_codes")


def list_tax_ids(world: World, params: Json, identifier: str) -> Json:
    found = world.store.all("tax_id", customer=customers.existing(world, identifier)["id"])
    return page(found, params, f"/v1/customers/{identifier}/tax_ids")


def retrieve_tax_rate(world: World, params: Json, identifier: str) -> Json:
    if identifier != taxes.RATE:
        raise no_such("tax_rate", identifier)
    return taxes.rate(world)
