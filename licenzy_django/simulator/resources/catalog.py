"""Products and prices."""

from __future__ import annotations

from typing import Any

from ..json_tree import Json
from ..refusals import invalid, missing
from ..world import World

_RHYTHM: Json = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}


def create_product(world: World, name: str, *, product_id: str = "", metadata: Json | None = None) -> Json:
    product: Json = {
        "id": product_id or world.new_id("prod"),
        "object": "product",
        "active": True,
        "attributes": [],
        "created": world.now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": world.livemode,
        "marketing_features": [],
        "metadata": dict(metadata or {}),
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": world.now,
        "url": None,
    }
    return world.add(product)


def create_price(world: World, wanted: Json) -> Json:
    """``wanted`` as in the API; besides, ``id``, ``product_name`` and ``trial_period_days`` of the simulator's own."""
    if not wanted.get("currency"):
        raise missing("currency")
    amount = wanted.get("unit_amount")
    if amount is None or amount < 0:
        raise invalid("You must specify a `unit_amount` of 0 or more.", "unit_amount")
    recurring = wanted.get("recurring") or None
    if recurring:
        recurring = _RHYTHM | recurring
    price: Json = {
        "id": wanted.get("id") or world.new_id("price"),
        "object": "price",
        "active": wanted.get("active", True),
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": str(wanted["currency"]).lower(),
        "custom_unit_amount": None,
        "livemode": world.livemode,
        "lookup_key": wanted.get("lookup_key"),
        "metadata": dict(wanted.get("metadata") or {}),
        "nickname": wanted.get("nickname"),
        "product": _product_of(world, wanted),
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "_trial_period_days": wanted.get("trial_period_days"),
    }
    return world.add(price)


def _product_of(world: World, wanted: Json) -> str:
    if wanted.get("product"):
        return str(world.find("product", wanted["product"], param="product")["id"])
    name = wanted.get("product_name") or (wanted.get("product_data") or {}).get("name") or "Product"
    return str(create_product(world, name)["id"])


def price_named(world: World, ref: Any, *, param: str) -> Json:
    """The price that a parameter names; 400 when there is none or it is inactive."""
    price = world.find("price", ref, param=param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    return price
