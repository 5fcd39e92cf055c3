"""The real stripe library against the simulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from licenzy_django.simulator.api.faults import LoggedRequest
from tests.simulator.conftest import DAY, Shop

URL = "https://shop.example/?session={CHECKOUT_SESSION_ID}"


def wanted(shop: Shop, **more: Any) -> Any:
    lines = [{"price": shop.pack["id"], "quantity": 2}]
    return {"mode": "payment", "line_items": lines, "success_url": URL} | more


def log_of(client: stripe.StripeClient) -> list[LoggedRequest]:
    return client.front.log


def test_a_session_is_created_retrieved_and_listed(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    sessions = stripe_client.v1.checkout.sessions
    made = sessions.create(wanted(shop, customer=shop.customer["id"], metadata={"att": "1"}))
    assert made.id.startswith("cs_test_")
    assert made.url
    assert made.url.endswith(f"/simulator/checkout/{made.id}")
    assert (made.success_url, made.metadata["att"]) == (URL, "1")
    assert (made.livemode, made.amount_total, made.payment_status) == (False, 2000, "unpaid")
    shop.simulator.pay(made)
    found = sessions.retrieve(made.id, {"expand": ["line_items", "payment_intent.latest_charge", "customer"]})
    assert found.line_items
    assert found.line_items.data[0].price
    assert found.line_items.data[0].price.id == shop.pack["id"]
    assert found.payment_intent.latest_charge.paid is True
    assert found.customer.email == "ada@example.com"
    by_intent = sessions.list({"payment_intent": found.payment_intent.id})
    assert [entry.id for entry in by_intent.data] == [made.id]
    assert sessions.list({"customer": "cus_other"}).data == []
    assert [entry.id for entry in sessions.list({"status": "complete"}).data] == [made.id]


def test_line_items_are_paged(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    lines = [{"price": shop.pack["id"], "quantity": count} for count in range(1, 6)]
    made = stripe_client.v1.checkout.sessions.create(wanted(shop, line_items=lines))
    page = stripe_client.v1.checkout.sessions.line_items.list(made.id, {"limit": 2})
    assert ([item.quantity for item in page.data], page.has_more) == ([1, 2], True)
    assert [item.quantity for item in page.auto_paging_iter()] == [1, 2, 3, 4, 5]


def test_lists_are_newest_first_and_filtered(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    first = shop.subscription()
    shop.simulator.advance(DAY)
    second = shop.subscription()
    shop.simulator.cancel(first)
    subscriptions = stripe_client.v1.subscriptions
    customer = shop.customer["id"]
    assert [entry.id for entry in subscriptions.list({"customer": customer}).data] == [second]
    assert [entry.id for entry in subscriptions.list({"status": "all"}).data] == [second, first]
    assert [entry.id for entry in subscriptions.list({"status": "canceled"}).data] == [first]
    since = {"gte": shop.simulator.now}
    assert [entry.id for entry in subscriptions.list({"status": "all", "created": since}).data] == [second]
    page = subscriptions.list({"status": "all", "limit": 1})
    assert (page.data[0].id, page.has_more) == (second, True)
    assert subscriptions.list({"status": "all", "starting_after": second}).data[0].id == first
    with pytest.raises(stripe.InvalidRequestError):
        subscriptions.list({"limit": 101})


def test_a_refund_leads_to_its_subscription_through_the_invoice_payment(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    ref = shop.subscription()
    intent = shop.simulator.payment_of(ref)["id"]
    refund = stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    assert (refund.status, refund.payment_intent) == ("succeeded", intent)
    assert [entry.id for entry in stripe_client.v1.refunds.list({"payment_intent": intent}).data] == [refund.id]
    [payment] = stripe_client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent}, "status": "paid"}
    ).data
    invoice = stripe_client.v1.invoices.retrieve(str(payment.invoice), {"expand": ["payments"]})
    assert invoice.parent
    assert invoice.parent.subscription_details
    assert invoice.parent.subscription_details.subscription == ref
    assert invoice.payments
    assert invoice.payments.data[0].id == payment.id
    dispute = shop.simulator.dispute(ref)
    assert stripe_client.v1.disputes.list({"payment_intent": intent}).data[0].id == dispute["id"]
    assert stripe_client.v1.disputes.retrieve(dispute["id"]).status == "needs_response"
    assert [entry.id for entry in stripe_client.v1.invoices.list({"subscription": ref}).data] == [invoice.id]


def test_subscriptions_are_changed_over_the_api(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    ref = shop.subscription()
    subscriptions = stripe_client.v1.subscriptions
    item = subscriptions.retrieve(ref)["items"]["data"][0]["id"]
    assert subscriptions.update(ref, {"cancel_at_period_end": True}).cancel_at_period_end is True
    assert subscriptions.update(ref, {"cancel_at_period_end": False}).cancel_at is None
    assert subscriptions.update(ref, {"cancel_at": "min_period_end"}).cancel_at
    assert subscriptions.update(ref, {"cancel_at": ""}).cancel_at is None
    swapped = subscriptions.update(ref, {"items": [{"id": item, "price": shop.year["id"], "quantity": 3}]})
    assert (swapped["items"]["data"][0]["price"]["id"], swapped["items"]["data"][0]["quantity"]) == (shop.year["id"], 3)
    assert subscriptions.update(ref, {"metadata": {"a": "1"}}).metadata["a"] == "1"
    paused = subscriptions.update(ref, {"pause_collection": {"behavior": "void"}})
    assert paused.pause_collection
    assert subscriptions.update(ref, {"pause_collection": ""}).pause_collection is None
    assert subscriptions.cancel(ref).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        subscriptions.cancel(ref)


def test_a_deleted_customer_is_answered_and_refused_elsewhere(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    customer = shop.customer["id"]
    assert stripe_client.v1.customers.update(customer, {"email": "new@example.com"}).email == "new@example.com"
    assert stripe_client.v1.customers.delete(customer).deleted is True
    assert stripe_client.v1.customers.retrieve(customer).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.billing_portal.sessions.create({"customer": customer})
    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 400)


def test_webhook_endpoints_show_their_secret_once(stripe_client: stripe.StripeClient) -> None:
    endpoints = stripe_client.v1.webhook_endpoints
    made = endpoints.create(
        {"url": "https://x.example/hook", "enabled_events": ["invoice.paid"], "api_version": "2026-10-28.endive"}
    )
    assert made.secret
    assert made.secret.startswith("whsec_")
    assert "secret" not in endpoints.retrieve(made.id)
    assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
    endpoints.delete(made.id)
    assert endpoints.list().data == []


def test_events_are_listed_by_type_and_by_whether_they_were_delivered(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    shop.simulator.pay(shop.session(shop.pack))
    events = shop.simulator.take_events()
    shop.simulator.deliver(events[:1], post=lambda body, headers: 200, secrets=["whsec_1"], api_version=None)
    listed = stripe_client.v1.events.list
    assert [event.id for event in listed({"type": "checkout.session.completed"}).data] == [events[-1]["id"]]
    assert {event.type for event in listed({"types": ["charge.*"]}).data} == {"charge.succeeded"}
    assert [event.id for event in listed({"delivery_success": True}).data] == [events[0]["id"]]
    assert events[0]["id"] not in [event.id for event in listed({"delivery_success": False, "limit": 100}).data]
    retrieved = stripe_client.v1.events.retrieve(events[-1]["id"]).last_response.body
    for shown in (json.loads(retrieved), *json.loads(listed({}).last_response.body)["data"]):
        assert not [name for name in shown["data"]["object"] if name.startswith("_")]


def test_the_live_world_is_another(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    live = {"api_key": "sk_live_simulator"}
    made = stripe_client.v1.customers.create({"email": "live@example.com"}, live)
    assert made.livemode is True
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.customers.retrieve(made.id)
    price = shop.simulator.live.create_price({"currency": "eur", "unit_amount": 500})
    session = shop.simulator.live.create_session(
        {"mode": "payment", "line_items": [{"price": price["id"], "quantity": 1}], "success_url": URL}
    )
    assert session["id"].startswith("cs_live_")
    assert all(event["livemode"] for event in shop.simulator.live.events())
    assert shop.told() == []


def test_a_restricted_key_works_as_its_mode(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    options: Any = {"api_key": "rk_test_1"}
    assert stripe_client.v1.prices.retrieve(shop.pack["id"], options=options).id == shop.pack["id"]


def test_an_older_version_asked_for_is_answered_in_its_shape(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    ref = shop.subscription()
    options: Any = {"stripe_version": "2024-06-20"}
    old = json.loads(stripe_client.v1.subscriptions.retrieve(ref, options=options).last_response.body)
    assert old["current_period_end"]
    assert "current_period_end" not in old["items"]["data"][0]


def test_the_log_has_what_was_sent(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "key-1"})
    last = log_of(stripe_client)[-1]
    assert (last.method, last.path, last.idempotency_key) == ("POST", "/v1/checkout/sessions", "key-1")
    assert last.params["line_items"] == [{"price": shop.pack["id"], "quantity": "2"}]
    assert last.params["success_url"] == URL
    assert last.headers["stripe-version"]


def test_an_event_names_the_request_that_caused_it(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    stripe_client.v1.customers.create({}, {"idempotency_key": "key-1"})
    shop.simulator.pay(shop.session(shop.pack))
    events = shop.simulator.take_events()
    assert events[0]["request"]["idempotency_key"] == "key-1"
    assert events[0]["request"]["id"].startswith("req_")
    assert events[1]["request"] == {"id": None, "idempotency_key": None}


async def use_the_async_twin(client: stripe.StripeClient, price: str) -> str:
    return (await client.v1.prices.retrieve_async(price)).id


def test_the_librarys_async_calls_work_too(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    from asgiref.sync import async_to_sync

    assert async_to_sync(use_the_async_twin)(stripe_client, shop.pack["id"]) == shop.pack["id"]
