"""Signed as Stripe signs, posted as told."""

from __future__ import annotations

import json

import pytest
import stripe

from licenzy_django.simulator.delivery import request_for
from licenzy_django.simulator.signing import signature_header
from tests.simulator.conftest import Shop


def test_the_librarys_own_verification_accepts_the_signature(shop: Shop) -> None:
    shop.bought()
    body, headers = request_for(shop.simulator.events()[-1], ["whsec_1"], "2026-10-28.endive")
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_1")
    assert event.type == "checkout.session.completed"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_2")


def test_while_a_secret_is_rolled_either_verifies() -> None:
    header = signature_header(b"{}", ["whsec_old", "whsec_new"])
    assert header.count("v1=") == 2
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.WebhookSignature.verify_header("{}", header, secret, 300)


def test_an_old_signature_is_possible(shop: Shop) -> None:
    header = signature_header(b"{}", ["whsec_1"], timestamp=1_000)
    assert header.startswith("t=1000,v1=")


def test_events_go_where_they_are_posted_in_the_order_given(shop: Shop) -> None:
    shop.bought()
    shop.simulator.renew(shop.subscription())
    events, posted = shop.simulator.events()[::-1], []

    def post(body: bytes, headers: dict[str, str]) -> int:
        posted.append(json.loads(body)["id"])
        return 200 if len(posted) % 2 else 500

    statuses = shop.simulator.deliver(events, post=post, secrets=["whsec_1"], api_version="2024-06-20")
    assert posted == [event["id"] for event in events]
    assert statuses[:3] == [200, 500, 200]
    assert shop.simulator.store.delivered(posted[0])
    assert not shop.simulator.store.delivered(posted[1])


def test_without_a_list_the_fresh_events_are_delivered_once(shop: Shop) -> None:
    shop.simulator.pay(shop.session(shop.pack))
    accept = {"post": lambda body, headers: 200, "secrets": ["whsec_1"], "api_version": None}
    assert shop.simulator.deliver(**accept) == [200, 200, 200]
    assert shop.simulator.deliver(**accept) == []


def test_an_event_of_the_present_can_be_made_and_delivered_late(shop: Shop) -> None:
    ref = shop.subscription()
    stale = shop.simulator.event("customer.subscription.updated", "subscription", ref)
    shop.simulator.cancel(ref)
    assert stale["data"]["object"]["status"] == "active"


@pytest.mark.django_db
def test_by_default_events_go_to_licenzys_own_webhook(shop: Shop) -> None:
    shop.bought()
    assert set(shop.simulator.deliver(shop.simulator.events())) == {200}
    assert shop.simulator.deliver(shop.simulator.events()[:1], secrets=["whsec_of_a_stranger"]) == [400]
