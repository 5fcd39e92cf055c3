"""What is read: one object, or a list of them with its filters."""

from __future__ import annotations

from typing import Any

from ..json_tree import Json
from ..refusals import invalid
from ..rendering import render
from ..resources.subscriptions import ENDED
from ..world import World
from .listing import page
from .operations import Operation

MOST_LOOKUP_KEYS = 10


def retrieve(kind: str) -> Operation:
    def retrieve_one(world: World, params: Json, identifier: str) -> Json:
        return world.find(kind, identifier)

    return retrieve_one


def list_of(kind: str, *filters: str, url: str = "") -> Operation:
    """``filters`` compare top-level fields; they stand in ``simulated`` too."""

    def listing(world: World, params: Json, _: str) -> Json:
        where: dict[str, Any] = {name: params[name] for name in filters if name in params}
        found = [thing for thing in world.store.all(kind, **where) if not _gone(thing)]
        return page(found, params, url or f"/v1/{kind.replace('.', '/')}s")

    return listing


def _gone(thing: Json) -> bool:
    return bool(thing.get("deleted") or thing.get("_deleted"))


def products(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("active", "shippable", "type", "url") if name in params}
    found = [product for product in world.store.all("product", **where) if not _gone(product)]
    if "ids" in params:
        found = [product for product in found if product["id"] in params["ids"]]
    return page(found, params, "/v1/products")


def prices(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("active", "currency", "product", "type") if name in params}
    found = world.store.all("price", **where)
    if keys := params.get("lookup_keys"):
        if len(keys) > MOST_LOOKUP_KEYS:
            raise invalid(f"You can pass at most {MOST_LOOKUP_KEYS} lookup keys.", "lookup_keys")
        found = [price for price in found if price["lookup_key"] in keys]
    for name, value in (params.get("recurring") or {}).items():
        found = [price for price in found if (price["recurring"] or {}).get(name) == value]
    return page(found, params, "/v1/prices")


def customers(world: World, params: Json, _: str) -> Json:
    """Those of a test clock only when it is named (the library's docstring of ``CustomerListParams.test_clock``)."""
    where = {"email": params["email"]} if "email" in params else {}
    found = world.store.all("customer", test_clock=params.get("test_clock"), **where)
    return page([thing for thing in found if not _gone(thing)], params, "/v1/customers")


def subscriptions(world: World, params: Json, _: str) -> Json:
    """Without ``status`` all but the canceled ones; ``all`` and ``ended`` as Stripe means them.

    Those of a test clock only when it or their customer is named.
    """
    status = params.get("status", "not_canceled")
    where = {name: params[name] for name in ("customer", "test_clock") if name in params} or {"test_clock": None}
    found = [thing for thing in world.store.all("subscription", **where) if _status_fits(thing["status"], status)]
    if "price" in params:
        found = [thing for thing in found if params["price"] in _price_ids(thing)]
    return page(found, params, "/v1/subscriptions")


def _status_fits(has: str, wanted: str) -> bool:
    if wanted == "not_canceled":
        return has != "canceled"
    return wanted == "all" or has == wanted or (wanted == "ended" and has in ENDED)


def _price_ids(subscription: Json) -> list[str]:
    return [item["price"]["id"] for item in subscription["items"]["data"]]


def subscription_items(world: World, params: Json, _: str) -> Json:
    items = world.find("subscription", params["subscription"], param="subscription")["items"]
    return page(list(items["data"]), params, items["url"], newest_first=False)


def invoices(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("customer", "status") if name in params}
    found = [invoice for invoice in world.store.all("invoice", **where) if not _gone(invoice)]
    if wanted := params.get("subscription"):
        found = [invoice for invoice in found if _subscription_of(invoice) == wanted]
    return page(found, params, "/v1/invoices")


def _subscription_of(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def invoice_items(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("customer", "invoice") if name in params}
    found = world.store.all("invoiceitem", **where)
    if "pending" in params:
        found = [item for item in found if (item["invoice"] is None) is params["pending"]]
    return page([item | {"created": item["date"]} for item in found], params, "/v1/invoiceitems")


def invoice_lines(world: World, params: Json, identifier: str) -> Json:
    lines = world.find("invoice", identifier)["lines"]
    return page(list(lines["data"]), params, lines["url"], newest_first=False)


def invoice_payments(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("invoice", "status") if name in params}
    found = world.store.all("invoice_payment", **where)
    if wanted := params.get("payment"):
        world.find("payment_intent", wanted.get("payment_intent", ""), param="payment[payment_intent]")
        found = [payment for payment in found if payment["payment"]["payment_intent"] == wanted.get("payment_intent")]
    return page(found, params, "/v1/invoice_payments")


def events(world: World, params: Json, _: str) -> Json:
    wanted = params.get("types") or ([params["type"]] if "type" in params else [])
    found = world.store.all("event")
    if wanted:
        found = [event for event in found if _type_fits(event["type"], wanted)]
    if "delivery_success" in params:
        success = params["delivery_success"]
        found = [event for event in found if world.store.delivered(event["id"]) is success]
    listed = page(found, params, "/v1/events")
    return listed | {"data": [render(event, event["api_version"]) for event in listed["data"]]}


def event(world: World, params: Json, identifier: str) -> Json:
    """An event keeps the shape of the version it was made in, whatever version is asked for."""
    found = world.find("event", identifier)
    return render(found, found["api_version"])


def _type_fits(event_type: str, wanted: list[str]) -> bool:
    return any(event_type == name or (name.endswith("*") and event_type.startswith(name[:-1])) for name in wanted)
