"""Lists: newest first, filtered, paged by ``limit`` and ``starting_after``; and ``expand``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..json_tree import Json, snapshot
from ..refusals import invalid, no_such
from ..resources.catalog import currency_options
from ..world import World

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


def created_within(thing: Json, wanted: int | Json | None) -> bool:
    """``created`` as Stripe's lists take it: a moment, or gt, gte, lt, lte."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return bool(thing["created"] == wanted)
    return all(_COMPARISONS[name](thing["created"], moment) for name, moment in wanted.items())


def page(things: list[Json], params: Json, url: str, *, newest_first: bool = True) -> Json:
    """``things`` come oldest first."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", "limit", "parameter_invalid_integer")
    found = [thing for thing in things if created_within(thing, params.get("created"))]
    if newest_first:
        found.reverse()
    if "starting_after" in params:
        found = found[_position(found, params["starting_after"], "starting_after") + 1 :]
    elif "ending_before" in params:
        before = _position(found, params["ending_before"], "ending_before")
        start = max(0, before - limit)
        return _list(found[start:before], url, has_more=start > 0)
    return _list(found[:limit], url, has_more=len(found) > limit)


def _list(things: list[Json], url: str, *, has_more: bool) -> Json:
    return {"object": "list", "data": [snapshot(thing) for thing in things], "has_more": has_more, "url": url}


def _position(things: list[Json], identifier: str, param: str) -> int:
    for position, thing in enumerate(things):
        if thing["id"] == identifier:
            return position
    raise no_such("object", identifier, param=param)


_KINDS = {
    "customer": "customer", "latest_charge": "charge", "latest_invoice": "invoice", "payment_intent": "payment_intent",
    "default_payment_method": "payment_method", "payment_method": "payment_method", "schedule": "subscription_schedule",
    "subscription": "subscription", "invoice": "invoice", "charge": "charge", "product": "product",
    "coupon": "coupon", "promotion_code": "promotion_code", "discounts": "discount", "discount": "discount",
}  # fmt: skip
_HIDDEN = {("invoice", "payments"), ("checkout.session", "line_items"), ("charge", "refunds"),
           ("price", "currency_options")}  # fmt: skip


_PRODUCTS = ["features", "subscription_update", "products"]


def expand(world: World, shown: Json, paths: list[str]) -> Json:
    """Replaces ids by their objects. In lists the paths begin with ``data.``."""
    for path in paths:
        _expand(world, shown, path.split("."), path)
    return shown


def _expand(world: World, shown: Json, path: list[str], whole: str) -> None:
    head, rest = path[0], path[1:]
    if shown.get("object") == "billing_portal.configuration" and path == _PRODUCTS:
        shown["_with_products"] = True
        shown["features"]["subscription_update"].setdefault("products", None)
    if (shown.get("object"), head) in _HIDDEN and head not in shown:
        shown[head] = _hidden(world, shown, head)
    value: Any = shown.get(head)
    if head in _KINDS:
        value = shown[head] = _objects(world, _KINDS[head], value)
    if head not in shown:
        raise invalid(f"This property cannot be expanded ({whole}).", "expand")
    for entry in value if isinstance(value, list) else [value]:
        if rest and isinstance(entry, dict):
            _expand(world, entry, rest, whole)


def _objects(world: World, kind: str, value: Any) -> Any:
    """The object that an id names; of a list of ids all of them. What is no id, or gone, stays."""
    if isinstance(value, list):
        return [_objects(world, kind, entry) for entry in value]
    found = world.store.get(kind, value) if isinstance(value, str) else None
    return snapshot(found) if found else value


def _hidden(world: World, shown: Json, name: str) -> Json:
    if name == "currency_options":
        return currency_options(world.find("price", shown["id"]))
    if name == "payments":
        things, url = world.store.all("invoice_payment", invoice=shown["id"]), "/v1/invoice_payments"
    elif name == "refunds":
        things, url = world.store.all("refund", charge=shown["id"]), f"/v1/charges/{shown['id']}/refunds"
    else:
        things, url = world.find("checkout.session", shown)["_line_items"], line_items_url(shown["id"])
    return page(list(things), {"limit": 100} | {}, url, newest_first=name != "line_items")


def line_items_url(session_id: str) -> str:
    return f"/v1/checkout/sessions/{session_id}/line_items"
