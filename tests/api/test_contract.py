"""The HTTP API as the contract has it: these bodies, these statuses, these types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime

from licenzy_django.testing import StripeDouble, entitled
from tests.backend import Backend, error_of
from tests.copies import copied

pytestmark = pytest.mark.sells(
    PRO_MONTHLY={"features": ["export"]}, CREDITS={"kind": "usage_pack"}, WEEK_PASS={"kind": "time_pass"}
)

ENTITLEMENT = {
    "id": str,
    "product_code": str,
    "kind": str,
    "status": str,
    "available": bool,
    "reason": (str, type(None)),
    "quantity": int,
    "features": list,
    "limits": dict,
    "starts_at": (str, type(None)),
    "expires_at": (str, type(None)),
    "current_period_end": (str, type(None)),
    "cancel_at": (str, type(None)),
    "trial_ends_at": (str, type(None)),
    "changes_at": (str, type(None)),
    "changes_to": (str, type(None)),
    "changes_quantity": (int, type(None)),
    "canceled_at": (str, type(None)),
    "unit": (str, type(None)),
    "usage_granted": (int, type(None)),
    "usage_remaining": (int, type(None)),
    "usage_resets_at": (str, type(None)),
    "usage_rolled_over": (int, type(None)),
    "source": str,
    "created_at": str,
    "updated_at": str,
}
ACCESS = ["subject_ref", "has_access", "status", "usage_remaining", "features", "units", "limits", "entitlements"]
TIMES = [name for name in ENTITLEMENT if name.endswith(("_at", "_end"))]


def assert_is_an_entitlement(shown: dict[str, Any]) -> None:
    assert list(shown) == list(ENTITLEMENT)
    for name, wanted in ENTITLEMENT.items():
        assert isinstance(shown[name], wanted), (name, shown[name])
    assert shown["id"].startswith("ent_")
    for name in TIMES:
        if shown[name] is not None:
            assert shown[name].endswith("Z")
            moment = parse_datetime(shown[name])
            assert moment is not None
            assert (moment.tzinfo, moment.microsecond) == (UTC, 0)


# --- checkout ---------------------------------------------------------------------------------------------------------


def test_a_checkout_answers_201_with_the_page(stripe: StripeDouble, backend: Backend) -> None:
    answer = backend.checkout("user_123", "PRO_MONTHLY")

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert list(body) == ["attempt_id", "status", "checkout_url", "mode", "expires_at", "trial_days"]
    assert body["attempt_id"].startswith("att_")
    assert (body["status"], body["mode"]) == ("created", "test")
    assert body["checkout_url"].startswith("http")
    assert datetime.fromisoformat(body["expires_at"]) - stripe.now == timedelta(hours=24)


def test_every_optional_field_of_a_checkout_is_taken(stripe: StripeDouble, backend: Backend, settings: Any) -> None:
    settings.LICENZY = {**settings.LICENZY, "ALLOWED_REDIRECT_HOSTS": ["shop.example"]}

    answer = backend.checkout(
        "user_123",
        "CREDITS",
        quantity=3,
        customer_email="ada@shop.example",
        success_url="https://shop.example/?s={CHECKOUT_SESSION_ID}",
        cancel_url="https://shop.example/",
    )

    session = stripe.simulator.all("checkout.session")[0]
    assert answer.status_code == 201
    assert session["success_url"] == "https://shop.example/?s={CHECKOUT_SESSION_ID}"
    assert session["cancel_url"] == "https://shop.example/"


# --- access -----------------------------------------------------------------------------------------------------------


def test_the_access_check_answers_exactly_two_keys(stripe: StripeDouble, backend: Backend) -> None:
    before = backend.post("access/check", {"subject_ref": "user_123"})
    stripe.buy("user_123", "PRO_MONTHLY")
    after = backend.post("access/check", {"subject_ref": "user_123"})

    assert (before.status_code, before.json()) == (200, {"subject_ref": "user_123", "allowed": False})
    assert (after.status_code, after.json()) == (200, {"subject_ref": "user_123", "allowed": True})


def test_product_and_feature_narrow_the_question(stripe: StripeDouble, backend: Backend) -> None:
    stripe.buy("user_123", "PRO_MONTHLY")

    assert backend.is_allowed("user_123", product_code="PRO_MONTHLY")
    assert backend.is_allowed("user_123", feature="export")
    assert not backend.is_allowed("user_123", product_code="CREDITS")
    assert not backend.is_allowed("user_123", product_code="pro_monthly")
    assert not backend.is_allowed("user_123", feature="import")
    assert not backend.is_allowed("user_123", product_code="CREDITS", feature="export")
    assert not backend.is_allowed("user_124")
    assert not backend.is_allowed("USER_123")


def test_what_a_customer_has_is_summed_up(stripe: StripeDouble, backend: Backend) -> None:
    stripe.buy("user_123", "PRO_MONTHLY")
    stripe.buy("user_123", "CREDITS")

    body = backend.access("user_123")

    assert list(body) == list(ACCESS)
    assert body["subject_ref"] == "user_123"
    assert (body["has_access"], body["status"], body["usage_remaining"]) == (True, "active", 1000)
    assert body["features"] == ["export"]
    assert body["units"] == {"credits": {"remaining": 1000, "granted": 1000, "resets_at": None}}
    assert [shown["product_code"] for shown in body["entitlements"]] == ["CREDITS", "PRO_MONTHLY"]
    for shown in body["entitlements"]:
        assert_is_an_entitlement(shown)


def test_an_unknown_subject_has_nothing_and_that_is_no_error(backend: Backend) -> None:
    assert backend.access("nobody") == {
        "subject_ref": "nobody",
        "has_access": False,
        "status": "none",
        "usage_remaining": 0,
        "features": [],
        "limits": {},
        "units": {},
        "entitlements": [],
    }
    assert backend.entitlements("nobody") == {"subject_ref": "nobody", "entitlements": [], "has_more": False}


def test_each_kind_of_entitlement_is_shown_with_what_applies_to_it(stripe: StripeDouble, backend: Backend) -> None:
    for code in ("PRO_MONTHLY", "CREDITS", "WEEK_PASS"):
        stripe.buy("user_123", code)

    body = backend.entitlements("user_123")

    shown = {entitlement["product_code"]: entitlement for entitlement in body["entitlements"]}
    assert (len(shown), body["has_more"]) == (3, False)
    for entitlement in shown.values():
        assert_is_an_entitlement(entitlement)
        assert (entitlement["status"], entitlement["available"], entitlement["reason"]) == ("active", True, None)
        assert entitlement["source"] == "stripe"
    assert shown["PRO_MONTHLY"]["current_period_end"] is not None
    assert (shown["PRO_MONTHLY"]["usage_granted"], shown["PRO_MONTHLY"]["expires_at"]) == (None, None)
    assert (shown["CREDITS"]["usage_granted"], shown["CREDITS"]["usage_remaining"]) == (1000, 1000)
    week = parse_datetime(shown["WEEK_PASS"]["expires_at"])
    assert week is not None
    assert week - stripe.now == timedelta(days=7)


def test_entitlements_come_in_pages_newest_first(stripe: StripeDouble, backend: Backend) -> None:
    ids = [entitled("user_123", f"P{number}").public_id for number in range(5)][::-1]

    first = backend.entitlements("user_123", "?limit=2")
    second = backend.entitlements("user_123", f"?limit=2&starting_after={ids[1]}")
    third = backend.entitlements("user_123", f"?limit=2&starting_after={ids[3]}")

    assert [[shown["id"] for shown in page["entitlements"]] for page in (first, second, third)] == [
        ids[:2],
        ids[2:4],
        ids[4:],
    ]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]


def test_a_page_begins_only_after_an_entitlement_of_the_same_subject(backend: Backend) -> None:
    other = entitled("user_2", "PRO").public_id

    answer = backend.get(f"entitlements/user_1?starting_after={other}")

    assert error_of(answer) == (400, "invalid_request")
    assert set(answer.json()["fields"]) == {"starting_after"}


def test_a_subject_with_very_many_entitlements_is_answered_in_bounded_lists(
    backend: Backend, django_assert_max_num_queries: Any
) -> None:
    entitled("user_1", "OLD_BUT_GOOD")
    over = entitled("user_1", "OVER", grants_access=False, status="canceled", status_reason="canceled")
    copied(over, 120, products=True)
    backend.is_allowed("user_1")

    with django_assert_max_num_queries(5):
        body = backend.access("user_1")

    assert len(body["entitlements"]) == 100
    assert (body["has_access"], body["status"]) == (True, "active")
    assert backend.is_allowed("user_1", product_code="OLD_BUT_GOOD")
    page = backend.entitlements("user_1")
    assert (len(page["entitlements"]), page["has_more"]) == (100, True)


# --- the billing portal -----------------------------------------------------------------------------------------------


def test_the_billing_portal_answers_201_with_stripes_page(stripe: StripeDouble, backend: Backend) -> None:
    stripe.buy("user_123", "PRO_MONTHLY")

    answer = backend.post("billing-portal/session", {"subject_ref": "user_123"})

    assert answer.status_code == 201
    assert list(answer.json()) == ["url"]
    assert answer.json()["url"].startswith("http")


@pytest.mark.parametrize("make", [lambda stripe: None, lambda stripe: stripe.simulator.delete_customer(
    stripe.simulator.all("customer")[0])], ids=["never bought", "customer deleted"])  # fmt: skip
def test_who_has_no_customer_at_stripe_has_no_billing_account(
    stripe: StripeDouble, backend: Backend, make: Any
) -> None:
    stripe.buy("user_123", "PRO_MONTHLY")
    make(stripe)
    subject = "user_123" if any(c.get("deleted") for c in stripe.simulator.all("customer")) else "user_124"

    answer = backend.post("billing-portal/session", {"subject_ref": subject})

    assert error_of(answer) == (404, "no_billing_account")


# --- in which mode ----------------------------------------------------------------------------------------------------


def test_a_key_sees_its_own_mode_and_nothing_else(stripe: StripeDouble, backend: Backend) -> None:
    live = Backend("live")
    stripe.buy("user_1", "PRO_MONTHLY")
    entitled("user_2", "LIVE_ONLY", mode="live")

    assert (backend.is_allowed("user_1"), live.is_allowed("user_1")) == (True, False)
    assert (backend.is_allowed("user_2"), live.is_allowed("user_2")) == (False, True)
    assert live.access("user_1")["entitlements"] == []
    assert backend.entitlements("user_2")["entitlements"] == []
    assert error_of(live.checkout("user_1", "PRO_MONTHLY")) == (404, "product_not_found")
    assert error_of(live.post("billing-portal/session", {"subject_ref": "user_1"})) == (404, "no_billing_account")
