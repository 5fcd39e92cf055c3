"""A trial from beginning to end over HTTP: it is canceled on the third day, and the next purchase is paid."""

from __future__ import annotations

import pytest

from licenzy_django.testing import StripeDouble
from tests.backend import Backend

pytestmark = pytest.mark.sells(PRO={"amount": 1900, "trial_days": 14})

PRO = {"subject_ref": "ada", "product_code": "PRO"}


def test_who_cancels_a_trial_on_the_third_day_pays_for_the_next_purchase(
    stripe: StripeDouble, backend: Backend
) -> None:
    first = backend.checkout("ada", "PRO", key="first").json()
    assert first["trial_days"] == 14
    stripe.pay(stripe.simulator.all("checkout.session")[-1]["id"])
    assert backend.is_allowed("ada", product_code="PRO")
    [entitlement] = backend.entitlements("ada")["entitlements"]
    assert (entitlement["status"], entitlement["trial_ends_at"]) == ("trialing", entitlement["current_period_end"])

    stripe.advance(days=3)
    canceled = backend.post("subscription/cancel", {**PRO, "when": "now"}, idempotency_key="c").json()
    assert canceled["status"] == "canceled"
    assert not backend.is_allowed("ada", product_code="PRO")

    second = backend.checkout("ada", "PRO", key="second").json()
    assert second["trial_days"] == 0
    session = stripe.pay(stripe.simulator.all("checkout.session")[-1]["id"])
    assert (session["payment_status"], session["amount_total"]) == ("paid", 1900)
    assert backend.is_allowed("ada", product_code="PRO")
