"""The pages of the billing portal's flows, in a browser's terms."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licenzy_django.simulator.account import database_simulator
from licenzy_django.simulator.resources import portal_configurations
from licenzy_django.simulator.simulator import Simulator

pytestmark = pytest.mark.django_db
Json = dict[str, Any]
BACK = "https://shop.example/account"
AFTER = {"type": "redirect", "redirect": {"return_url": BACK}}


@pytest.fixture
def simulator() -> Simulator:
    return database_simulator()


@pytest.fixture
def subscription(simulator: Simulator) -> Json:
    simulator.all("price")
    wanted = {
        "mode": "subscription", "line_items": [{"price": "price_pro_monthly", "quantity": 1}],
        "success_url": "https://shop.example/",
    }  # fmt: skip
    return simulator.get("subscription", simulator.pay(simulator.create_session(wanted))["subscription"])


def page_of(
    simulator: Simulator, subscription: Json, kind: str = "", configuration: Json | None = None, **more: Any
) -> str:
    wanted: Json = {"customer": subscription["customer"], "return_url": BACK}
    if kind:
        named = {kind: {"subscription": subscription["id"]} | more} if kind.startswith("sub") else {}
        wanted["flow_data"] = {"type": kind, "after_completion": AFTER, **named}
    if configuration:
        wanted["configuration"] = configuration["id"]
    made = simulator.create_portal_session(wanted)
    return reverse("licenzy_simulator:portal", args=[made["id"]])


def configured(simulator: Simulator, **features: Any) -> Json:
    with simulator.unit():
        return portal_configurations.create(simulator, {"features": features})


def updates(simulator: Simulator, **more: Any) -> Json:
    prices = [simulator.get("price", ref) for ref in ("price_pro_monthly", "price_pro_yearly")]
    products = [{"product": price["product"], "prices": [price["id"]]} for price in prices]
    return {"enabled": True, "default_allowed_updates": ["price", "quantity"], "products": products} | more


def price_of(simulator: Simulator, subscription: Json) -> str:
    return str(simulator.get("subscription", subscription)["items"]["data"][0]["price"]["id"])


def confirm(subscription: Json, **wanted: Any) -> Json:
    return {"items": [{"id": subscription["items"]["data"][0]["id"]} | wanted]}


def test_a_cancellation_is_confirmed_and_leads_back(client: Client, simulator: Simulator, subscription: Json) -> None:
    page = page_of(simulator, subscription, "subscription_cancel")
    assert "Cancel Pro, monthly?" in client.get(page).content.decode()
    answer = client.post(page, {"action": "confirm"})
    assert (answer.status_code, answer["Location"]) == (302, BACK)
    assert simulator.get("subscription", subscription)["cancel_at"]
    assert "already set to be canceled" in client.get(page).content.decode()


def test_at_once_where_the_configuration_says_so(client: Client, simulator: Simulator, subscription: Json) -> None:
    now = configured(simulator, subscription_cancel={"enabled": True, "mode": "immediately"})
    page = page_of(simulator, subscription, "subscription_cancel", now)
    assert "It ends at once" in client.get(page).content.decode()
    client.post(page, {"action": "confirm"})
    assert simulator.get("subscription", subscription)["status"] == "canceled"


def test_a_change_shows_what_is_due_today_and_charges_that(
    client: Client, simulator: Simulator, subscription: Json
) -> None:
    made = configured(
        simulator,
        subscription_update=updates(simulator, proration_behavior="always_invoice", billing_cycle_anchor="now"),
    )
    chosen = confirm(subscription, price="price_pro_yearly")
    page = page_of(simulator, subscription, "subscription_update_confirm", made, **chosen)
    shown = client.get(page).content.decode()
    assert price_of(simulator, subscription) == "price_pro_monthly"
    answer = client.post(page, {"action": "confirm"})
    assert (answer.status_code, answer["Location"]) == (302, BACK)
    assert price_of(simulator, subscription) == "price_pro_yearly"
    invoice = simulator.all("invoice")[-1]
    assert f"{invoice['amount_paid'] / 100:,.2f} EUR <small>due today" in shown


def test_a_declined_card_changes_nothing(client: Client, simulator: Simulator, subscription: Json) -> None:
    made = configured(simulator, subscription_update=updates(simulator, proration_behavior="always_invoice"))
    page = page_of(simulator, subscription, "subscription_update_confirm", made, **confirm(subscription, quantity=3))
    simulator.set_card(subscription["customer"], False)
    answer = client.post(page, {"action": "confirm"})
    assert (answer.status_code, "declined" in answer.content.decode()) == (200, True)
    assert simulator.get("subscription", subscription)["items"]["data"][0]["quantity"] == 1


def test_a_smaller_amount_waits_for_the_end_of_the_period(
    client: Client, simulator: Simulator, subscription: Json
) -> None:
    simulator.set_quantity(subscription, 3)
    conditions = {"conditions": [{"type": "decreasing_item_amount"}]}
    made = configured(simulator, subscription_update=updates(simulator, schedule_at_period_end=conditions))
    page = page_of(simulator, subscription, "subscription_update_confirm", made, **confirm(subscription, quantity=1))
    assert "Nothing is due today" in client.get(page).content.decode()
    client.post(page, {"action": "confirm"})
    shown = simulator.get("subscription", subscription)
    assert (shown["items"]["data"][0]["quantity"], bool(shown["schedule"])) == (3, True)
    simulator.renew(subscription)
    assert simulator.get("subscription", subscription)["items"]["data"][0]["quantity"] == 1


def test_the_customer_chooses_and_confirms(client: Client, simulator: Simulator, subscription: Json) -> None:
    made = configured(simulator, subscription_update=updates(simulator, billing_cycle_anchor="now"))
    page = page_of(simulator, subscription, "subscription_update", made)
    choice = client.get(page).content.decode()
    assert "price_pro_yearly" in choice
    assert "price_week_pass" not in choice
    assert "Confirm" in client.get(page, {"price": "price_pro_yearly", "quantity": "2"}).content.decode()
    assert client.post(page, {"price": "price_pro_yearly", "quantity": "2"}).status_code == 302
    [item] = simulator.get("subscription", subscription)["items"]["data"]
    assert (item["price"]["id"], item["quantity"]) == ("price_pro_yearly", 2)


@pytest.mark.parametrize(("button", "paid"), [("card", True), ("declined", False), ("asks", False)])
def test_another_card_pays_what_comes(
    client: Client, simulator: Simulator, subscription: Json, button: str, paid: bool
) -> None:
    page = page_of(simulator, subscription, "payment_method_update")
    assert "Another card" in client.get(page).content.decode()
    assert client.post(page, {"action": button})["Location"] == BACK
    shown = simulator.get("subscription", subscription)
    customer = simulator.get("customer", subscription["customer"])
    assert shown["default_payment_method"] == customer["invoice_settings"]["default_payment_method"]
    simulator.advance(shown["items"]["data"][0]["current_period_end"] - simulator.now + 3_700)
    assert (simulator.get("subscription", subscription)["status"] == "active") is paid


def test_a_configuration_shows_on_the_start_page(client: Client, simulator: Simulator, subscription: Json) -> None:
    made = configured(simulator, subscription_cancel={"enabled": True})
    page = page_of(simulator, subscription, configuration=made)
    shown = client.get(page).content.decode()
    assert ("Cancel at the end" in shown, "Cancel now" in shown, "Change plan" in shown, "Pause" in shown) == (
        True, False, False, False,
    )  # fmt: skip
    form = {"subscription": subscription["id"], "item": subscription["items"]["data"][0]["id"]}
    refused = client.post(page, form | {"action": "swap", "price": "price_pro_yearly"})
    assert "disabled" in refused.content.decode()
    assert price_of(simulator, subscription) == "price_pro_monthly"


def test_from_a_flow_a_way_leads_to_the_start_page(client: Client, simulator: Simulator, subscription: Json) -> None:
    page = page_of(simulator, subscription, "subscription_cancel")
    assert "<h1>Billing</h1>" in client.get(page, {"home": "1"}).content.decode()


def test_of_a_stranger_nothing_is_shown(client: Client, simulator: Simulator, subscription: Json) -> None:
    page = page_of(simulator, subscription, "subscription_cancel")
    simulator.cancel(subscription)
    shown = client.get(page).content.decode()
    assert "Not possible here" in shown
    assert client.post(page, {"action": "confirm"}).status_code == 200
