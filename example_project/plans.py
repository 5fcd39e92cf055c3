"""The plan of a customer: another one and what that costs, an end, second thoughts, receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format

from example_project.offers import OFFERS
from example_project.refusals import ToldKindly
from licenzy_django import access, clock, subscriptions
from licenzy_django.access.summary import AccessSummary, EntitlementView
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.models import Product
from licenzy_django.views import RefusableView

RECEIPTS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class OwnPlan:
    """A subscription that runs, and what it can become."""

    product: Product
    entitlement: EntitlementView
    others: list[Product]

    @property
    def is_ending(self) -> bool:
        """A cancellation or a change is scheduled, so the customer can think again."""
        return bool(self.entitlement.cancel_at or self.entitlement.changes_at)


def plans_in(summary: AccessSummary) -> list[OwnPlan]:
    """The subscriptions of a customer that have not ended, for their account page."""
    products = {product.code: product for product in Product.objects.filter(mode=licenzy_settings().MODE)}
    running = [
        own
        for own in summary.entitlements
        if own.source == "stripe" and own.kind == "subscription" and own.status not in ("canceled", "expired")
    ]
    return [plan_of(own, products) for own in running]


def plan_of(own: EntitlementView, products: Mapping[str, Product]) -> OwnPlan:
    product = products[own.product_code]
    same_group = [each for each in products.values() if each.group and each.group == product.group]
    others = [each for each in same_group if each.is_for_sale and each.code != product.code]
    return OwnPlan(product, own, others)


class PlanView(ToldKindly, RefusableView):
    """A page about one subscription of the visitor's, which ``product_code`` names."""

    after_a_refusal = "account"
    kept_fields = ("product_code", "to_product_code")

    def own_plan(self, sent: Mapping[str, str]) -> OwnPlan:
        """404 for what the visitor does not have."""
        for plan in plans_in(access.summary(self.subject_ref)):
            if plan.product.code == sent.get("product_code"):
                return plan
        raise Http404

    def key(self) -> str:
        """One key for each form, so that two clicks change once; nobody else's form has it."""
        try:
            token = UUID(self.request.POST.get("token", ""))
        except ValueError:
            token = uuid4()
        return f"{self.subject_ref}-{token}"

    def done(self, sentence: str) -> HttpResponse:
        messages.success(self.request, sentence)
        return redirect("account")


class ChangePlan(PlanView):
    """GET: what is due now and from when. POST: change it. The amounts are Stripe's."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        plan = self.own_plan(request.GET)
        to = get_object_or_404(Product, mode=plan.product.mode, code=storable(request.GET.get("to_product_code", "")))
        shown = subscriptions.preview(self.subject_ref, plan.product.code, to_product_code=to.code)
        context = {
            "plan": plan,
            "to": to,
            "preview": shown,
            "rhythm": OFFERS[to.code].per if to.code in OFFERS else "",
            "is_later": shown.effective_at > clock.now(),
            "token": uuid4(),
        }
        return render(request, "shop/change_plan.html", context)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        done = subscriptions.change(
            self.subject_ref,
            request.POST.get("product_code", ""),
            to_product_code=request.POST.get("to_product_code", ""),
            change_token=request.POST.get("change_token", ""),
            idempotency_key=self.key(),
        )
        if done.payment_url:
            return redirect(done.payment_url)
        if done.status == "scheduled" and done.effective_at:
            return self.done(f"Your plan changes on {date_format(done.effective_at)}. Nothing is charged today.")
        return self.done("Your plan has changed.")


class CancelPlan(PlanView):
    """GET: until when it runs. POST: it ends then."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return render(request, "shop/cancel_plan.html", {"plan": self.own_plan(request.GET), "token": uuid4()})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        done = subscriptions.cancel(self.subject_ref, request.POST.get("product_code", ""), idempotency_key=self.key())
        return self.done(f"It ends on {date_format(done.effective_at)}. Until then everything stays as it is.")


class KeepPlan(PlanView):
    """POST: take a cancellation, or a change that is scheduled, back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        subscriptions.resume(self.subject_ref, request.POST.get("product_code", ""), idempotency_key=self.key())
        return self.done("Good to have you. Your plan stays as it is.")


class Receipts(PlanView):
    """The invoices, asked of Stripe now: their addresses run out."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        shown = subscriptions.invoices(self.subject_ref, limit=RECEIPTS_SHOWN)
        return render(request, "shop/receipts.html", {"invoices": shown})
