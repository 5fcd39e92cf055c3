"""The hosted billing portal."""

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
from ..simulator import Simulator

Act = Callable[[Simulator, str, QueryDict], object]
ACTIONS: dict[str, Act] = {
    "cancel_at_period_end": lambda simulator, subscription, _: simulator.cancel_at_period_end(subscription),
    "cancel": lambda simulator, subscription, _: simulator.cancel(subscription),
    "uncancel": lambda simulator, subscription, _: simulator.uncancel(subscription),
    "pause": lambda simulator, subscription, _: simulator.pause(subscription),
    "resume": lambda simulator, subscription, _: simulator.resume(subscription),
    "quantity": lambda simulator, subscription, typed: simulator.set_quantity(
        subscription, _quantity(typed), item=typed.get("item")
    ),
    "swap": lambda simulator, subscription, typed: simulator.swap_price(
        subscription, typed.get("price", ""), item=typed.get("item")
    ),
}


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def portal(request: HttpRequest, session_id: str) -> HttpResponse:
    simulator = database_simulator()
    try:
        session = simulator.get("billing_portal.session", session_id)
    except RefusalError as refusal:
        raise Http404(refusal.message) from refusal
    problem = ""
    if request.method == "POST":
        try:
            _act(simulator, session, request.POST)
        except RefusalError as refusal:
            problem = refusal.message
        else:
            return redirect(request.path)
    return render(request, "licenzy_simulator/portal.html", _context(simulator, session, problem))


def _act(simulator: Simulator, session: Json, typed: QueryDict) -> None:
    """Only subscriptions of the session's own customer can be touched."""
    subscription = simulator.get("subscription", typed.get("subscription", ""))
    act = ACTIONS.get(typed.get("action", ""))
    if act and subscription["customer"] == session["customer"]:
        act(simulator, subscription["id"], typed)


def _quantity(typed: QueryDict) -> int:
    number = typed.get("quantity", "")
    if not number.isdecimal() or not 1 <= int(number[:9]) <= 999_999:
        raise RefusalError("The quantity must be from 1 to 999999.", param="quantity")
    return int(number)


def _context(simulator: Simulator, session: Json, problem: str) -> Json:
    names = {product["id"]: product["name"] for product in simulator.all("product")}
    prices = [price for price in simulator.all("price", active=True) if price["recurring"]]
    return {
        "session": session,
        "problem": problem,
        "subscriptions": simulator.all("subscription", customer=session["customer"])[::-1],
        "invoices": simulator.all("invoice", customer=session["customer"])[::-1][:12],
        "prices": [price | {"name": names.get(price["product"], price["product"])} for price in prices],
        "names": names,
    }
