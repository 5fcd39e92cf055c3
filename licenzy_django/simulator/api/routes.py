"""The paths: method and pattern → the operation, its parameters, and what is read without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..json_tree import Json
from ..refusals import RefusalError, only
from ..rendering import render
from ..resources.subscriptions import ENDED
from ..world import World
from . import operations as do
from .listing import PAGING, page


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    name: str
    run: Callable[..., Json]
    pages: bool = field(default=False)
    """Whether the operation wants to know where the simulator's pages are."""


def _retrieve(kind: str) -> do.Operation:
    def retrieve(world: World, params: Json, identifier: str) -> Json:
        return world.find(kind, identifier)

    return retrieve


def _list(kind: str, *filters: str) -> do.Operation:
    def listing(world: World, params: Json, _: str) -> Json:
        only(params, *PAGING, *filters)
        where: dict[str, Any] = {name: params[name] for name in filters if name in params}
        found = [thing for thing in world.store.all(kind, **where) if not _gone(thing)]
        return page(found, params, f"/v1/{kind.replace('.', '/')}s")

    return listing


def _gone(thing: Json) -> bool:
    return bool(thing.get("deleted") or thing.get("_deleted"))


def _list_subscriptions(world: World, params: Json, _: str) -> Json:
    """Without ``status`` all but the canceled ones; ``all`` and ``ended`` as Stripe means them."""
    only(params, *PAGING, "status", "customer", "price")
    status = params.get("status", "not_canceled")
    where = {"customer": params["customer"]} if "customer" in params else {}
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


def _list_invoices(world: World, params: Json, _: str) -> Json:
    only(params, *PAGING, "customer", "status", "subscription")
    where = {name: params[name] for name in ("customer", "status") if name in params}
    found = world.store.all("invoice", **where)
    if wanted := params.get("subscription"):
        found = [invoice for invoice in found if invoice["parent"]["subscription_details"]["subscription"] == wanted]
    return page(found, params, "/v1/invoices")


def _list_invoice_payments(world: World, params: Json, _: str) -> Json:
    where = {name: params[name] for name in ("invoice", "status") if name in params}
    found = world.store.all("invoice_payment", **where)
    if wanted := params.get("payment"):
        world.find("payment_intent", wanted.get("payment_intent", ""), param="payment[payment_intent]")
        found = [payment for payment in found if payment["payment"]["payment_intent"] == wanted.get("payment_intent")]
    return page(found, params, "/v1/invoice_payments")


def _list_events(world: World, params: Json, _: str) -> Json:
    wanted = params.get("types") or ([params["type"]] if "type" in params else [])
    found = world.store.all("event")
    if wanted:
        found = [event for event in found if _type_fits(event["type"], wanted)]
    if "delivery_success" in params:
        success = params["delivery_success"]
        found = [event for event in found if world.store.delivered(event["id"]) is success]
    listed = page(found, params, "/v1/events")
    return listed | {"data": [render(event, event["api_version"]) for event in listed["data"]]}


def _retrieve_event(world: World, params: Json, identifier: str) -> Json:
    """An event keeps the shape of the version it was made in, whatever version is asked for."""
    event = world.find("event", identifier)
    return render(event, event["api_version"])


def _type_fits(event_type: str, wanted: list[str]) -> bool:
    return any(event_type == name or (name.endswith("*") and event_type.startswith(name[:-1])) for name in wanted)


