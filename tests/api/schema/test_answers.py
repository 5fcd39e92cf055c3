"""What the API really answers is what the document says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpResponse

from licenzy_django.testing import StripeDouble
from tests.backend import Backend

Fits = Callable[[str, str, HttpResponse], None]


@pytest.fixture
def shop(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.buy("user_1", "PRO_MONTHLY")
    stripe_double.buy("user_1", "CREDITS")
    return stripe_double


def test_buying(shop: StripeDouble, backend: Backend, fits: Fits) -> None:
    fits("post", "/checkout/session", backend.checkout("user_2", "PRO_MONTHLY"))
    again = backend.checkout("user_2", "PRO_MONTHLY")
    assert again["Idempotent-Replayed"] == "true"
    fits("post", "/checkout/session", again)
    fits("post", "/checkout/session", backend.checkout("user_3", "PRO_MONTHLY"))
    fits("post", "/checkout/session", backend.checkout("user_1", "PRO_MONTHLY", key="order-2"))
    fits("post", "/checkout/session", backend.checkout("user_1", "NOTHING", key="order-3"))
    fits("post", "/checkout/session", backend.post("checkout/session", {"units": 1}, idempotency_key="k"))
    fits("post", "/checkout/session", backend.post("checkout/session", {}))
    shop.faults.add("POST", "/v1/checkout/sessions", "drop_before", times=9)
    fits("post", "/checkout/session", backend.checkout("user_4", "PRO_MONTHLY", key="order-4"))


def test_the_billing_portal(shop: StripeDouble, backend: Backend, fits: Fits) -> None:
    fits("post", "/billing-portal/session", backend.post("billing-portal/session", {"subject_ref": "user_1"}))
    fits("post", "/billing-portal/session", backend.post("billing-portal/session", {"subject_ref": "nobody"}))


def test_access(shop: StripeDouble, backend: Backend, fits: Fits) -> None:
    fits("post", "/access/check", backend.post("access/check", {"subject_ref": "user_1"}))
    fits("post", "/access/check", Backend(key="lz_test_unknown").post("access/check", {"subject_ref": "user_1"}))
    for subject_ref in ("user_1", "nobody"):
        fits("get", "/customer/access/{subject_ref}", backend.get(f"customer/access/{subject_ref}"))
        fits("get", "/entitlements/{subject_ref}", backend.get(f"entitlements/{subject_ref}"))
    fits("get", "/entitlements/{subject_ref}", backend.get("entitlements/user_1?limit=0"))


def test_usage(shop: StripeDouble, backend: Backend, fits: Fits) -> None:
    units = {"subject_ref": "user_1", "units": 10}
    fits("post", "/usage/consume", backend.post("usage/consume", units, idempotency_key="k"))
    fits("post", "/usage/consume", backend.post("usage/consume", {**units, "units": 5000}, idempotency_key="k2"))
    fits("post", "/usage/consume", backend.post("usage/consume", {**units, "units": 11}, idempotency_key="k"))
    reserved = backend.post("usage/reserve", units, idempotency_key="k")
    fits("post", "/usage/reserve", reserved)
    named = {"reservation_id": reserved.json()["reservation_id"]}
    fits("post", "/usage/confirm", backend.post("usage/confirm", {**named, "units": 4}))
    fits("post", "/usage/confirm", backend.post("usage/confirm", {**named, "units": 5}))
    fits("post", "/usage/release", backend.post("usage/release", named))
    fits("post", "/usage/release", backend.post("usage/release", {"reservation_id": "res_nowhere"}))
    other = backend.post("usage/reserve", units, idempotency_key="k2").json()["reservation_id"]
    fits("post", "/usage/release", backend.post("usage/release", {"reservation_id": other}))
    refund = {"consumption_key": "k", "units": 4, "reason": "it failed"}
    for body in (refund, {**refund, "units": 5}, {**refund, "units": 1000}, {**refund, "consumption_key": "nothing"}):
        fits("post", "/usage/refund", backend.post("usage/refund", body, idempotency_key="r"))
    shop.sell("SMS_20", kind="usage_pack", unit="sms")
    for path in ("/usage/consume", "/usage/reserve", "/access/check"):
        fits("post", path, backend.post(path.removeprefix("/"), units, idempotency_key="k3"))
        named_unit = {**units, "unit": "credits"}
        fits("post", path, backend.post(path.removeprefix("/"), named_unit, idempotency_key="k4"))


def test_the_webhook(db: None, backend: Backend, fits: Fits) -> None:
    fits("post", "/webhooks/stripe", backend.post("webhooks/stripe", {"id": "evt_1"}))


@pytest.mark.sells(TEAM={"limits": {"seats": 1}})
def test_members(stripe: StripeDouble, backend: Backend, fits: Fits) -> None:
    stripe.buy("org", "TEAM")
    path = "/members/{subject_ref}/{member_ref}"
    for member, status in (("user_7", 200), ("user_7", 200), ("user_8", 409), ("%20", 400)):
        answer = backend.send("PUT", f"members/org/{member}")
        assert answer.status_code == status
        fits("put", path, answer)
    fits("get", "/members/{subject_ref}", backend.get("members/org"))
    fits("get", "/members/{subject_ref}", backend.get("members/org?limit=0"))
    for member in ("user_7", "user_7", "%20"):
        fits("delete", path, backend.send("DELETE", f"members/org/{member}"))
