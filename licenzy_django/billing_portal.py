"""Stripe's own page to change the card or the plan, or to cancel."""

from __future__ import annotations

from typing import Any

from licenzy_django.checkout.redirects import redirect_url
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import NoBillingAccount
from licenzy_django.identity import required_subject_ref
from licenzy_django.models import Subject
from licenzy_django.stripe import client
from licenzy_django.stripe.customers import forget_customer


def session_url(subject_ref: Any, *, mode: str | None = None, return_url: str = "") -> str:
    """The address of the page: short-lived, for this subject's customer alone.

    Args:
        subject_ref: whose: a ref, a request or a user.
        return_url: where the page's way back leads, on an allowed host; by default the setting ``CANCEL_URL``.

    Raises NoBillingAccount, StripeRefused, StripeUnavailable, ModeNotConfigured, InvalidRequest.
    """
    mode = mode or licenzy_settings().MODE
    subject = Subject.objects.filter(mode=mode, subject_ref=required_subject_ref(subject_ref)).first()
    if subject is None or not subject.stripe_customer_id:
        raise NoBillingAccount()
    settings = licenzy_settings()
    params: Any = {
        "customer": subject.stripe_customer_id,
        "return_url": redirect_url("return_url", return_url, settings.CANCEL_URL),
    }
    try:
        session = client.ask(mode, lambda stripe: stripe.v1.billing_portal.sessions.create(params))
    except client.StripeObjectMissing as missing:
        if missing.param != "customer":
            raise
        forget_customer(subject, subject.stripe_customer_id)
        raise NoBillingAccount() from missing
    url: str = session["url"]
    return url
