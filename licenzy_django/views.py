"""Pages that every shop needs: open a checkout, come back from it, manage billing. Route them, bring templates.

The visitor is the subject of the request; who is nobody is asked to log in. Each calls one verb. None of them grants
anything: coming back from a payment page proves nothing, the attempt's status does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.mixins import AccessMixin
from django.db import DatabaseError, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from licenzy_django import billing_portal, checkout, sync
from licenzy_django.checkout.order import is_email
from licenzy_django.checkout.products import product_named
from licenzy_django.checkout.redirects import with_session
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import (
    IdempotencyKeyInUse,
    InvalidRequest,
    LicenzyError,
    ModeNotConfigured,
    StripeRefused,
    StripeUnavailable,
)
from licenzy_django.idempotency import fingerprint
from licenzy_django.identity import request_subject
from licenzy_django.models import CheckoutAttempt
from licenzy_django.sync import comparison
from licenzy_django.wording import Text, refusal_in_words

logger = logging.getLogger("licenzy_django")

OUT_OF_ORDER = (StripeUnavailable, StripeRefused, ModeNotConfigured)
SECOND_CLICK_WAITS_SECONDS = 5.0
LONGEST_KEPT = 255


class SubjectView(AccessMixin, View):
    """For somebody, so never cached. They speak to Stripe, so no transaction is around them (ATOMIC_REQUESTS)."""

    subject_ref: str

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        view: Callable[..., HttpResponseBase] = transaction.non_atomic_requests(super().as_view(**initkwargs))
        return never_cache(view)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        subject_ref = request_subject(request)
        if subject_ref is None:
            return self.handle_no_permission()
        self.subject_ref = subject_ref
        return super().dispatch(request, *args, **kwargs)


class RefusableView(SubjectView):
    """Opens a page of Stripe's when the button is pressed. ``refused_template_name`` says why it does not.

    Attributes:
        confirm_template_name: the page of a GET. It has the ``button``, and the ``fields`` that its form sends.
        kept_fields: what the form sends that must survive a log-in.
    """

    refused_template_name = "licenzy/refused.html"
    confirm_template_name = "licenzy/confirm.html"
    button: Text = _("Go to the payment page")
    kept_fields: tuple[str, ...] = ()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Somebody pressed the button, logged in, and came back: the same button once more. Nothing is done yet."""
        context = {"button": self.button, "fields": kept(request.GET, self.kept_fields), **self.confirm_context()}
        return render(request, self.confirm_template_name, context)

    def confirm_context(self) -> dict[str, Any]:
        return {}

    def handle_no_permission(self) -> HttpResponseRedirect:
        """To the log-in, with what was chosen in the address to come back to."""
        if self.request.method == "POST" and (chosen := kept(self.request.POST, self.kept_fields)):
            query = "&".join(part for part in (self.request.META.get("QUERY_STRING", ""), urlencode(chosen)) if part)
            # Django makes the address from the request.
            self.request = copy(self.request)
            self.request.META = {**self.request.META, "QUERY_STRING": query}
        return super().handle_no_permission()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except LicenzyError as error:
            return self.refused(error)

    def refused(self, error: LicenzyError) -> HttpResponse:
        """The page that says why not: 503 if Stripe is out of reach, 409 otherwise. ``error.code`` says which."""
        context = {"error": error, "refusal": refusal_in_words(error.code)}
        status = 503 if isinstance(error, OUT_OF_ORDER) else 409
        return render(self.request, self.refused_template_name, context, status=status)

    def absolute(self, target: str) -> str:
        """A URL name or a path as Stripe wants it; empty stays empty, which means the setting."""
        return self.request.build_absolute_uri(resolve_url(target)) if target else ""


