"""Changes now: an upgrade, more seats, a longer interval, an add-on; paid, declined, previewed, refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import access, subscriptions
from licenzy_django.exceptions import (
    AlreadySubscribed,
    ChangeExpired,
    IdempotencyKeyReused,
    InvalidRequest,
    NoSubscription,
    NotChangeable,
    ProductNotFound,
)
from licenzy_django.models import Entitlement, Product, Subject, SubscriptionChange
from licenzy_django.stripe import client
from licenzy_django.stripe.customers import ensure_customer
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(
    PRO={"amount": 1900, "group": "plans"},
    MAX={"amount": 2900, "group": "plans"},
    PRO_YEARLY={"amount": 19000, "interval": "year", "group": "plans"},
    MORE={"amount": 500, "is_add_on": True},
    SUPPORT={"amount": 900},
    PACK={"kind": "usage_pack"},
)

SUBSCRIPTIONS = "/v1/subscriptions"


@pytest.fixture
def subscription(stripe: StripeDouble) -> dict[str, Any]:
    """Ada's, ten days old."""
    session = stripe.buy("ada", "PRO")
    stripe.advance(days=10)
    found: dict[str, Any] = stripe.simulator.get("subscription", session["subscription"])
    return found


def change(to: str = "MAX", key: str = "change-1", **more: Any) -> subscriptions.Changed:
    return subscriptions.change("ada", more.pop("code", "PRO"), to_product_code=to, idempotency_key=key, **more)


def has(code: str, subject: str = "ada") -> bool:
    return bool(access.check(subject, code))


def quantity_of(code: str) -> int:
    return Entitlement.objects.get(product__code=code).quantity


def invoices(stripe: StripeDouble) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stripe.simulator.all("invoice")
    return found


def posts(stripe: StripeDouble) -> list[str]:
    """What Stripe was asked to change."""
    return [request.path for request in stripe.requests if request.method != "GET" and "preview" not in request.path]


# --- paid -------------------------------------------------------------------------------------------------------------


def test_an_upgrade_is_billed_at_once_and_there_when_it_is_paid(stripe: StripeDouble, subscription: Any) -> None:
    done = change()

    assert (done.status, done.payment_url, done.replayed) == ("changed", None, False)
    assert done.effective_at == stripe.now.replace(microsecond=0)
    assert has("MAX")
    assert not has("PRO")
    assert invoices(stripe)[-1]["billing_reason"] == "subscription_update"
    assert invoices(stripe)[-1]["status"] == "paid"
    stripe.deliver()
    assert has("MAX")


def test_the_same_key_again_gives_the_same_answer_and_asks_stripe_nothing(
    stripe: StripeDouble, subscription: Any
) -> None:
    first = change()
    before = len(stripe.requests)

    again = change()

    assert again == subscriptions.Changed(first.status, first.effective_at, None, replayed=True)
    assert len(stripe.requests) == before
    with pytest.raises(IdempotencyKeyReused):
        change(quantity=2)


def test_more_seats_now_and_a_bill_for_the_rest_of_the_period(stripe: StripeDouble, subscription: Any) -> None:
    done = change("", quantity=3)

    assert done.status == "changed"
    assert quantity_of("PRO") == 3
    assert 0 < invoices(stripe)[-1]["total"] < 2 * 1900


def test_a_year_begins_now_and_what_was_paid_is_credited(stripe: StripeDouble, subscription: Any) -> None:
    done = change("PRO_YEARLY")

    assert done.status == "changed"
    assert has("PRO_YEARLY")
    end = Entitlement.objects.get(product__code="PRO_YEARLY").current_period_end
    assert end is not None
    assert end - stripe.now > timedelta(days=364)
    assert 19000 - 1900 < invoices(stripe)[-1]["total"] < 19000


def test_an_add_on_comes_beside_the_plan_and_more_of_it_adds_up(stripe: StripeDouble, subscription: Any) -> None:
    change("", add={"MORE": 2})
    assert quantity_of("MORE") == 2

    change("", "change-2", add={"MORE": 1})

    assert quantity_of("MORE") == 3
    assert has("PRO")
    assert change("", "change-3", code="MORE", quantity=5).status == "changed"
    assert quantity_of("MORE") == 5


