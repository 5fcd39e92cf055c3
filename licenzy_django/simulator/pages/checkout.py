"""The hosted checkout page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..account import database_simulator
from ..json_tree import Json, public
from ..refusals import RefusalError
from ..resources import session_rules, session_totals, taxes
from ..simulator import Simulator
from . import checkout_form

DEFAULT_EMAIL = "ada@example.com"


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, session_id: str) -> HttpResponse:
    """GET shows the page; POST does what the pressed button says and goes to where Stripe would send the customer."""
    simulator = database_simulator(livemode=session_id.startswith("cs_live_"))
    session = _session(simulator, session_id)
    problem = ""
    if request.method == "POST":
        try:
            answer = _act(simulator, session, request)
        except RefusalError as refusal:
            answer, problem = None, refusal.message
        if answer:
            return answer
        session = _session(simulator, session_id)
        if request.POST.get("action") == "decline" and not problem:
            problem = "Your card was declined. Nothing was charged; choose another way to pay."
    context = _context(simulator, session, problem, request.POST)
    return render(request, "licenzy_simulator/checkout.html", context)


def _session(simulator: Simulator, session_id: str) -> Json:
    try:
        session = simulator.get("checkout.session", session_id)
    except RefusalError as refusal:
        raise Http404(refusal.message) from refusal
    if session["status"] == "open" and session["expires_at"] <= simulator.now:
        return simulator.expire(session_id)
    return session


def _act(simulator: Simulator, session: Json, request: HttpRequest) -> HttpResponse | None:
    action, email = request.POST.get("action", ""), request.POST.get("email") or DEFAULT_EMAIL
    if session["status"] == "open":
        _change_quantities(simulator, session, request)
    if action.startswith("optional:"):
        _, price, quantity = action.split(":", 2)
        simulator.choose_optional_item(session, price, int(quantity[:6]) if quantity.isdecimal() else None)
    elif action == "promotion":
        simulator.apply_promotion_code(session, request.POST.get("promotion_code", ""))
    elif action == "no_promotion":
        simulator.remove_promotion_code(session)
    elif action == "card":
        simulator.pay(session, email=email, answers=checkout_form.answers(session, request.POST))
    elif action == "bank":
        simulator.pay_by_bank(session, email=email, answers=checkout_form.answers(session, request.POST))
    elif action == "decline":
        simulator.decline(session)
    if action in ("card", "bank"):
        return HttpResponseRedirect(_success_url(session))
    return None


def _change_quantities(simulator: Simulator, session: Json, request: HttpRequest) -> None:
    for item in _items(simulator, session):
        typed = request.POST.get(f"quantity_{item['id']}", "")
        if item["adjustable_quantity"] and typed.isdecimal() and int(typed[:9]) != item["quantity"]:
            simulator.set_session_quantity(session, int(typed[:9]), item=item["id"])


def _success_url(session: Json) -> str:
    """The template, whether its braces came literally or encoded."""
    template: str = session["success_url"] or "/"
    for placeholder in ("{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D", "%7bCHECKOUT_SESSION_ID%7d"):
        template = template.replace(placeholder, session["id"])
    return template


def _items(simulator: Simulator, session: Json) -> list[Json]:
    items: list[Json] = simulator.find("checkout.session", session)["_line_items"]
    return items


def _coupon(simulator: Simulator, session: Json) -> Json | None:
    """What is taken off, with the code that was typed for it."""
    coupon = session_totals.coupon_of(simulator, session)
    if not coupon:
        return None
    typed = session["discounts"][0]["promotion_code"]
    shown = simulator.get("promotion_code", typed)["code"] if typed else coupon["name"] or coupon["id"]
    return coupon | {"shown": shown}


def _then(simulator: Simulator, session: Json) -> int | None:
    """What a renewal will cost at last, where that is another amount than today's."""
    if session["mode"] != "subscription" or session["status"] != "open":
        return None
    coupon = session_totals.coupon_of(simulator, session)
    lasts = coupon is not None and coupon["duration"] == "forever"
    later = session_totals.foreseen(simulator, session if lasts else session | {"discounts": []})
    total = sum(item["amount_total"] for item in later["_line_items"] if item["price"]["recurring"])
    return int(total) if total != session["amount_total"] else None


def _optional(simulator: Simulator, session: Json) -> list[Json]:
    """What is offered and was not chosen yet, with its name and price."""
    chosen = {item.get("_optional") for item in session["_line_items"]}
    found = []
    for entry in session["optional_items"] or []:
        price = session_rules.priced(simulator, session, entry["price"], "optional_items")
        name = (simulator.store.get("product", price["product"]) or {}).get("name", price["product"])
        if entry["price"] not in chosen:
            found.append(entry | {"name": name, "unit_amount": price["unit_amount"]})
    return found


def _context(simulator: Simulator, session: Json, problem: str, typed: QueryDict) -> Json:
    shown = session_totals.foreseen(simulator, simulator.find("checkout.session", session))
    items, details = shown["_line_items"], shown["total_details"]
    on_top = (shown["amount_total"] or 0) - (shown["amount_subtotal"] or 0) + details["amount_discount"]
    return checkout_form.fields(shown, typed) | {
        "session": public(shown),
        "tax_on_top": on_top,
        "tax_inside": details["amount_tax"] - on_top,
        "tax_percent": taxes.PERCENT,
        "items": items,
        "optional": _optional(simulator, shown),
        "coupon": _coupon(simulator, session),
        "rhythm": next((item["price"]["recurring"] for item in items if item["price"]["recurring"]), None),
        "then": _then(simulator, shown),
        "trial_days": simulator.trial_days(session),
        "adjustable": any(item["adjustable_quantity"] for item in items),
        "email": (session["customer_details"] or {}).get("email") or "",
        "default_email": DEFAULT_EMAIL,
        "success_url": _success_url(session),
        "problem": problem,
    }
