"""The hosted invoice: to read, and to pay while it is open."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..account import database_simulator
from ..json_tree import Json
from ..refusals import RefusalError
from ..resources import taxes
from ..simulator import Simulator


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """``hosted_invoice_url`` and ``invoice_pdf`` lead here; whoever has the address may read it, as at Stripe."""
    simulator, found = _find(invoice_id)
    problem = ""
    if request.method == "POST":
        try:
            _act(simulator, found, request.POST.get("action", ""))
        except RefusalError as refusal:
            problem = refusal.message
        else:
            return redirect(request.path)
    return render(request, "licenzy_simulator/invoice.html", _context(simulator, found, problem))


def _find(invoice_id: str) -> tuple[Simulator, Json]:
    for livemode in (False, True):
        simulator = database_simulator(livemode=livemode)
        if found := simulator.store.get("invoice", invoice_id):
            return simulator, simulator.get("invoice", found)
    raise Http404(f"No such invoice: '{invoice_id}'")


def _act(simulator: Simulator, found: Json, action: str) -> None:
    if action == "pay":
        simulator.pay_invoice(found)
    elif action == "decline":
        simulator.fail_invoice(found)


def _context(simulator: Simulator, found: Json, problem: str) -> Json:
    return {
        "invoice": found,
        "problem": problem,
        "discounts": [_discount(simulator, entry) for entry in found["total_discount_amounts"] if entry["amount"]],
        "tax_percent": taxes.PERCENT,
    }


def _discount(simulator: Simulator, entry: Json) -> Json:
    discount = simulator.find("discount", entry["discount"])
    coupon, typed = discount["_coupon"], simulator.store.get("promotion_code", discount["promotion_code"] or "")
    name = typed["code"] if typed else coupon["name"] or coupon["id"]
    return {"amount": entry["amount"], "coupon": coupon, "name": name}