def test_during_a_trial_nothing_is_billed_and_the_trial_goes_on(stripe: StripeDouble) -> None:
    Product.objects.filter(code="PRO").update(trial_days=14)
    stripe.buy("ada", "PRO")
    before = len(invoices(stripe))

    done = change("MAX", when="period_end")

    assert done.status == "changed"
    assert has("MAX")
    assert len(invoices(stripe)) == before
    assert Entitlement.objects.get(product__code="MAX").status == "trialing"
    stripe.advance(days=15)
    assert invoices(stripe)[-1]["total"] == 2900


# --- not paid ---------------------------------------------------------------------------------------------------------


def test_a_declined_upgrade_leaves_all_as_it_was_and_names_stripes_page(
    stripe: StripeDouble, subscription: Any
) -> None:
    stripe.set_card(subscription, works=False)

    done = change()

    assert (done.status, done.effective_at) == ("requires_payment", None)
    assert done.payment_url == invoices(stripe)[-1]["hosted_invoice_url"]
    stripe.deliver()
    assert has("PRO")
    assert not has("MAX")


def test_the_page_is_asked_for_anew_in_a_replay(stripe: StripeDouble, subscription: Any) -> None:
    stripe.set_card(subscription, works=False)
    first = change()
    before = len(stripe.requests)

    again = change()

    assert (again.status, again.payment_url, again.replayed) == ("requires_payment", first.payment_url, True)
    asked = stripe.requests[before:]
    assert [(request.method, request.path) for request in asked] == [
        ("GET", f"/v1/invoices/{invoices(stripe)[-1]['id']}")
    ]


def test_the_next_change_replaces_one_that_waits(stripe: StripeDouble, subscription: Any) -> None:
    stripe.set_card(subscription, works=False)
    change()
    stripe.set_card(subscription, works=True)

    done = change("", "change-2", quantity=2)

    stripe.deliver()
    assert done.status == "changed"
    assert quantity_of("PRO") == 2
    assert not has("MAX")


def test_nothing_is_granted_where_stripes_answer_shows_no_payment(stripe: StripeDouble, subscription: Any) -> None:
    """The answer is processed like a webhook: an update that shows at once but is not paid gives nothing."""
    stripe.set_card(subscription, works=False)
    with stripe.webhooks_held_back():
        change()

        assert not has("MAX")


# --- previews ---------------------------------------------------------------------------------------------------------


def test_the_invoice_is_what_the_preview_said(stripe: StripeDouble, subscription: Any) -> None:
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")
    stripe.advance(minutes=10)
    done = change(change_token=shown.change_token)

    invoice = invoices(stripe)[-1]
    assert done.status == "changed"
    assert (shown.amount_due, shown.currency, shown.next_amount) == (invoice["amount_due"], "eur", 2900)
    assert 0 < shown.amount_due < 1000
    assert sum(line.amount for line in shown.lines) == shown.amount_due
    assert all(line.proration for line in shown.lines)
    assert shown.expires_at - shown.effective_at == timedelta(minutes=15)


def test_a_preview_changes_nothing(stripe: StripeDouble, subscription: Any) -> None:
    before = len(posts(stripe))

    subscriptions.preview("ada", "PRO", to_product_code="PRO_YEARLY", quantity=2, add={})

    assert len(posts(stripe)) == before
    assert not SubscriptionChange.objects.exists()


def test_the_preview_of_a_longer_interval_has_the_whole_period(stripe: StripeDouble, subscription: Any) -> None:
    shown = subscriptions.preview("ada", "PRO", to_product_code="PRO_YEARLY")

    assert shown.next_amount == 19000
    assert [line.proration for line in shown.lines] == [True, False]
    change("PRO_YEARLY", change_token=shown.change_token)
    assert invoices(stripe)[-1]["amount_due"] == shown.amount_due


