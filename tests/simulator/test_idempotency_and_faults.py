"""Idempotency keys, and requests that go wrong on purpose."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import stripe

from licenzy_django.simulator.api import faults
from tests.simulator.conftest import Shop

PATH = "/v1/checkout/sessions"


def wanted(shop: Shop, **more: Any) -> Any:
    lines = [{"price": shop.pack["id"], "quantity": 2}]
    return {"mode": "payment", "line_items": lines, "success_url": "https://x.example/"} | more


def front_of(client: stripe.StripeClient) -> Any:
    return client.front


def test_a_replay_is_the_session_as_it_was_at_creation(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    create = stripe_client.v1.checkout.sessions.create
    first = create(wanted(shop), {"idempotency_key": "k"})
    shop.simulator.pay(first)
    again = create(wanted(shop), {"idempotency_key": "k"})
    assert (again.id, again.status, again.url) == (first.id, "open", first.url)
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    assert len(shop.simulator.all("checkout.session")) == 1


def test_the_same_key_with_other_parameters_is_400(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    create = stripe_client.v1.checkout.sessions.create
    create(wanted(shop), {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        create(wanted(shop, metadata={"other": "1"}), {"idempotency_key": "k"})
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        stripe_client.v1.customers.create({}, {"idempotency_key": "k"})


def test_a_refusal_is_not_kept_under_the_key(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    create = stripe_client.v1.checkout.sessions.create
    with pytest.raises(stripe.InvalidRequestError):
        create(wanted(shop, customer="cus_nobody"), {"idempotency_key": "k"})
    assert create(wanted(shop), {"idempotency_key": "k"}).id


def test_the_same_key_in_flight_is_409(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    shop.simulator.store.claim("k", "whatever")
    front = front_of(stripe_client)
    with pytest.raises(stripe.IdempotencyError):
        stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "k"})
    shop.simulator.store.release("k")
    started, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        assert go_on.wait(5)

    create, found = stripe_client.v1.checkout.sessions.create, []
    front.faults.add("POST", PATH, "call_in_flight", call=wait)
    thread = threading.Thread(target=lambda: found.append(create(wanted(shop), {"idempotency_key": "k"})))
    thread.start()
    assert started.wait(5)
    with pytest.raises(stripe.APIError) as refused:
        create(wanted(shop), {"idempotency_key": "k", "max_network_retries": 0})
    go_on.set()
    thread.join(5)
    assert refused.value.http_status == 409
    assert refused.value.error
    assert refused.value.error.code == "idempotency_key_in_use"
    assert create(wanted(shop), {"idempotency_key": "k"}).id == found[0].id


@pytest.mark.parametrize("kind", [faults.DROP_BEFORE, faults.DROP_AFTER, faults.TIMEOUT])
def test_a_lost_answer_is_retried_with_the_same_bytes_and_makes_one_session(
    shop: Shop, stripe_client: stripe.StripeClient, kind: str
) -> None:
    front_of(stripe_client).faults.add("POST", PATH, kind, times=2)
    made = stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "k"})
    assert [session["id"] for session in shop.simulator.all("checkout.session")] == [made.id]
    log = front_of(stripe_client).log
    assert len(log) == 3
    assert len({(entry.body, entry.idempotency_key) for entry in log}) == 1


def test_after_the_last_retry_the_connection_error_is_raised(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    front_of(stripe_client).faults.add("POST", PATH, faults.DROP_AFTER, times=3)
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.checkout.sessions.create(wanted(shop))
    assert len(shop.simulator.all("checkout.session")) == 1


def test_a_500_is_kept_under_its_key(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    front_of(stripe_client).faults.add("POST", PATH, faults.SERVER_ERROR)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "k"})
        assert broken.value.http_status == 500
    assert shop.simulator.all("checkout.session") == []
    assert stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "another"}).id


def test_a_rate_limit_has_no_effect(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    front_of(stripe_client).faults.add("*", "/v1/checkout/*", faults.RATE_LIMIT, times=3)
    with pytest.raises(stripe.RateLimitError):
        stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "k"})
    assert stripe_client.v1.checkout.sessions.create(wanted(shop), {"idempotency_key": "k"}).id


def test_a_fault_meets_only_what_it_names(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    front = front_of(stripe_client)
    front.faults.add("POST", PATH, faults.SERVER_ERROR)
    assert stripe_client.v1.prices.retrieve(shop.pack["id"]).id
    front.faults.clear()
    assert stripe_client.v1.checkout.sessions.create(wanted(shop)).id
    with pytest.raises(ValueError, match="Unknown fault"):
        front.faults.add("POST", PATH, "earthquake")


def test_a_declined_card_is_402_and_what_happened_stays(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    ref = shop.subscription()
    invoice = shop.simulator.renew(ref, paid=False)
    shop.simulator.set_card(shop.customer, False)
    with pytest.raises(stripe.CardError):
        stripe_client.v1.invoices.pay(invoice["id"])
    assert shop.simulator.get("invoice", invoice)["attempt_count"] == 2
    shop.simulator.set_card(shop.customer, True)
    assert stripe_client.v1.invoices.pay(invoice["id"]).status == "paid"
