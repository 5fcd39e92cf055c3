"""The hosted billing portal: its start page, and one page for each flow."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..account import database_simulator
from ..json_tree import Json
from ..refusals import RefusalError
from ..resources import changes, portal_configurations, portal_flows
from ..simulator import Simulator
from . import portal_flow

Act = Callable[[Simulator, str], object]
FREE: dict[str, Act] = {
    "cancel_at_period_end": lambda simulator, subscription: simulator.cancel_at_period_end(subscription),
    "cancel": lambda simulator, subscription: simulator.cancel(subscription),
    "pause": lambda simulator, subscription: simulator.pause(subscription),
    "resume": lambda simulator, subscription: simulator.resume(subscription),
}
"""What the simulator's own configuration allows beside the rest."""


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def portal(request: HttpRequest, session_id: str) -> HttpResponse:
    """A session with a flow opens that; ``?home`` opens the start page."""
    simulator = database_simulator()
    try:
        session = simulator.get("billing_portal.session", session_id)
    except RefusalError as refusal:
        raise Http404(refusal.message) from refusal
    configuration = portal_configurations.named(simulator, session["configuration"])
    if session["flow"] and "home" not in request.GET:
        return portal_flow.page(request, simulator, session, configuration)
    problem = ""
    if request.method == "POST":
        try:
            _act(simulator, session, configuration, request.POST)
        except RefusalError as refusal:
            problem = refusal.message
        else:
            return redirect(request.get_full_path())
    return render(request, "licenzy_simulator/portal.html", _context(simulator, session, configuration, problem))


def _act(simulator: Simulator, session: Json, configuration: Json, typed: QueryDict) -> None:
    """Only subscriptions of the session's own customer can be touched."""
    action, ref = typed.get("action", ""), simulator.get("subscription", typed.get("subscription", ""))
    if ref["customer"] != session["customer"]:
        return
    if action in FREE and configuration.get("_everything"):
        FREE[action](simulator, ref["id"])
        return
    with simulator.unit():
        subscription = simulator.find("subscription", ref)
        if action in ("cancel", "cancel_at_period_end"):
            portal_flows.cancel(simulator, configuration, subscription)
        elif action == "uncancel":
            simulator.uncancel(ref)
        elif action in ("swap", "quantity"):
            portal_flows.refuse_to_change(simulator, configuration, subscription)
            item = changes.item_of(subscription, None)
            price, quantity = typed.get("price") or item["price"]["id"], item["quantity"]
            quantity = portal_flow.quantity_of(typed) if action == "quantity" else quantity
            portal_flows.change(simulator, configuration, subscription, price, quantity)


def _context(simulator: Simulator, session: Json, configuration: Json, problem: str) -> Json:
    features, free = configuration["features"], bool(configuration.get("_everything"))
    update, cancel = features["subscription_update"], features["subscription_cancel"]
    allowed = update["default_allowed_updates"] if update["enabled"] else []
    return {
        "session": session,
        "problem": problem,
        "subscriptions": simulator.all("subscription", customer=session["customer"])[::-1],
        "invoices": simulator.all("invoice", customer=session["customer"])[::-1][:12]
        if features["invoice_history"]["enabled"]
        else [],
        "prices": portal_flow.prices_of(simulator, configuration) if "price" in allowed else [],
        "counts": "quantity" in allowed,
        "cancels_later": free or (cancel["enabled"] and cancel["mode"] == "at_period_end"),
        "cancels_now": free or (cancel["enabled"] and cancel["mode"] == "immediately"),
        "free": free,
        "names": portal_flow.names_of(simulator),
    }
