"""The time machine: everything that can happen at Stripe, as buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ..account import database_simulator
from ..json_tree import Json
from ..models import Event
from ..refusals import RefusalError
from ..resources import promotion_codes
from ..simulator import Simulator

SHOWN, EVENTS_SHOWN = 12, 60
MOST_DAYS = 3_660

Verb = Callable[[Simulator, str, QueryDict], object]
VERBS: dict[str, Verb] = {
    "expire": lambda s, ref, _: s.expire(ref),
    "settle_bank": lambda s, ref, _: s.settle_bank(ref),
    "bounce_bank": lambda s, ref, _: s.bounce_bank(ref),
    "renew": lambda s, ref, _: s.renew(ref),
    "renew_failing": lambda s, ref, _: s.renew(ref, paid=False),
    "retry_failing": lambda s, ref, _: s.retry(ref, paid=False),
    "recover": lambda s, ref, _: s.recover(ref),
    "end_trial": lambda s, ref, _: s.end_trial(ref),
    "cancel": lambda s, ref, _: s.cancel(ref),
    "cancel_at_period_end": lambda s, ref, _: s.cancel_at_period_end(ref),
    "cancel_at_period_end_classic": lambda s, ref, _: s.cancel_at_period_end(ref, way="classic"),
    "uncancel": lambda s, ref, _: s.uncancel(ref),
    "pause": lambda s, ref, _: s.pause(ref),
    "resume": lambda s, ref, _: s.resume(ref),
    "swap_price": lambda s, ref, typed: s.swap_price(ref, typed.get("price", "")),
    "pay_invoice": lambda s, ref, _: s.pay_invoice(ref),
    "fail_invoice": lambda s, ref, _: s.fail_invoice(ref),
    "refund": lambda s, ref, _: s.refund(ref),
    "refund_half": lambda s, ref, _: s.refund(ref, amount=_half(s, ref)),
    "dispute": lambda s, ref, _: s.dispute(ref),
    "inquire": lambda s, ref, _: s.dispute(ref, status="warning_needs_response"),
    "fail_refund": lambda s, ref, _: s.fail_refund(ref),
    "win": lambda s, ref, _: s.close_dispute(ref, "won"),
    "lose": lambda s, ref, _: s.close_dispute(ref, "lost"),
    "win_late": lambda s, ref, _: s.win_dispute_late(ref),
    "close_inquiry": lambda s, ref, _: s.close_dispute(ref, "warning_closed"),
    "card_works": lambda s, ref, _: s.set_card(ref, True),
    "card_fails": lambda s, ref, _: s.set_card(ref, False),
    "delete_customer": lambda s, ref, _: s.delete_customer(ref),
    "offer": lambda s, _, typed: _offer(s, typed),
}
DURATIONS: dict[str, Json] = {
    "once": {"duration": "once"},
    "three_months": {"duration": "repeating", "duration_in_months": 3},
    "forever": {"duration": "forever"},
}


@login_not_required
@never_cache
@require_GET
def machine(request: HttpRequest) -> HttpResponse:
    return render(request, "licenzy_simulator/machine.html", _context(request))


@login_not_required
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """One button: a verb on a thing, the clock, or another delivery of an event."""
    simulator, verb, typed = database_simulator(), request.POST.get("verb", ""), request.POST
    problem = ""
    try:
        if verb == "advance":
            simulator.advance(_span(typed))
        elif verb == "deliver":
            simulator.store.deliver_again(typed.get("id", ""))
        elif verb in VERBS:
            VERBS[verb](simulator, typed.get("id", ""), typed)
    except RefusalError as refusal:
        problem = refusal.message
    if problem:
        return render(request, "licenzy_simulator/machine.html", _context(request, problem), status=409)
    return redirect(reverse("licenzy_simulator:machine") + f"#{typed.get('section', '')}".removesuffix("#"))


def _span(typed: QueryDict) -> timedelta:
    number = typed.get("number", "")
    if not number.isdecimal():
        raise RefusalError("Say by how much the clock is to move: a whole number.")
    span = timedelta(**{"hours" if typed.get("unit") == "hours" else "days": int(number[:6])})
    if span > timedelta(days=MOST_DAYS):
        raise RefusalError(f"The clock moves by at most {MOST_DAYS} days at once.")
    return span


def _offer(simulator: Simulator, typed: QueryDict) -> None:
    """A coupon and a promotion code for it, at once."""
    percent = typed.get("percent", "")
    if not percent.isdecimal() or not 1 <= int(percent[:4]) <= 100:
        raise RefusalError("A promotion code takes 1 to 100 percent off.")
    with simulator.unit():
        terms = DURATIONS.get(typed.get("duration", ""), DURATIONS["once"])
        coupon = simulator.create_coupon({"percent_off": float(percent), **terms})
        promotion = {"type": "coupon", "coupon": coupon["id"]}
        simulator.create_promotion_code({"code": typed.get("code", "").strip(), "promotion": promotion})


def _codes(simulator: Simulator) -> list[Json]:
    found = simulator.store.newest("promotion_code", SHOWN)
    return [promotion_codes.shown(simulator, code) | {"coupon": code["_coupon"]} for code in found]


def _half(simulator: Simulator, ref: str) -> int:
    return max(1, int(simulator.payment_of(ref)["amount"]) // 2)


def _context(request: HttpRequest, problem: str = "") -> Json:
    simulator = database_simulator()
    newest = {kind: simulator.newest(kind, SHOWN) for kind in _KINDS}
    names = {product["id"]: product["name"] for product in simulator.all("product")}
    prices = [price | {"name": names.get(price["product"], "")} for price in simulator.all("price", active=True)]
    return {
        "problem": problem,
        "now": simulator.now,
        "customers": newest["customer"],
        "sessions": newest["checkout.session"],
        "subscriptions": newest["subscription"],
        "invoices": newest["invoice"],
        "payments": newest["payment_intent"],
        "refunds": newest["refund"],
        "disputes": newest["dispute"],
        "promotion_codes": _codes(simulator),
        "prices": [price for price in prices if price["recurring"]],
        "names": names,
        "events": Event.objects.order_by("-pk")[:EVENTS_SHOWN],
        "waiting": Event.objects.filter(delivered_at=None).count(),
    }


_KINDS = ("customer", "checkout.session", "subscription", "invoice", "payment_intent", "refund", "dispute")