def test_the_preview_of_a_cheaper_plan_costs_nothing_now(stripe: StripeDouble, subscription: Any) -> None:
    change()

    shown = subscriptions.preview("ada", "MAX", to_product_code="PRO")

    assert (shown.amount_due, shown.lines, shown.next_amount) == (0, (), 1900)
    assert shown.effective_at == Entitlement.objects.get(product__code="MAX").current_period_end


@pytest.mark.parametrize("minutes", [15, 16, 60 * 24 * 25])
def test_a_preview_that_is_too_old_or_of_another_period_has_expired(
    stripe: StripeDouble, subscription: Any, minutes: int
) -> None:
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")
    stripe.advance(minutes=minutes)

    with pytest.raises(ChangeExpired):
        change(change_token=shown.change_token)
    assert not SubscriptionChange.objects.exists()


def test_a_renewal_between_preview_and_change_makes_it_expire(stripe: StripeDouble, subscription: Any) -> None:
    stripe.advance(timedelta(days=20, hours=23, minutes=55))
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")
    stripe.renew(subscription)

    with pytest.raises(ChangeExpired):
        change(change_token=shown.change_token)


@pytest.mark.parametrize("asked", [{"quantity": 2}, {"to": "PRO_YEARLY"}, {"when": "period_end"}, {"add": {"MORE": 1}}])
def test_a_token_is_for_the_change_that_was_previewed(
    stripe: StripeDouble, subscription: Any, asked: dict[str, Any]
) -> None:
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")

    with pytest.raises(ChangeExpired):
        change(asked.pop("to", "MAX"), change_token=shown.change_token, **asked)


@pytest.mark.parametrize("token", ["x", "a:b", "é", "\x00", "x" * 5000, 7])
def test_a_token_that_is_none_of_ours_is_refused(stripe: StripeDouble, subscription: Any, token: Any) -> None:
    with pytest.raises(InvalidRequest):
        change(change_token=token)


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"to": "NO_SUCH"}, ProductNotFound),
        ({"to": "PACK"}, NotChangeable),
        ({"to": "MORE"}, NotChangeable),
        ({"to": ""}, InvalidRequest),
        ({"to": "PRO"}, InvalidRequest),
        ({"to": "PRO", "quantity": 1}, InvalidRequest),
        ({"to": "", "add": {"SUPPORT": 1}}, NotChangeable),
        ({"to": "", "add": {"NO_SUCH": 1}}, ProductNotFound),
        ({"code": "NO_SUCH"}, ProductNotFound),
        ({"code": "SUPPORT", "to": "MAX"}, NoSubscription),
        ({"quantity": 0}, InvalidRequest),
        ({"quantity": 1_000_000}, InvalidRequest),
        ({"quantity": True}, InvalidRequest),
        ({"when": "tomorrow"}, InvalidRequest),
        ({"add": {"MORE": 0}}, InvalidRequest),
        ({"add": ["MORE"]}, InvalidRequest),
        ({"to": "", "add": {"MORE": 999_999}, "quantity": 999_999}, None),
    ],
)
def test_what_is_asked_for_in_vain(stripe: StripeDouble, subscription: Any, asked: dict[str, Any], error: Any) -> None:
    if error is None:
        assert change(**asked).status == "changed"
        return
    before = len(posts(stripe))

    with pytest.raises(error):
        change(**asked)
    assert len(posts(stripe)) == before
    assert not SubscriptionChange.objects.exists(), "the same key may be used again"


def test_a_product_that_is_no_longer_for_sale_is_no_target(stripe: StripeDouble, subscription: Any) -> None:
    Product.objects.filter(code="MAX").update(is_active=False)

    with pytest.raises(ProductNotFound):
        change()
    Product.objects.filter(code="PRO").update(is_active=False)
    assert change("", quantity=2).status == "changed", "who has it can have more of it"


def test_a_plan_that_the_subject_has_already_is_no_target(stripe: StripeDouble, subscription: Any) -> None:
    stripe.buy("ada", "SUPPORT")

    with pytest.raises(AlreadySubscribed) as refused:
        change("SUPPORT")
    assert refused.value.product_code == "SUPPORT"
    with pytest.raises(AlreadySubscribed) as refused:
        change("MAX", code="SUPPORT")
    assert refused.value.product_code == "PRO"


