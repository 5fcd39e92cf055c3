"""What each operation of the API does with its parameters."""

from __future__ import annotations

from collections.abc import Callable

from ..json_tree import Json
from ..refusals import invalid, missing
from ..rendering import render
from ..resources import catalog, customers, payment_methods, portal, sessions
from ..simulator import Simulator
from ..world import World
from .listing import line_items_url, page

Operation = Callable[[World, Json, str], Json]
"""Takes the world, the parameters and the id in the path; answers with a live object or a list."""


def create_session(world: World, params: Json, _: str) -> Json:
    return sessions.create(world, params)


def create_portal_session(world: World, params: Json, _: str) -> Json:
    return portal.create_session(world, params)


def expire_session(world: World, params: Json, identifier: str) -> Json:
    return sessions.expire(world, world.find("checkout.session", identifier))


def list_line_items(world: World, params: Json, identifier: str) -> Json:
    items = world.find("checkout.session", identifier)["_line_items"]
    return page(list(items), params, line_items_url(identifier), newest_first=False)


def update_session(world: World, params: Json, identifier: str) -> Json:
    session = world.find("checkout.session", identifier)
    with world.changing(session):
        customers.merge_metadata(session, params)
    return session


def create_customer(world: World, params: Json, _: str) -> Json:
    """With ``payment_method`` it is attached; ``pm_card_visa`` as the default too means the one that was attached."""
    if params.get("test_clock"):
        world.find("test_helpers.test_clock", params["test_clock"], param="test_clock")
    customer = customers.create(world, params)
    wanted, default = params.get("payment_method"), _default_method(params)
    attached = None
    if wanted:
        method = payment_methods.named(world, wanted, param="payment_method")
        attached = payment_methods.attach(world, method, customer)
    if default:
        known = attached if default == wanted else None
        payment_methods.make_default(world, customer, default, param=_DEFAULT_METHOD, known=known)
    return customer


_DEFAULT_METHOD = "invoice_settings[default_payment_method]"


def _default_method(params: Json) -> str | None:
    return (params.get("invoice_settings") or {}).get("default_payment_method")


def update_customer(world: World, params: Json, identifier: str) -> Json:
    customer = customers.update(world, customers.existing(world, identifier), params)
    default = _default_method(params)
    if default is not None:
        payment_methods.make_default(world, customer, default, param=_DEFAULT_METHOD)
    return customer


def retry_event(world: World, params: Json, identifier: str) -> Json:
    """Delivers it once more: to the endpoint that is named, or to all."""
    event = world.find("event", identifier)
    endpoint = params.get("webhook_endpoint")
    if endpoint:
        world.find("webhook_endpoint", endpoint, param="webhook_endpoint")
    world.store.deliver_again(identifier, endpoint or "")
    return render(event, event["api_version"])


def delete_customer(world: World, params: Json, identifier: str) -> Json:
    customers.existing(world, identifier)
    return Simulator.delete_customer(world, identifier)


def create_price(world: World, params: Json, _: str) -> Json:
    price = catalog.create_price(world, params)
    world.emit("price.created", price)
    return price


def update_price(world: World, params: Json, identifier: str) -> Json:
    return catalog.update_price(world, world.find("price", identifier), params)


def create_product(world: World, params: Json, _: str) -> Json:
    """``default_price_data`` makes a price with it."""
    if not params.get("name"):
        raise missing("name")
    if params.get("id") and world.store.get("product", params["id"]):
        raise invalid(f"Product already exists: {params['id']}", "id", "resource_already_exists")
    product = catalog.create_product(world, params["name"], product_id=params.get("id", ""), wanted=params)
    world.emit("product.created", product)
    if wanted := params.get("default_price_data"):
        price = create_price(world, wanted | {"product": product["id"]}, "")
        with world.changing(product):
            product["default_price"] = price["id"]
    return product


def update_product(world: World, params: Json, identifier: str) -> Json:
    return catalog.update_product(world, catalog.existing_product(world, identifier), params)


def delete_product(world: World, params: Json, identifier: str) -> Json:
    return catalog.delete_product(world, catalog.existing_product(world, identifier))


def create_endpoint(world: World, params: Json, _: str) -> Json:
    endpoint = portal.create_endpoint(world, params)
    return endpoint | {"secret": endpoint["_secret"]}


def update_endpoint(world: World, params: Json, identifier: str) -> Json:
    return portal.update_endpoint(world, world.find("webhook_endpoint", identifier), params)


def delete_endpoint(world: World, params: Json, identifier: str) -> Json:
    endpoint = world.find("webhook_endpoint", identifier)
    with world.changing(endpoint):
        endpoint |= {"status": "disabled", "_deleted": True}
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}
