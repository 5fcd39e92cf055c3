"""Stripe's own command line, pointed at the simulator: fixtures, triggers, its resource commands, a resent event."""

from __future__ import annotations

import json

import pytest

from tests.servers import eventually
from tests.stripe_tools.conftest import HERE, OLDER, Tools

pytestmark = pytest.mark.stripe_tools
VERSION = OLDER
TRIGGERS = (
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "charge.refunded",
    "charge.failed",
    "charge.dispute.created",
    "charge.dispute.closed",
    "checkout.session.expired",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "payment_intent.succeeded",
    "payment_intent.requires_action",
    "payment_intent.canceled",
    "payment_method.attached",
    "payment_method.detached",
    "price.created",
    "price.updated",
    "product.created",
    "product.updated",
    "product.deleted",
    "invoice.created",
    "invoice.finalized",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoiceitem.created",
)


def test_fixtures_make_a_product_a_price_a_customer_and_a_session(tools: Tools) -> None:
    tools.cli("fixtures", str(HERE / "shop.fixtures.json"))
    [session] = tools.client.v1.checkout.sessions.list({"limit": 1}).data
    assert (session.mode, session.status, session.url) == (
        "subscription", "open", f"{tools.address}/checkout/{session.id}",
    )  # fmt: skip


@pytest.mark.parametrize("event_type", TRIGGERS)
def test_a_trigger_makes_its_event(tools: Tools, event_type: str) -> None:
    before = {event.id for event in tools.client.v1.events.list({"type": event_type, "limit": 100}).data}
    said = tools.cli("trigger", event_type)
    assert "Trigger succeeded!" in said
    assert {event.id for event in tools.client.v1.events.list({"type": event_type, "limit": 100}).data} - before


def test_what_the_simulator_does_not_have_is_said_by_name(tools: Tools) -> None:
    with pytest.raises(AssertionError, match="Unrecognized request URL"):
        tools.cli("trigger", "transfer.created")


def test_resources_are_asked_for_and_changed(tools: Tools) -> None:
    made = json.loads(tools.cli("customers", "create", "-d", "email=ada@example.com"))
    assert json.loads(tools.cli("customers", "retrieve", made["id"]))["email"] == "ada@example.com"
    price = json.loads(tools.cli("prices", "create", "-d", "currency=eur", "-d", "unit_amount=1900",
                                 "-d", "product_data[name]=Pro"))  # fmt: skip
    assert json.loads(tools.cli("prices", "update", price["id"], "-d", "active=false"))["active"] is False


def test_an_event_is_resent(tools: Tools) -> None:
    tools.cli("trigger", "customer.created")
    [event] = tools.client.v1.events.list({"type": "customer.created", "limit": 1}).data
    delivered = {"type": "customer.created", "delivery_success": True, "limit": 100}
    eventually(lambda: event.id in [found.id for found in tools.client.v1.events.list(delivered).data])  # type: ignore[arg-type]
    tools.cli("events", "resend", event.id)