_TABLE: tuple[tuple[str, str, str, Callable[..., Json]], ...] = (
    ("POST", "/v1/checkout/sessions", "checkout.sessions.create", do.create_session),
    ("GET", "/v1/checkout/sessions", "checkout.sessions.list",
     _list("checkout.session", "customer", "payment_intent", "subscription", "status")),
    ("GET", "/v1/checkout/sessions/{id}", "checkout.sessions.retrieve", _retrieve("checkout.session")),
    ("POST", "/v1/checkout/sessions/{id}", "checkout.sessions.update", do.update_session),
    ("POST", "/v1/checkout/sessions/{id}/expire", "checkout.sessions.expire", do.expire_session),
    ("GET", "/v1/checkout/sessions/{id}/line_items", "checkout.sessions.line_items.list", do.list_line_items),
    ("POST", "/v1/customers", "customers.create", do.create_customer),
    ("GET", "/v1/customers", "customers.list", _list("customer", "email")),
    ("GET", "/v1/customers/{id}", "customers.retrieve", _retrieve("customer")),
    ("POST", "/v1/customers/{id}", "customers.update", do.update_customer),
    ("DELETE", "/v1/customers/{id}", "customers.delete", do.delete_customer),
    ("POST", "/v1/billing_portal/sessions", "billing_portal.sessions.create", do.create_portal_session),
    ("GET", "/v1/subscriptions", "subscriptions.list", _list_subscriptions),
    ("GET", "/v1/subscriptions/{id}", "subscriptions.retrieve", _retrieve("subscription")),
    ("POST", "/v1/subscriptions/{id}", "subscriptions.update", do.update_subscription),
    ("DELETE", "/v1/subscriptions/{id}", "subscriptions.cancel", do.cancel_subscription),
    ("POST", "/v1/subscriptions/{id}/pause", "subscriptions.pause", do.pause_subscription),
    ("POST", "/v1/subscriptions/{id}/resume", "subscriptions.resume", do.resume_subscription),
    ("GET", "/v1/invoices", "invoices.list", _list_invoices),
    ("GET", "/v1/invoices/{id}", "invoices.retrieve", _retrieve("invoice")),
    ("GET", "/v1/invoices/{id}/lines", "invoices.line_items.list", do.list_invoice_lines),
    ("POST", "/v1/invoices/{id}/pay", "invoices.pay", do.pay_invoice),
    ("GET", "/v1/invoice_payments", "invoice_payments.list", _list_invoice_payments),
    ("GET", "/v1/invoice_payments/{id}", "invoice_payments.retrieve", _retrieve("invoice_payment")),
    ("GET", "/v1/charges", "charges.list", _list("charge", "customer", "payment_intent")),
    ("GET", "/v1/charges/{id}", "charges.retrieve", _retrieve("charge")),
    ("GET", "/v1/payment_intents", "payment_intents.list", _list("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/{id}", "payment_intents.retrieve", _retrieve("payment_intent")),
    ("POST", "/v1/refunds", "refunds.create", do.create_refund),
    ("GET", "/v1/refunds", "refunds.list", _list("refund", "charge", "payment_intent")),
    ("GET", "/v1/refunds/{id}", "refunds.retrieve", _retrieve("refund")),
    ("GET", "/v1/disputes", "disputes.list", _list("dispute", "charge", "payment_intent")),
    ("GET", "/v1/disputes/{id}", "disputes.retrieve", _retrieve("dispute")),
    ("GET", "/v1/events", "events.list", _list_events),
    ("GET", "/v1/events/{id}", "events.retrieve", _retrieve_event),
    ("POST", "/v1/prices", "prices.create", do.create_price),
    ("GET", "/v1/prices", "prices.list", _list("price", "active", "currency", "product", "type")),
    ("GET", "/v1/prices/{id}", "prices.retrieve", _retrieve("price")),
    ("POST", "/v1/products", "products.create", do.create_product),
    ("GET", "/v1/products", "products.list", _list("product", "active")),
    ("GET", "/v1/products/{id}", "products.retrieve", _retrieve("product")),
    ("POST", "/v1/webhook_endpoints", "webhook_endpoints.create", do.create_endpoint),
    ("GET", "/v1/webhook_endpoints", "webhook_endpoints.list", _list("webhook_endpoint")),
    ("GET", "/v1/webhook_endpoints/{id}", "webhook_endpoints.retrieve", _retrieve("webhook_endpoint")),
    ("POST", "/v1/webhook_endpoints/{id}", "webhook_endpoints.update", do.update_endpoint),
    ("DELETE", "/v1/webhook_endpoints/{id}", "webhook_endpoints.delete", do.delete_endpoint),
)  # fmt: skip
_PAGED = (do.create_session, do.create_portal_session)
ROUTES = tuple(
    Route(method, re.compile(path.replace("{id}", "(?P<id>[^/]+)")), name, run, pages=run in _PAGED)
    for method, path, name, run in _TABLE
)


def route(method: str, path: str) -> tuple[Route, str]:
    """The route and the id in the path. Raises RefusalError as Stripe does for what it does not know."""
    for candidate in ROUTES:
        if candidate.method == method and (match := candidate.pattern.fullmatch(path)):
            return candidate, match.groupdict().get("id", "")
    raise RefusalError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.", status=404,
    )  # fmt: skip
