"""Changes over HTTP, as the contract writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django.models import SubscriptionChange
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of

pytestmark = pytest.mark.sells(
    PRO={"amount": 1900, "group": "plans"},
    MAX={"amount": 2900, "group": "plans"},
    MORE={"amount": 500, "is_add_on": True},
)

PRO = {"subject_ref": "ada", "product_code": "PRO"}
UPGRADE = {**PRO, "to_product_code": "MAX"}


@pytest.fixture(autouse=True)
def subscription(stripe: StripeDouble) -> Any:
    session = stripe.buy("ada", "PRO")
    stripe.advance(days=10)
    return stripe.simulator.get("subscription", session["subscription"])


def test_preview_and_change(stripe: StripeDouble, backend: Backend) -> None:
    shown = backend.post("subscription/preview", UPGRADE)

    assert shown.status_code == 200
    body = shown.json()
    assert body.keys() == {
        "amount_due", "currency", "next_amount", "effective_at", "lines", "change_token", "expires_at"
    }  # fmt: skip
    assert [line.keys() for line in body["lines"]] == [{"description", "amount", "proration"}] * 2
    asked = {**UPGRADE, "change_token": body["change_token"]}
    done = backend.post("subscription/change", asked, idempotency_key="k")
    assert done.status_code == 200
    assert done.json() == {"status": "changed", "effective_at": body["effective_at"], "payment_url": None}
    assert "Idempotent-Replayed" not in done.headers
    assert stripe.simulator.all("invoice")[-1]["amount_paid"] == body["amount_due"]
    assert backend.is_allowed("ada", product_code="MAX")
    again = backend.post("subscription/change", asked, idempotency_key="k")
    assert (again.status_code, again.json(), again.headers["Idempotent-Replayed"]) == (200, done.json(), "true")


def test_a_declined_card_leaves_the_old_plan_and_names_the_page(
    stripe: StripeDouble, backend: Backend, subscription: Any
) -> None:
    stripe.set_card(subscription, works=False)

    done = backend.post("subscription/change", UPGRADE, idempotency_key="k").json()

    assert (done["status"], done["effective_at"]) == ("requires_payment", None)
    assert "/simulator/invoice/in_" in done["payment_url"]
    assert backend.is_allowed("ada", product_code="PRO")
    assert not backend.is_allowed("ada", product_code="MAX")


def test_cancel_and_resume(backend: Backend) -> None:
    ends_at = backend.entitlements("ada")["entitlements"][0]["current_period_end"]

    canceled = backend.post("subscription/cancel", PRO, idempotency_key="k")
    assert (canceled.status_code, canceled.json()) == (200, {"status": "scheduled", "effective_at": ends_at})
    assert backend.entitlements("ada")["entitlements"][0]["cancel_at"] == ends_at
    resumed = backend.post("subscription/resume", PRO, idempotency_key="k")
    assert (resumed.status_code, resumed.json()) == (200, {"status": "active"})
    assert backend.entitlements("ada")["entitlements"][0]["cancel_at"] is None
    over = backend.post("subscription/cancel", {**PRO, "when": "now"}, idempotency_key="k2")
    assert over.json()["status"] == "canceled"
    assert not backend.is_allowed("ada")


@pytest.mark.parametrize("verb", ["change", "cancel", "resume"])
def test_all_but_the_preview_need_a_key(backend: Backend, verb: str) -> None:
    assert error_of(backend.post(f"subscription/{verb}", PRO)) == (400, "idempotency_key_missing")


def test_what_is_refused(stripe: StripeDouble, backend: Backend, subscription: Any) -> None:
    asked: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
        ("change", PRO, (400, "invalid_request")),
        ("change", {**PRO, "quantity": 1}, (400, "invalid_request")),
        ("change", {**UPGRADE, "amount": 1}, (400, "invalid_request")),
        ("change", {**UPGRADE, "mode": "live"}, (400, "invalid_request")),
        ("change", {**UPGRADE, "change_token": "x"}, (400, "invalid_request")),
        ("change", {**UPGRADE, "subject_ref": "bob"}, (404, "no_subscription")),
        ("change", {**PRO, "to_product_code": "NO"}, (404, "product_not_found")),
        ("change", {**PRO, "to_product_code": "MORE"}, (409, "not_changeable")),
        ("cancel", {**PRO, "when": "later"}, (400, "invalid_request")),
        ("cancel", {**PRO, "subject_ref": "bob"}, (404, "no_subscription")),
        ("resume", {**PRO, "subject_ref": "bob"}, (404, "no_subscription")),
        ("resume", {**PRO, "when": "now"}, (400, "invalid_request")),
    ]
    for verb, body, expected in asked:
        assert error_of(backend.post(f"subscription/{verb}", body, idempotency_key="k")) == expected, (verb, body)
        if verb == "change" and "change_token" not in body:
            assert error_of(backend.post("subscription/preview", body)) == expected, body
    assert not SubscriptionChange.objects.exists()
    stripe.sell("OTHER", group="others")
    stripe.buy("ada", "OTHER")
    already = backend.post("subscription/change", {**PRO, "to_product_code": "OTHER"}, idempotency_key="k")
    assert error_of(already) == (409, "already_subscribed")
    assert already.json()["product_code"] == "OTHER"
    assert already.json()["billing_portal"] == "/v1/billing-portal/session"


def test_a_preview_lasts_fifteen_minutes(stripe: StripeDouble, backend: Backend) -> None:
    body = backend.post("subscription/preview", UPGRADE).json()
    stripe.advance(timedelta(minutes=15))

    asked = {**UPGRADE, "change_token": body["change_token"]}
    assert error_of(backend.post("subscription/change", asked, idempotency_key="k")) == (409, "change_expired")
    assert backend.post("subscription/change", UPGRADE, idempotency_key="k").status_code == 200


def test_an_unpaid_period_is_not_changeable(stripe: StripeDouble, backend: Backend, subscription: Any) -> None:
    stripe.renew(subscription, paid=False)

    refused = backend.post("subscription/change", UPGRADE, idempotency_key="k")
    assert error_of(refused) == (409, "not_changeable")
    assert "not paid" in refused.json()["message"]


def test_stripe_down_and_the_same_key_again(stripe: StripeDouble, backend: Backend) -> None:
    stripe.faults.add("POST", "/v1/subscriptions/*", "drop_after", times=9)
    assert error_of(backend.post("subscription/change", UPGRADE, idempotency_key="k")) == (503, "stripe_unavailable")
    stripe.faults.clear()

    assert backend.post("subscription/change", UPGRADE, idempotency_key="k").json()["status"] == "changed"
    updates = [
        invoice for invoice in stripe.simulator.all("invoice") if invoice["billing_reason"] == "subscription_update"
    ]
    assert len(updates) == 1


@pytest.mark.parametrize("add", [{"": "x"}, {"MORE": 0}, {"MORE": 1, "OTHER": 1_000_000}, {"MORE": 1.5}])
def test_a_wrong_number_of_add_ons_is_one_problem_of_the_field(backend: Backend, add: Any) -> None:
    answer = backend.post("subscription/preview", {**PRO, "add": add})

    assert (answer.status_code, answer.json()["fields"]) == (
        400, {"add": ["Each must be a product code with a whole number from 1 to 999,999."]}
    )  # fmt: skip
