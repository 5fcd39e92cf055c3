"""One thing to do on the billing portal, and back: docs.stripe.com/customer-management/portal-deep-links"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render

from ..json_tree import Json
from ..refusals import RefusalError
from ..resources import changes, customers, portal_flows
from ..simulator import Simulator
from ..whatif import drafted, scratch_of

CARDS = {"card": "visa", "declined": "chargeCustomerFail", "asks": "authenticationRequired"}


def page(request: HttpRequest, simulator: Simulator, session: Json, configuration: Json) -> HttpResponse:
    flow, problem = session["flow"], ""
    if request.method == "POST":
        try:
            _act(simulator, session, configuration, request.POST)
        except RefusalError as refusal:
            problem = refusal.message
        else:
            return _after(request, session)
    context = {"session": session, "flow": flow, "problem": problem, "names": names_of(simulator)}
    try:
        context |= _shown(simulator, session, configuration, request.GET)
    except RefusalError as refusal:
        context |= {"problem": problem or refusal.message, "impossible": True}
    return render(request, "licenzy_simulator/portal_flow.html", context)


def _act(simulator: Simulator, session: Json, configuration: Json, typed: QueryDict) -> None:
    kind = session["flow"]["type"]
    with simulator.unit():
        if kind == "payment_method_update":
            customer = simulator.find("customer", session["customer"])
            portal_flows.use_card(simulator, customer, CARDS.get(typed.get("action", ""), "visa"))
            return
        subscription = _subscription(simulator, session)
        if kind == "subscription_cancel":
            portal_flows.cancel(simulator, configuration, subscription)
            return
        item = changes.item_of(subscription, None)
        price, quantity = _choice(session, item, typed)
        portal_flows.change(simulator, configuration, subscription, price, quantity)


def _subscription(simulator: Simulator, session: Json) -> Json:
    flow = session["flow"]
    return portal_flows.subscription_of(
        simulator, session["customer"], flow[flow["type"]]["subscription"], param="subscription"
    )


def _choice(session: Json, item: Json, typed: QueryDict) -> tuple[str, int]:
    """What the session says, or what the customer chose."""
    if confirm := session["flow"]["subscription_update_confirm"]:
        [entry] = confirm["items"]
        return entry["price"], entry["quantity"]
    quantity = quantity_of(typed) if typed.get("quantity") else item["quantity"]
    return typed.get("price") or item["price"]["id"], quantity


def quantity_of(typed: QueryDict) -> int:
    number = typed.get("quantity", "")
    if not number.isdecimal() or not 1 <= int(number[:9]) <= 999_999:
        raise RefusalError("The quantity must be from 1 to 999999.", param="quantity")
    return int(number)


def _after(request: HttpRequest, session: Json) -> HttpResponse:
    after = session["flow"]["after_completion"]
    if after["type"] == "redirect":
        return HttpResponseRedirect(after["redirect"]["return_url"])
    if after["type"] == "portal_homepage":
        return redirect(f"{request.path}?home=1")
    message = (after["hosted_confirmation"] or {}).get("custom_message") or "It is done."
    context = {"session": session, "flow": session["flow"], "done": message}
    return render(request, "licenzy_simulator/portal_flow.html", context)


def _shown(simulator: Simulator, session: Json, configuration: Json, typed: QueryDict) -> Json:
    flow = session["flow"]
    if flow["type"] == "payment_method_update":
        return {}
    subscription = _subscription(simulator, session)
    shown: Json = {"subscription": subscription, "ends": _end(subscription)}
    if flow["type"] == "subscription_cancel":
        portal_flows.refuse_to_cancel(simulator, configuration, subscription)
        return shown | {"mode": configuration["features"]["subscription_cancel"]["mode"]}
    item = changes.item_of(subscription, None)
    chosen = flow["type"] == "subscription_update_confirm" or typed.get("price")
    if not chosen:
        portal_flows.refuse_to_change(simulator, configuration, subscription)
        update = configuration["features"]["subscription_update"]
        counts = "quantity" in update["default_allowed_updates"]
        return shown | {"item": item, "prices": prices_of(simulator, configuration), "counts": counts}
    price, quantity = _choice(session, item, typed)
    due = _due(simulator, configuration, subscription, price, quantity)
    waits = portal_flows.waits(simulator, configuration, item, price, quantity)
    new = simulator.find("price", price, param="price")
    return shown | {"new": new, "quantity": quantity, "due": due, "waits": waits, "chosen": True}


def _due(simulator: Simulator, configuration: Json, subscription: Json, price: str, quantity: int) -> Json | None:
    """The invoice that a change would make now; None where it makes none."""
    scratch = scratch_of(simulator)
    customers.set_card(scratch, scratch.find("customer", subscription["customer"]), True)
    portal_flows.change(scratch, configuration, scratch.find("subscription", subscription), price, quantity)
    return drafted(scratch)


def _end(subscription: Json) -> int:
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def prices_of(simulator: Simulator, configuration: Json) -> list[Json]:
    """What the configuration offers, each with its product's name."""
    names = names_of(simulator)
    products = configuration["features"]["subscription_update"].get("products") or []
    found = [simulator.get("price", ref) for product in products for ref in product["prices"]]
    return [price | {"name": names.get(price["product"], price["product"])} for price in found]


def names_of(simulator: Simulator) -> dict[str, str]:
    return {product["id"]: product["name"] for product in simulator.all("product") if not product.get("deleted")}
