"""Open Stripe's page for a subject."""

from __future__ import annotations

from typing import Any

from licenzy_django.billing_portal.flows import Flow
from licenzy_django.checkout.redirects import redirect_url
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import NoBillingAccount
from licenzy_django.identity import required_subject_ref
from licenzy_django.models import Subject
from licenzy_django.stripe import client
from licenzy_django.stripe.customers import forget_customer


def session_url(
    subject_ref: Any,
    *,
    mode: str | None = None,
    return_url: str = "",
    flow: str = "",
    product_code: str = "",
    to_product_code: str = "",
    quantity: int | None = None,
) -> str:
    """The address of the page: short-lived, for this subject's customer alone.

    Args:
        subject_ref: whose: a ref, a request or a user.
        return_url: where the page's way back leads, on an allowed host; by default the setting ``CANCEL_URL``.
        flow: ``payment_method``, ``cancel`` or ``change`` opens the page for that alone, which leads back when it is
            done; empty opens the start page.
        product_code: which subscription to cancel or to change.
        to_product_code: what it is to become; by default it stays the same. Without this and ``quantity`` the customer
            chooses on the page.
        quantity: how many it is to become, 1 to 999,999; by default it stays as it is.

    Raises:
        InvalidRequest: an argument that does not fit, or a change that changes nothing.
        NoBillingAccount: the subject has never started a purchase.
        ProductNotFound: one of the codes names no product, or one that is not for sale.
        NoSubscription: nothing of ``product_code`` that has not ended.
        ChangePending: a change is scheduled: until then Stripe's page can neither change nor cancel.
        NotChangeable: of several items, had twice, ending or not running; the message says which.
        AlreadySubscribed: to what it is to become.
        StripeRefused, StripeUnavailable, ModeNotConfigured.
    """
    wanted = Flow(flow, product_code, to_product_code, quantity)
    wanted.validate()
    mode = mode or licenzy_settings().MODE
    subject = Subject.objects.filter(mode=mode, subject_ref=required_subject_ref(subject_ref)).first()
    if subject is None or not subject.stripe_customer_id:
        raise NoBillingAccount()
    back = redirect_url("return_url", return_url, licenzy_settings().CANCEL_URL)
    params: Any = {"customer": subject.stripe_customer_id, "return_url": back}
    if flow:
        after = {"type": "redirect", "redirect": {"return_url": back}}
        params["flow_data"] = {**wanted.data(subject), "after_completion": after}
    try:
        session = client.ask(mode, lambda stripe: stripe.v1.billing_portal.sessions.create(params))
    except client.StripeObjectMissing as missing:
        if missing.param != "customer":
            raise
        forget_customer(subject, subject.stripe_customer_id)
        raise NoBillingAccount() from missing
    url: str = session["url"]
    return url
