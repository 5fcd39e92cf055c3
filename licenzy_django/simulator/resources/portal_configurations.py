"""Configurations of the billing portal: what customers may do there.

docs.stripe.com/api/customer_portal/configurations. An account has a default one. That of the simulator lets
customers do everything that the page has buttons for, and nobody has to make it.
"""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..refusals import invalid, missing
from ..world import World
from . import catalog, customers

DEFAULT_ID = "bpc_simulator"
MOST_PRODUCTS = 10
_FEATURES: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []}, "enabled": False, "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None, "default_allowed_updates": [], "enabled": False, "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "end_trial",
    },
}  # fmt: skip


def create(world: World, wanted: Json) -> Json:
    if not wanted.get("features"):
        raise missing("features")
    configuration = _shape(world, world.new_id("bpc")) | {"is_default": False}
    _take(world, configuration, wanted)
    return world.add(configuration, "billing_portal.configuration.created")


def update(world: World, configuration: Json, wanted: Json) -> Json:
    if world.store.get("billing_portal.configuration", configuration["id"]) is None:
        world.add(configuration)
    if wanted.get("active") is False and configuration["is_default"]:
        raise invalid("The default configuration cannot be deactivated.", "active")
    with world.changing(configuration, "billing_portal.configuration.updated"):
        _take(world, configuration, wanted)
        configuration["updated"] = world.now
    return configuration


def _shape(world: World, identifier: str) -> Json:
    return {
        "id": identifier,
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": world.now,
        "default_return_url": None,
        "features": snapshot(_FEATURES),
        "is_default": True,
        "livemode": world.livemode,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": world.now,
    }


def _take(world: World, configuration: Json, wanted: Json) -> None:
    features = snapshot(configuration["features"])
    for name, given in (wanted.get("features") or {}).items():
        features[name] |= {key: value or [] if key in _LISTS else value for key, value in given.items()}
    _check(world, features)
    configuration["features"] = features
    configuration["_everything"] = configuration.get("_everything", False) and not wanted.get("features")
    configuration |= {name: wanted[name] or None for name in ("default_return_url", "name") if name in wanted}
    configuration["active"] = wanted.get("active", configuration["active"])
    customers.merge_metadata(configuration, wanted)


_LISTS = ("default_allowed_updates", "products")


def _check(world: World, features: Json) -> None:
    """ "The list of up to 10 products that support subscription updates"."""
    update = features["subscription_update"]
    products = update.get("products") or []
    if update["enabled"] and not (products and update["default_allowed_updates"]):
        raise invalid(
            "An enabled `subscription_update` needs `products` and `default_allowed_updates`.",
            "features[subscription_update]",
        )
    if len(products) > MOST_PRODUCTS:
        raise invalid(f"A maximum of {MOST_PRODUCTS} products is allowed.", "features[subscription_update][products]")
    for at, entry in enumerate(products):
        place = f"features[subscription_update][products][{at}]"
        catalog.existing_product(world, entry["product"], param=f"{place}[product]")
        seen = set()
        for number, ref in enumerate(entry["prices"]):
            price = catalog.price_named(world, ref, param=f"{place}[prices][{number}]")
            if price["product"] != entry["product"] or not price["recurring"]:
                raise invalid("The price is not a recurring one of this product.", f"{place}[prices][{number}]")
            if (rhythm := (price["recurring"]["interval"], price["recurring"]["interval_count"])) in seen:
                raise invalid("Prices of a product must have different billing intervals.", f"{place}[prices]")
            seen.add(rhythm)


def wanted(world: World, ref: str | None) -> Json:
    """The configuration of a session: the one that is named, or the default one."""
    configuration = named(world, ref or DEFAULT_ID, param="configuration")
    if not configuration["active"]:
        raise invalid(f"The configuration `{configuration['id']}` is not active.", "configuration")
    return configuration


def named(world: World, ref: str, *, param: str = "") -> Json:
    found = world.store.get("billing_portal.configuration", ref)
    if found is None and ref == DEFAULT_ID:
        return _default(world)
    return found or world.find("billing_portal.configuration", ref, param=param)


def everything(world: World) -> list[Json]:
    """Oldest first: the default one, and those that were made."""
    made = [entry for entry in world.store.all("billing_portal.configuration") if not entry["is_default"]]
    return [named(world, DEFAULT_ID), *made]


def _default(world: World) -> Json:
    """Not stored until it is changed; what is sold may be chosen, price by price."""
    default = _shape(world, DEFAULT_ID) | {"_everything": True}
    prices = [price for price in world.store.all("price", active=True) if price["recurring"]]
    products: dict[str, list[str]] = {price["product"]: [] for price in prices}
    for price in prices:
        products[price["product"]].append(price["id"])
    features = default["features"]
    for name in ("invoice_history", "payment_method_update", "subscription_cancel", "subscription_update"):
        features[name]["enabled"] = True
    features["subscription_update"] |= {
        "default_allowed_updates": ["price", "quantity"],
        "products": [
            {"adjustable_quantity": {"enabled": True, "maximum": None, "minimum": 1}, "prices": ids, "product": product}
            for product, ids in products.items()
        ],
    }
    return default
