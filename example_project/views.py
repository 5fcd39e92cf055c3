"""The shop: prices, checkout, the page one comes back to, and two pages behind it. This is the README's code."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from example_project.offers import OFFERS, PROMOTION_CODE
from example_project.plans import plans_in
from example_project.refusals import ToldKindly
from licenzy_django import access
from licenzy_django.conf import licenzy_settings
from licenzy_django.decorators import requires_entitlement
from licenzy_django.models import Product
from licenzy_django.views import BillingPortalView, CheckoutReturnView, StartCheckoutView
from licenzy_django.wording import reason_in_words


class StartCheckout(ToldKindly, StartCheckoutView):
    """Opens Stripe Checkout. Nothing is unlocked here."""

    success_url = "confirming"
    cancel_url = "pricing"


class ManageBilling(ToldKindly, BillingPortalView):
    """To Stripe's own page, where the card is changed and a subscription is canceled."""

    return_url = "account"


class Confirming(CheckoutReturnView):
    """Where Stripe sends the customer back to. Arriving here proves nothing; the attempt's status does."""

    template_name = "shop/confirming.html"
    state_url = "confirming-state"
    # Most shops want Stripe asked at once. This one shows that it is the webhook that opens the door.
    asks_stripe = False


@require_GET
def pricing(request: HttpRequest) -> HttpResponse:
    """What is for sale. Each form carries a token, so that a double click opens one checkout."""
    products = Product.objects.filter(mode=licenzy_settings().MODE, is_active=True)
    shelf = sorted(products, key=lambda product: list(OFFERS).index(product.code) if product.code in OFFERS else 99)
    cards = [{"product": product, "offer": OFFERS.get(product.code), "token": uuid.uuid4()} for product in shelf]
    context = {"cards": cards, "may_try": not access.has_had_trial(request), "promotion_code": PROMOTION_CODE}
    return render(request, "shop/pricing.html", context)


@login_required
@requires_entitlement
def members(request: HttpRequest) -> HttpResponse:
    """Only for those who have something available right now."""
    return render(request, "shop/members.html")


def members_only(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 403 of a page that needs an entitlement."""
    decision = getattr(exception, "decision", None)
    reason = reason_in_words(decision.reason if decision else None)
    return render(request, "shop/members_only.html", {"reason": reason}, status=403)


@login_required
@require_GET
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """What the visitor has, and what is on its way."""
    summary = access.summary(request)
    return render(request, "shop/account.html", {"summary": summary, "plans": plans_in(summary)})


def sign_up(request: HttpRequest) -> HttpResponse:
    form: UserCreationForm[User] = UserCreationForm(request.POST or None)
    if form.is_valid():
        login(request, form.save())
        return redirect("pricing")
    return render(request, "registration/sign_up.html", {"form": form})


@require_POST
def demo_account(request: HttpRequest) -> HttpResponse:
    """One click instead of a form. Routed on the simulator only."""
    user = get_user_model().objects.create_user(f"guest-{secrets.token_hex(3)}")
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    messages.success(request, f"You are {user.get_username()} now. Choose something to buy.")
    return redirect("pricing")
