"""Products and prices."""

from __future__ import annotations

from typing import Any

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing, no_such
from ..world import World
from .customers import merge_metadata

_RHYTHM: Json = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
_PRODUCT: Json = {
    "active": True, "attributes": [], "default_price": None, "description": None, "images": [],
    "marketing_features": [], "package_dimensions": None, "shippable": None, "statement_descriptor": None,
    "tax_code": None, "type": "service", "unit_label": None, "url": None,
}  # fmt: skip
_OF_A_PRODUCT = _PRODUCT.keys() - {"attributes", "default_price"}
_MOST_CENTS = 99_999_999


def create_product(
    world: World, name: str, *, product_id: str = "", metadata: Json | None = None, wanted: Json | None = None
) -> Json:
    """``wanted``: the rest as in the API."""
    wanted = {"metadata": metadata or {}} | (wanted or {})
    product: Json = {
        "id": product_id or world.new_id("prod"),
        "object": "product",
        **_PRODUCT,
        **{key: wanted[key] for key in _OF_A_PRODUCT & wanted.keys()},
        "created": world.now,
        "livemode": world.livemode,
        "metadata": dict(wanted["metadata"] or {}),
        "name": name,
        "updated": world.now,
    }
    return world.add(product)


def existing_product(world: World, ref: Any, *, param: str = "") -> Json:
    product = world.find("product", ref, param=param)
    if product.get("deleted"):
        raise no_such("product", product["id"], param=param)
    return product


def update_product(world: World, product: Json, wanted: Json) -> Json:
    """Archived with ``active=false``; an empty value unsets."""
    price = wanted.get("default_price")
    if price and world.find("price", price, param="default_price")["product"] != product["id"]:
        raise invalid("The price does not belong to this product.", "default_price")
    with world.changing(product, "product.updated"):
        for name in (_OF_A_PRODUCT | {"name", "default_price"}) & wanted.keys():
            product[name] = ([] if isinstance(product[name], list) else None) if wanted[name] == "" else wanted[name]
        merge_metadata(product, wanted)
        product["updated"] = world.now
    return product


def delete_product(world: World, product: Json) -> Json:
    if world.store.all("price", product=product["id"]):
        raise RefusalError("This product cannot be deleted because it has one or more user-created prices.")
    world.emit("product.deleted", product)
    kept: Json = {"id": product["id"], "object": "product", "deleted": True}
    product.clear()
    product.update(kept)
    world.store.save(product)
    return product


def create_price(world: World, wanted: Json) -> Json:
    """``wanted`` as in the API; besides, ``id`` and ``product_name`` of the simulator's own."""
    if not wanted.get("currency"):
        raise missing("currency")
    amount = wanted.get("unit_amount")
    if amount is None or amount < 0:
        raise invalid("You must specify a `unit_amount` of 0 or more.", "unit_amount")
    if amount > _MOST_CENTS:
        raise invalid(f"Invalid integer: must be at most {_MOST_CENTS}", "unit_amount", "parameter_invalid_integer")
    recurring = wanted.get("recurring") or None
    if recurring:
        recurring = _RHYTHM | recurring
        if not 1 <= recurring["interval_count"] <= 3 * 365:
            raise invalid("The interval must be from one day to three years.", "recurring[interval_count]")
    product = _product_of(world, wanted)
    price: Json = {
        "id": wanted.get("id") or world.new_id("price"),
        "object": "price",
        "active": wanted.get("active", True),
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": str(wanted["currency"]).lower(),
        "custom_unit_amount": None,
        "livemode": world.livemode,
        "lookup_key": _free_lookup_key(world, wanted),
        "metadata": dict(wanted.get("metadata") or {}),
        "nickname": wanted.get("nickname"),
        "product": product,
        "recurring": recurring,
        "tax_behavior": wanted.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "_currency_options": {},
    }
    set_currency_options(price, wanted)
    return world.add(price)


def update_price(world: World, price: Json, wanted: Json) -> Json:
    """Archived with ``active=false``; its amount and rhythm are for ever."""
    if price["tax_behavior"] not in ("unspecified", wanted.get("tax_behavior", price["tax_behavior"])):
        raise invalid("The `tax_behavior` of a price cannot be changed once it is specified.", "tax_behavior")
    with world.changing(price, "price.updated"):
        for name in {"active", "nickname", "tax_behavior"} & wanted.keys():
            price[name] = wanted[name] if wanted[name] != "" else None
        if "lookup_key" in wanted:
            price["lookup_key"] = _free_lookup_key(world, wanted, price["id"])
        merge_metadata(price, wanted)
        set_currency_options(price, wanted)
    return price


def set_currency_options(price: Json, wanted: Json) -> None:
    """Amounts in other currencies, each replaced as a whole; an empty value takes all away."""
    options = wanted.get("currency_options")
    if options == "":
        price["_currency_options"] = {}
    for currency, option in (options or {}).items():
        path = f"currency_options[{currency}]"
        if currency == price["currency"]:
            raise RefusalError(f"The simulator does not do what `{path}` asks for: it is the price's own currency.",
                               param=path, code="not_simulated")  # fmt: skip
        if option.get("unit_amount") is None:
            raise missing(f"{path}[unit_amount]")
        price["_currency_options"][currency] = currency_option(option["unit_amount"], option.get("tax_behavior"))


def in_currency(price: Json, currency: str, *, param: str) -> Json:
    """The price as it is charged in a currency. ``_own`` is what Stripe goes on showing of it.

    Raises RefusalError where it has no amount in that currency.
    """
    if currency == price["currency"]:
        return price
    option = price.get("_currency_options", {}).get(currency)
    if option is None:
        raise invalid(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{currency}`.", param,
        )  # fmt: skip
    charged = {name: option[name] for name in ("tax_behavior", "unit_amount", "unit_amount_decimal")}
    own = {name: price[name] for name in (*charged, "currency")}
    return price | charged | {"currency": currency, "_own": own}


def currency_option(amount: int, tax_behavior: str | None) -> Json:
    return {
        "custom_unit_amount": None,
        "tax_behavior": tax_behavior or "unspecified",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def currency_options(price: Json) -> Json:
    """What ``expand`` shows: the price's own currency too (``stripe.Price.currency_options``)."""
    own = currency_option(price["unit_amount"], price["tax_behavior"])
    return {price["currency"]: own, **price.get("_currency_options", {})}


def _free_lookup_key(world: World, wanted: Json, own: str = "") -> str | None:
    """A lookup key belongs to one price; ``transfer_lookup_key`` takes it away from the other."""
    key = wanted.get("lookup_key") or None
    for other in world.store.all("price", lookup_key=key) if key else []:
        if other["id"] == own:
            continue
        if not wanted.get("transfer_lookup_key"):
            raise invalid(f"A price (`{other['id']}`) already uses that lookup key.", "lookup_key",
                          "resource_already_exists")  # fmt: skip
        with world.changing(other, "price.updated"):
            other["lookup_key"] = None
    return key


def _product_of(world: World, wanted: Json) -> str:
    if wanted.get("product") and wanted.get("product_data"):
        raise invalid("You may only specify one of these parameters: product, product_data.", "product_data")
    if wanted.get("product"):
        return str(existing_product(world, wanted["product"], param="product")["id"])
    data = wanted.get("product_data") or {}
    name = wanted.get("product_name") or data.get("name") or "Product"
    return str(create_product(world, name, product_id=data.get("id", ""), wanted=data)["id"])


def price_named(world: World, ref: Any, *, param: str) -> Json:
    """The price that a parameter names; 400 when there is none or it is inactive."""
    price = world.find("price", ref, param=param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    return price
