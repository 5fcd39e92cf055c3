"""The shop: prices, checkout, the page one comes back to, and two pages behind it. This is the README's code."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from example_project.offers import OFFERS
from example_project.words import REFUSALS, in_words
from licenzy_django import access, billing_portal, checkout
from licenzy_django.conf import licenzy_settings
from licenzy_django.decorators import requires_entitlement
from licenzy_django.exceptions import (
    IdempotencyKeyInUse,
    LicenzyError,
    ModeNotConfigured,
    StripeRefused,
    StripeUnavailable,
)
from licenzy_django.models import CheckoutAttempt, Product
from licenzy_django.subjects import request_subject


def told_kindly(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Makes a page or a message of whatever Licenzy refuses."""

    @wraps(view)
    def telling(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except (StripeUnavailable, StripeRefused, ModeNotConfigured):
            return render(request, "shop/stripe_unavailable.html", status=503)
        except LicenzyError as error:
            message, page = REFUSALS.get(error.code, (error.message, "pricing"))
            messages.warning(request, message)
            return redirect(page)

    return telling


@require_GET
def pricing(request: HttpRequest) -> HttpResponse:
    """What is for sale. Each form carries a token, so that a double click opens one checkout."""
    products = Product.objects.filter(mode=licenzy_settings().MODE, is_active=True)
    shelf = sorted(products, key=lambda product: list(OFFERS).index(product.code) if product.code in OFFERS else 99)
    cards = [{"product": product, "offer": OFFERS.get(product.code), "token": uuid.uuid4()} for product in shelf]
    return render(request, "shop/pricing.html", {"cards": cards})


@login_required
@require_POST
@told_kindly
def start_checkout(request: HttpRequest) -> HttpResponse:
    """Opens Stripe Checkout. Nothing is unlocked here."""
    form_token = request.POST.get("token", "")
    open_page = partial(
        checkout.start,
        request_subject(request) or "",
        request.POST.get("product_code", ""),
        idempotency_key=f"shop-{request.user.pk}-{form_token}",
        success_url=request.build_absolute_uri(reverse("confirming")) + "?session_id={CHECKOUT_SESSION_ID}",
        cancel_url=request.build_absolute_uri(reverse("pricing")),
    )
    return redirect(after_the_first_click(open_page).checkout_url)


def after_the_first_click(open_page: Callable[[], checkout.StartedCheckout]) -> checkout.StartedCheckout:
    """The second click of a double click waits for what the first one gets."""
    for _ in range(20):
        with suppress(IdempotencyKeyInUse):
            return open_page()
        time.sleep(0.25)
    return open_page()


@login_required
@require_POST
@told_kindly
def manage_billing(request: HttpRequest) -> HttpResponse:
    """To Stripe's own page, where the card is changed and a subscription is canceled."""
    return_url = request.build_absolute_uri(reverse("account"))
    return redirect(billing_portal.session_url(request_subject(request) or "", return_url=return_url))


@login_required
@require_GET
def confirming(request: HttpRequest) -> HttpResponse:
    """Where Stripe sends the customer back to. Arriving here proves nothing; the attempt's status does."""
    attempt = own_attempt(request)
    state_url = f"{reverse('confirming-state')}?{urlencode({'session_id': attempt.stripe_session_id})}"
    return render(request, "shop/confirming.html", {"attempt": attempt, "state_url": state_url})


@login_required
@require_GET
def confirming_state(request: HttpRequest) -> JsonResponse:
    """What the return page asks every second until it changes."""
    return JsonResponse({"status": own_attempt(request).status})


def own_attempts(request: HttpRequest) -> QuerySet[CheckoutAttempt]:
    mine = CheckoutAttempt.objects.filter(mode=licenzy_settings().MODE, subject__subject_ref=request_subject(request))
    return mine.select_related("product")


def own_attempt(request: HttpRequest) -> CheckoutAttempt:
    """The attempt behind ``?session_id=``, if it is the visitor's own."""
    session_id = request.GET.get("session_id", "")
    known = session_id if session_id.isprintable() else ""
    attempt = own_attempts(request).exclude(stripe_session_id="").filter(stripe_session_id=known).first()
    if attempt is None:
        raise Http404("No checkout of yours has this number.")
    return attempt


@login_required
@requires_entitlement
def members(request: HttpRequest) -> HttpResponse:
    """Only for those who have something available right now."""
    return render(request, "shop/members.html")


def members_only(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 403 of a page that needs an entitlement."""
    decision = getattr(exception, "decision", None)
    reason = in_words(decision.reason if decision else None)
    return render(request, "shop/members_only.html", {"reason": reason}, status=403)


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """What the visitor has, and what is on its way."""
    products = Product.objects.filter(mode=licenzy_settings().MODE)
    names = dict(products.values_list("code", "name"))
    summary = access.summary(request)
    rows = [
        (names[entitlement.product_code], entitlement, in_words(entitlement.reason))
        for entitlement in summary.entitlements
    ]
    waiting = own_attempts(request).filter(status=CheckoutAttempt.Status.PENDING_PAYMENT)
    return render(request, "shop/account.html", {"summary": summary, "rows": rows, "waiting": waiting[:20]})


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
