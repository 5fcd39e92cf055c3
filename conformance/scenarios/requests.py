"""What Stripe refuses, what it answers twice, and Checkout sessions before anybody pays."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import stripe

from conformance.account import DAY, Account
from conformance.scenario import Seen, scenario

BACK = "https://shop.example/back"


def session_of(account: Account, price: str, mode: str = "subscription", **more: Any) -> Any:
    asked: Any = {"mode": mode, "line_items": [{"price": price, "quantity": 1}], "success_url": BACK, **more}
    return account.client.v1.checkout.sessions.create(asked)


@scenario("error-codes#resource-missing")
def what_does_not_exist(account: Account, seen: Seen) -> None:
    client, customer = account.client.v1, account.customer()
    seen.refused("a subscription", lambda: client.subscriptions.retrieve("sub_nobody"), 404, "resource_missing")
    seen.refused("a price", lambda: account.subscribe(customer, "price_nobody"), 400, "resource_missing")
    seen.refused("a customer", lambda: account.subscribe("cus_nobody", account.price(2000)), 400, "resource_missing")


@scenario("api/idempotent_requests")
def the_same_request_again(account: Account, seen: Seen) -> None:
    key: stripe.RequestOptions = {"idempotency_key": f"conformance-{uuid4().hex}"}
    items: Any = {"customer": account.customer(), "amount": 100, "currency": "eur"}
    create = account.client.v1.invoice_items.create
    other: Any = {**items, "amount": 200}
    first, again = create(items, key), create(items, key)
    seen("one item", first.id == again.id, True)
    seen.refused("another request", lambda: create(other, key), 400, None)


@scenario("billing/subscriptions/overview#requirements")
def without_a_way_to_pay(account: Account, seen: Seen) -> None:
    customer, price = account.customer(card=""), account.price(2000)
    seen.refused("a subscription", lambda: account.subscribe(customer, price), 400, "resource_missing")
    seen("subscriptions", len(account.client.v1.subscriptions.list({"customer": customer, "status": "all"}).data), 0)


@scenario("api/checkout/sessions/create")
def a_session_before_anybody_pays(account: Account, seen: Seen) -> None:
    made = session_of(account, account.price(2000))
    seen("status", (made.status, made.payment_status), ("open", "unpaid"))
    seen("amount", made.amount_total, 2000)
    seen("objects", (made.subscription, made.payment_intent, made.invoice), (None, None, None))
    seen("it expires in a day", made.expires_at - made.created, DAY)
    account.client.v1.checkout.sessions.expire(made.id)


@scenario("api/checkout/sessions/expire")
def a_session_is_closed(account: Account, seen: Seen) -> None:
    made = session_of(account, account.price(2000))
    expire = account.client.v1.checkout.sessions.expire
    closed = expire(made.id)
    seen("status", (closed.status, closed.url), ("expired", None))
    seen.refused("again", lambda: expire(made.id), 400, None)
    seen("told", "checkout.session.expired" in account.told(made.id), True)


@scenario("payments/checkout/free-trials")
def a_session_with_a_trial(account: Account, seen: Seen) -> None:
    made = session_of(account, account.price(2000), subscription_data={"trial_period_days": 14})
    seen("status", (made.status, made.payment_status), ("open", "unpaid"))
    account.client.v1.checkout.sessions.expire(made.id)
    no_days: Any = {"subscription_data": {"trial_period_days": 0}}
    seen.refused("a trial of no days", lambda: session_of(account, account.price(2000), **no_days), 400, None)


@scenario("api/checkout/sessions/create#create_checkout_session-mode")
def a_session_of_the_wrong_kind(account: Account, seen: Seen) -> None:
    once, monthly = account.price(2000, interval=""), account.price(2000)
    seen.refused("a recurring price, paid once", lambda: session_of(account, monthly, "payment"), 400, None)
    seen.refused("nothing that recurs", lambda: session_of(account, once), 400, None)


@scenario("payments/payment-intents")
def a_card_that_is_declined(account: Account, seen: Seen) -> None:
    intents = account.client.v1.payment_intents
    asked: Any = {
        "amount": 2000,
        "currency": "eur",
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    seen.refused("the payment", lambda: intents.create(asked), 402, "card_declined")
    with_a_visa: Any = {**asked, "payment_method": "pm_card_visa"}
    good = intents.create(with_a_visa)
    seen("with a good card", (good.status, good.amount_received), ("succeeded", 2000))
