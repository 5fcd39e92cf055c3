"""Our objects have every key that Stripe's published examples have, or the docs say that it is left out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from licenzy_django.simulator import clocks
from licenzy_django.simulator.rendering import render_object
from licenzy_django.simulator.resources import portal_configurations
from licenzy_django.simulator.simulator import Simulator
from tests.contract.openapi import BESIDE

pytestmark = pytest.mark.once

Json = dict[str, Any]
EXAMPLES = BESIDE.with_name("fixtures3.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
FREE = {"metadata", "evidence", "fraud_details", "payment_method_options"}
"""Whose keys depend on what was sent; an event's object, on its type."""
KINDS = (
    "charge", "checkout.session", "billing_portal.configuration", "billing_portal.session", "coupon", "credit_note",
    "customer", "customer_balance_transaction", "discount", "dispute", "event", "invoice", "invoice_payment",
    "invoiceitem", "item", "payment_intent", "payment_method", "price", "product", "promotion_code", "refund",
    "subscription", "subscription_item", "subscription_schedule", "tax_id", "tax_rate", "test_helpers.test_clock",
    "webhook_endpoint",
)  # fmt: skip


@cache
def examples() -> Json:
    place = Path(os.environ.get("LICENZY_STRIPE_EXAMPLES") or EXAMPLES)
    if not place.is_file():
        pytest.skip(f"THE SIMULATOR'S KEYS ARE NOT COMPARED: Stripe's example objects are not at {place}.")
    found: Json = json.loads(place.read_text())["resources"]
    return found


@cache
def left_out() -> dict[str, set[str]]:
    """The table of the docs: kind → paths of keys."""
    rows = re.findall(r"^\| `([\w.]+)` \| (`.*?`) \|", PAGE.read_text(), flags=re.MULTILINE)
    return {kind: set(re.findall(r"`([\w.]+)`", names)) for kind, names in rows}


@pytest.fixture(scope="module")
def ours() -> dict[str, Json]:
    """An object of each kind, as the API answers it."""
    simulator = Simulator()
    month = simulator.create_price({"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}})
    pack = simulator.create_price({"currency": "eur", "unit_amount": 1000})
    customer = simulator.create_customer({"email": "ada@example.com"})

    coupon = simulator.create_coupon({"percent_off": 20.0})
    simulator.create_promotion_code({"code": "SPRING", "promotion": {"type": "coupon", "coupon": coupon["id"]}})

    def session(price: Json, mode: str) -> Json:
        lines = [{"price": price["id"], "quantity": 2, "adjustable_quantity": {"enabled": True}}]
        wanted = {"mode": mode, "line_items": lines, "success_url": "https://x.example/", "customer": customer["id"]}
        wanted |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
        wanted |= {"invoice_creation": {"enabled": True}} if mode == "payment" else {}
        wanted["discounts"] = [{"coupon": coupon["id"]}]
        return simulator.pay(simulator.create_session(wanted))

    bought, subscribed = session(pack, "payment"), session(month, "subscription")
    simulator.refund(bought, amount=100)
    simulator.dispute(subscribed["subscription"])
    simulator.credit_invoice(subscribed["invoice"], amount=100, credit_amount=100, refund_amount=0)
    simulator.create_portal_session({"customer": customer["id"]})
    portal_configurations.create(simulator, {"features": {"invoice_history": {"enabled": True}}})
    clocks.create(simulator, {"frozen_time": simulator.now})
    simulator.create_schedule(subscribed["subscription"])
    simulator.create_webhook_endpoint({"url": "https://x.example/hook"})
    from licenzy_django.simulator.resources import invoice_items, tax_ids, taxes

    tax_ids.save(simulator, customer["id"], {"type": "eu_vat", "value": "DE123456789"})
    simulator.store.add(taxes.rate(simulator))

    other = simulator.create_customer({"email": "b@example.com"})
    invoice_items.create(simulator, {"customer": other["id"], "amount": 500, "currency": "eur"})
    found = {kind: simulator.all(kind)[-1] for kind in KINDS if kind not in ("item", "subscription_item", "event")}
    found["checkout.session"] = simulator.get("checkout.session", subscribed)
    found["subscription_item"] = found["subscription"]["items"]["data"][0]
    found["item"] = simulator.find("checkout.session", bought)["_line_items"][0]
    found["event"] = simulator.events()[-1]
    return {kind: render_object(thing, None) for kind, thing in found.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_no_key_is_missing_that_the_docs_do_not_name(ours: dict[str, Json], kind: str) -> None:
    missing = set(missing_keys(examples()[kind], ours[kind]))
    assert missing - left_out().get(kind, set()) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_docs_call_left_out_is_left_out(ours: dict[str, Json], kind: str) -> None:
    assert left_out().get(kind, set()) - set(missing_keys(examples()[kind], ours[kind])) == set()


def missing_keys(theirs: Any, own: Any, above: str = "") -> Iterator[str]:
    """Paths of keys; where ours is null, nothing is asked of what would be inside."""
    if isinstance(theirs, list) and isinstance(own, list):
        if theirs and own:
            yield from missing_keys(theirs[0], own[0], above)
        return
    if not isinstance(theirs, dict) or not isinstance(own, dict):
        return
    for name, value in theirs.items():
        path = f"{above}.{name}" if above else name
        if name not in own:
            yield path
        elif name not in FREE and path != "data.object":
            yield from missing_keys(value, own[name], path)