class StartCheckoutView(RefusableView):
    """POST ``product_code`` and a ``token``: opens Stripe Checkout, once for each token, and goes there.

    GET asks whether to buy that product; without one it leads back to the ``cancel_url``.

    Attributes:
        success_url, cancel_url: URL names or paths to come back to; empty means the settings'. The first one is
            given ``session_id``, after a query of its own, as ``CheckoutReturnView`` expects it.
    """

    http_method_names = ["get", "head", "post"]
    kept_fields = ("product_code", "quantity", "token")
    success_url = ""
    cancel_url = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        prices = self.absolute(self.cancel_url) or licenzy_settings().CANCEL_URL
        if prices and not request.GET.get("product_code"):
            return redirect(prices)
        return super().get(request, *args, **kwargs)

    def confirm_context(self) -> dict[str, Any]:
        """Raises ProductNotFound: then there is nothing to confirm."""
        return {"product": product_named(self.request.GET.get("product_code", ""), licenzy_settings().MODE)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        success_url = self.absolute(self.success_url)
        open_page = partial(
            checkout.start,
            self.subject_ref,
            request.POST.get("product_code", ""),
            idempotency_key=self.idempotency_key(),
            quantity=self.quantity(),
            customer_email=self.customer_email(),
            metadata=self.metadata(),
            optional_items=self.optional_items(),
            request=request,
            success_url=with_session(success_url) if success_url else "",
            cancel_url=self.absolute(self.cancel_url),
        )
        return redirect(after_the_first_click(open_page).checkout_url)

    def idempotency_key(self) -> str:
        """From the form's token: a double click opens one checkout. A token of another's form is another key."""
        token = self.request.POST.get("token") or uuid4().hex
        return f"form-{fingerprint(subject_ref=self.subject_ref, token=token)}"

    def quantity(self) -> int:
        """Packs or seats; override it to let the visitor choose."""
        return 1

    def customer_email(self) -> str:
        """What Stripe's page has as the e-mail when the subject buys for the first time: the user's own, if any."""
        user = getattr(self.request, "user", None)
        email = getattr(user, user.get_email_field_name(), "") if isinstance(user, AbstractBaseUser) else ""
        return email if email and is_email(email) else ""

    def metadata(self) -> dict[str, str]:
        """The host's own, kept with the purchase; override it, and never trust the visitor with it."""
        return {}

    def optional_items(self) -> list[str]:
        """Codes of add-ons that the customer may put beside a subscription; override it."""
        return []


class BillingPortalView(RefusableView):
    """POST: to Stripe's own page, where the card is changed and a subscription is canceled. GET shows the button.

    A form that sends ``flow`` opens the page for that alone, with ``product_code``, ``to_product_code`` and
    ``quantity`` as ``billing_portal.session_url`` takes them.

    Attributes:
        return_url: URL name or path that its way back leads to; empty means the setting ``CANCEL_URL``.
    """

    http_method_names = ["get", "head", "post"]
    kept_fields = ("flow", "product_code", "to_product_code", "quantity")
    button = _("Manage billing")
    return_url = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        url = billing_portal.session_url(
            self.subject_ref, return_url=self.absolute(self.return_url), **self.asked_flow()
        )
        return redirect(url)

    def asked_flow(self) -> dict[str, Any]:
        """What the form asks for; empty for the start page. Raises InvalidRequest."""
        sent = {name: self.request.POST[name] for name in self.kept_fields if self.request.POST.get(name)}
        if "flow" not in sent:
            return {}
        number = sent.get("quantity", "")
        if number and not (number.isdecimal() and number.isascii() and len(number) < 10):
            raise InvalidRequest(fields={"quantity": ["This must be a whole number."]})
        return {**sent, "quantity": int(number) if number else None}


class OwnCheckoutView(SubjectView):
    """About the checkout that ``?session_id=`` names, if it is the visitor's own; 404 otherwise."""

    asks_stripe = False

    def own_attempt(self) -> CheckoutAttempt:
        session_id, mode = self.request.GET.get("session_id", ""), licenzy_settings().MODE
        if not comparison.SESSION_ID.fullmatch(session_id):
            raise Http404
        if self.asks_stripe:
            self.ask_stripe(session_id, mode)
        mine = CheckoutAttempt.objects.filter(mode=mode, subject__subject_ref=self.subject_ref)
        attempt = mine.filter(stripe_session_id=session_id).select_related("product").first()
        if attempt is None:
            raise Http404
        return attempt

    def ask_stripe(self, session_id: str, mode: str) -> None:
        """So that nobody waits for a late webhook. Where that fails nothing is lost: it brings the same facts."""
        try:
            with suppress(*OUT_OF_ORDER):
                sync.refresh_checkout(session_id, self.subject_ref, mode=mode)
        except DatabaseError:
            logger.warning("Checkout %s was not brought up to date; its webhook will do it", session_id, exc_info=True)


class CheckoutReturnView(OwnCheckoutView, TemplateView):
    """The page that Stripe sends the customer back to: ``attempt.status`` says what to show.

    Attributes:
        asks_stripe: ask Stripe at once, so that a late webhook keeps nobody waiting.
        state_url: URL name or path of the ``CheckoutStateView`` that the page asks until the status changes.
    """

    template_name = "licenzy/checkout_return.html"
    asks_stripe = True
    state_url = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        attempt = self.own_attempt()
        query = urlencode({"session_id": attempt.stripe_session_id})
        state_url = f"{resolve_url(self.state_url)}?{query}" if self.state_url else ""
        is_waiting = attempt.status in (CheckoutAttempt.Status.CREATED, CheckoutAttempt.Status.PENDING_PAYMENT)
        return super().get_context_data(attempt=attempt, state_url=state_url, is_waiting=is_waiting, **kwargs)


class CheckoutStateView(OwnCheckoutView):
    """GET: ``{"status": "created"}``, for the page that waits. Never asks Stripe: it is asked every second."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return JsonResponse({"status": self.own_attempt().status})


def kept(given: QueryDict, names: Iterable[str]) -> dict[str, str]:
    """What is short enough to be put into an address, and is there."""
    return {name: text for name in names if 0 < len(text := given.get(name) or "") <= LONGEST_KEPT}


def after_the_first_click(open_page: Callable[[], checkout.StartedCheckout]) -> checkout.StartedCheckout:
    """The second click of a double click waits for what the first one gets."""
    give_up_at = time.monotonic() + SECOND_CLICK_WAITS_SECONDS
    while time.monotonic() < give_up_at:
        with suppress(IdempotencyKeyInUse):
            return open_page()
        time.sleep(0.25)
    return open_page()
