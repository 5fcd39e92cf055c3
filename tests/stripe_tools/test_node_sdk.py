"""Stripe's Node SDK, pointed at the simulator: buys, renews, changes, cancels, and verifies every event."""

from __future__ import annotations

import json

import pytest

from tests.stripe_tools.conftest import HERE, Tools

pytestmark = pytest.mark.stripe_tools


def test_a_subscription_from_its_first_day_to_its_last(tools: Tools) -> None:
    story = json.loads(tools.run("node", str(HERE / "story.mjs"), tools.address))

    assert story["bought"] == {"session": "complete", "payment": "paid", "subscription": "active"}
    assert story["renewed"] == ["subscription_cycle", "subscription_create"]
    assert story["changed"] == {"price": story["year"], "interval": "year"}
    assert story["by_api"] == {"status": "active", "items": 2, "afterwards": 1}
    assert story["canceled"] == {"scheduled": True, "resumed": False, "status": "canceled"}
    assert story["declined"] == {"type": "StripeCardError", "code": "card_declined"}
    assert story["refused"] == {"type": "StripeInvalidRequestError", "code": "parameter_unknown"}

    assert story["forged"] == []
    assert set(story["sent"]) == set(story["verified"])
    assert {"checkout.session.completed", "invoice.paid", "customer.subscription.deleted"} <= set(story["types"])
