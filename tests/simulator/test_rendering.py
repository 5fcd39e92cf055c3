"""Events in the shapes that webhook endpoints of different ages get."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Json, Shop

OLD, BASIL, CLOVER, NEW = "2024-06-20", "2025-08-27.basil", "2025-11-17.clover", "2026-10-28.endive"


def told(shop: Shop, event_type: str, version: str | None) -> Json:
    return shop.simulator.render(shop.simulator.events(event_type)[-1], version)


def test_the_version_stands_in_the_event_and_may_be_null(shop: Shop) -> None:
    shop.subscription()
    assert told(shop, "invoice.paid", OLD)["api_version"] == OLD
    nameless = told(shop, "invoice.paid", None)
    assert nameless["api_version"] is None
    assert nameless["data"] == told(shop, "invoice.paid", NEW)["data"]


def test_the_period_of_a_subscription_moved_to_its_items_in_basil(shop: Shop) -> None:
    shop.simulator.renew(shop.subscription())
    updated = "customer.subscription.updated"
    old, basil = told(shop, updated, OLD)["data"], told(shop, updated, BASIL)["data"]
    [item] = basil["object"]["items"]["data"]
    assert old["object"]["current_period_end"] == item["current_period_end"]
    assert "current_period_end" not in basil["object"]
    assert "current_period_end" not in old["object"]["items"]["data"][0]
    assert "current_period_end" in old["previous_attributes"]
    assert "current_period_end" in basil["previous_attributes"]["items"]["data"][0]
    assert old["object"]["plan"]["id"] == shop.month["id"]
    assert (old["object"].get("billing_mode"), basil["object"]["billing_mode"]["type"]) == (None, "flexible")


def test_an_old_invoice_names_its_subscription_payment_intent_and_charge(shop: Shop) -> None:
    ref = shop.subscription(subscription_data={"metadata": {"att": "1"}})
    old = told(shop, "invoice.paid", OLD)["data"]["object"]
    new = told(shop, "invoice.paid", NEW)["data"]["object"]
    assert (old["subscription"], old["payment_intent"]) == (ref, shop.simulator.payment_of(ref)["id"])
    assert (old["paid"], old["subscription_details"]["metadata"]) == (True, {"att": "1"})
    assert old["charge"].startswith("ch_")
    assert "parent" not in old
    for name in ("subscription", "payment_intent", "charge", "paid", "payments"):
        assert name not in new
    [old_line], [new_line] = old["lines"]["data"], new["lines"]["data"]
    assert (old_line["type"], old_line["proration"]) == ("subscription", False)
    assert old_line["price"]["id"] == new_line["pricing"]["price_details"]["price"] == shop.month["id"]
    assert old_line["subscription_item"] == new_line["parent"]["subscription_item_details"]["subscription_item"]
    assert "price" not in new_line


@pytest.mark.parametrize("event_type", ["charge.succeeded", "payment_intent.succeeded"])
def test_an_old_payment_names_its_invoice(shop: Shop, event_type: str) -> None:
    ref = shop.subscription()
    invoice = shop.simulator.get("subscription", ref)["latest_invoice"]
    assert told(shop, event_type, OLD)["data"]["object"]["invoice"] == invoice
    assert "invoice" not in told(shop, event_type, BASIL)["data"]["object"]


def test_a_refund_names_its_customer_since_dahlia(shop: Shop) -> None:
    shop.simulator.refund(shop.subscription())
    assert told(shop, "refund.created", NEW)["data"]["object"]["customer"] == shop.customer["id"]
    assert "customer" not in told(shop, "refund.created", CLOVER)["data"]["object"]
    assert "livemode" not in told(shop, "refund.created", NEW)["data"]["object"]


def test_the_way_a_paused_subscription_is_explained_is_endives(shop: Shop) -> None:
    shop.simulator.pause(shop.subscription())
    paused = "customer.subscription.paused"
    assert told(shop, paused, NEW)["data"]["object"]["status_details"]["paused"]["type"] == "subscription"
    assert "status_details" not in told(shop, paused, CLOVER)["data"]["object"]


def test_the_ui_mode_was_renamed_in_dahlia(shop: Shop) -> None:
    shop.bought()
    completed = "checkout.session.completed"
    assert told(shop, completed, NEW)["data"]["object"]["ui_mode"] == "hosted_page"
    assert told(shop, completed, OLD)["data"]["object"]["ui_mode"] == "hosted"
    assert "line_items" not in told(shop, completed, NEW)["data"]["object"]


@pytest.mark.parametrize("version", [OLD, BASIL, CLOVER, NEW, None])
def test_nothing_of_ours_shows_in_any_version(shop: Shop, version: str | None) -> None:
    ref = shop.subscription(subscription_data={"metadata": {"_mine": "kept", "object": "kept"}})
    shop.simulator.refund(ref)
    shop.bought()
    for event in shop.simulator.events():
        shown = shop.simulator.render(event, version)
        assert ours_in(shown) == [], event["type"]
    created = told(shop, "customer.subscription.created", version)["data"]["object"]
    assert created["metadata"] == {"_mine": "kept", "object": "kept"}


def ours_in(tree: object, at: str = "") -> list[str]:
    if isinstance(tree, list):
        return [found for entry in tree for found in ours_in(entry, at)]
    if not isinstance(tree, dict):
        return []
    return [f"{at}.{name}" for name in tree if name.startswith("_")] + [
        found for name, value in tree.items() if name != "metadata" for found in ours_in(value, f"{at}.{name}")
    ]


def test_rendering_leaves_the_event_as_it_is(shop: Shop) -> None:
    shop.subscription()
    before = repr(shop.simulator.events())
    for event in shop.simulator.events():
        shop.simulator.render(event, OLD)
    assert repr(shop.simulator.events()) == before


def hidden_keys(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [key for key in tree if key.startswith("_")] + [
            key for value in tree.values() for key in hidden_keys(value)
        ]
    return [key for entry in tree for key in hidden_keys(entry)] if isinstance(tree, list) else []


def test_no_internal_key_is_shown_and_older_versions_still_show_what_they_need(shop: Shop) -> None:
    shop.simulator.pay(shop.session(shop.month, customer=shop.customer["id"]))
    events = shop.simulator.take_events()
    assert hidden_keys(events) == hidden_keys(shop.simulator.events()) == []
    [invoice] = [event for event in events if event["type"] == "invoice.paid"]
    assert shop.simulator.render(invoice, "2024-06-20")["data"]["object"]["payment_intent"].startswith("pi_")


def test_what_a_test_changes_in_an_event_is_what_is_sent(shop: Shop) -> None:
    shop.simulator.pay(shop.session(shop.month, customer=shop.customer["id"]))
    [invoice] = [event for event in shop.simulator.take_events() if event["type"] == "invoice.paid"]
    invoice["data"]["object"]["amount_paid"] = 7
    sent = shop.simulator.render(invoice, "2024-06-20")["data"]["object"]
    assert sent["amount_paid"] == 7
    assert sent["payment_intent"].startswith("pi_")