def test_nobody_and_another_subject_have_nothing_to_change(stripe: StripeDouble, subscription: Any) -> None:
    with pytest.raises(NoSubscription):
        subscriptions.change("bob", "PRO", to_product_code="MAX", idempotency_key="b")
    with pytest.raises(InvalidRequest):
        subscriptions.change(None, "PRO", to_product_code="MAX", idempotency_key="b")


def test_a_product_that_the_subject_has_twice_is_an_operators(stripe: StripeDouble, subscription: Any) -> None:
    stripe.simulator.subscribe(subscription["customer"], [("price_pro", 1)])
    stripe.deliver()

    with pytest.raises(NotChangeable, match="twice"):
        change()


def test_nothing_is_changed_while_the_current_period_is_not_paid(stripe: StripeDouble, subscription: Any) -> None:
    stripe.renew(subscription, paid=False)

    with pytest.raises(NotChangeable, match="not paid"):
        change()


def test_a_refunded_period_is_not_paid_either(stripe: StripeDouble, subscription: Any) -> None:
    stripe.refund(invoices(stripe)[0])

    with pytest.raises(NotChangeable, match="not paid"):
        change()


def test_a_price_in_another_currency_is_refused(stripe: StripeDouble, subscription: Any) -> None:
    stripe.simulator.create_price(
        {
            "id": "price_yen",
            "currency": "jpy",
            "unit_amount": 9000,
            "recurring": {"interval": "month"},
            "product_name": "Y",
        }
    )
    Product.objects.filter(code="MAX").update(stripe_price_id="price_yen")

    with pytest.raises(NotChangeable, match="currency"):
        change()


def test_a_subscription_in_another_currency_of_its_price_is_changed_in_that_one(stripe: StripeDouble) -> None:
    for code, amount in (("PRO", 2100), ("MAX", 3100)):
        asked: Any = {"currency_options": {"usd": {"unit_amount": amount}}}
        price = f"price_{code.lower()}"
        client.ask("test", lambda stripe, p=price, a=asked: stripe.v1.prices.update(p, a))  # type: ignore[misc]
    customer = ensure_customer(Subject.objects.create(mode="test", subject_ref="ada"))
    wanted: Any = {
        "mode": "subscription",
        "customer": customer,
        "currency": "usd",
        "line_items": [{"price": "price_pro", "quantity": 1}],
        "success_url": "https://testserver/",
    }
    stripe.pay(client.ask("test", lambda stripe: stripe.v1.checkout.sessions.create(wanted)))
    stripe.advance(days=10)

    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")

    assert (shown.currency, shown.next_amount) == ("usd", 3100)
    assert change(change_token=shown.change_token).status == "changed"
    assert invoices(stripe)[-1]["amount_due"] == shown.amount_due


def test_an_archived_price_is_refused(stripe: StripeDouble, subscription: Any) -> None:
    client.ask("test", lambda stripe: stripe.v1.prices.update("price_max", {"active": False}))

    with pytest.raises(NotChangeable, match="archived"):
        change()


def test_a_bank_debit_cannot_wait_so_nothing_is_changed_now(stripe: StripeDouble) -> None:
    stripe.pay_by_bank(stripe.checkout("ada", "PRO"), arrives=True)

    with pytest.raises(NotChangeable, match="bank debit"):
        change()


def test_a_yearly_plan_with_a_monthly_add_on_is_refused(stripe: StripeDouble, subscription: Any) -> None:
    change("", add={"MORE": 1})

    with pytest.raises(NotChangeable, match="interval"):
        change("PRO_YEARLY", "change-2")


def test_what_is_to_end_is_resumed_first(stripe: StripeDouble, subscription: Any) -> None:
    subscriptions.cancel("ada", "PRO", idempotency_key="c")

    with pytest.raises(NotChangeable, match="resume"):
        change("PRO_YEARLY")
    shown = subscriptions.preview("ada", "PRO", to_product_code="MAX")
    assert shown.next_amount == 0
    assert change().status == "changed", "an upgrade for the time that is left"
