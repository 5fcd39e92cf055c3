"""The billing portal by API: configurations, and sessions that are for one thing."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import Json, Shop


class Portal:
    """A customer with a subscription to the month, and what the account lets customers do."""

    def __init__(self, shop: Shop, client: stripe.StripeClient) -> None:
        self.shop, self.v1 = shop, client.v1
        self.customer = client.v1.customers.create({"payment_method": "pm_card_visa"}).id
        self.id, self.item = self.subscribe(shop.month)

    def subscribe(self, *prices: Json) -> tuple[str, str]:
        items: Any = [{"price": price["id"]} for price in prices]
        made = self.v1.subscriptions.create({"customer": self.customer, "items": items})
        return made.id, made["items"].data[0].id

    def open(self, kind: str, configuration: str = "", **more: Any) -> Json:
        flow: Any = {"type": kind} | ({kind: {"subscription": self.id} | more} if kind.startswith("sub") else {})
        wanted: Any = {"customer": self.customer, "flow_data": flow}
        if configuration:
            wanted["configuration"] = configuration
        return self.v1.billing_portal.sessions.create(wanted).to_dict()

    def confirm(self, configuration: str = "", **item: Any) -> Json:
        return self.open("subscription_update_confirm", configuration, items=[{"id": self.item} | item])

    def configure(self, **features: Any) -> Json:
        return self.v1.billing_portal.configurations.create({"features": features}).to_dict()  # type: ignore[typeddict-item]

    def updates(self, *prices: Json, **more: Any) -> Json:
        products = [{"product": price["product"], "prices": [price["id"]]} for price in prices]
        return {"enabled": True, "default_allowed_updates": ["price"], "products": products} | more


@pytest.fixture
def portal(shop: Shop, stripe_client: stripe.StripeClient) -> Portal:
    return Portal(shop, stripe_client)


def test_each_flow_is_shown_as_it_was_asked_for(portal: Portal) -> None:
    assert portal.open("payment_method_update")["flow"]["type"] == "payment_method_update"
    flow = portal.open("subscription_cancel")["flow"]
    assert flow["subscription_cancel"] == {"retention": None, "subscription": portal.id}
    assert flow["after_completion"] == {"type": "portal_homepage", "redirect": None, "hosted_confirmation": None}
    assert portal.open("subscription_update")["flow"]["subscription_update"] == {"subscription": portal.id}
    confirm = portal.confirm(price=portal.shop.year["id"])["flow"]["subscription_update_confirm"]
    assert confirm["items"] == [{"id": portal.item, "price": portal.shop.year["id"], "quantity": 1}]
    assert portal.v1.billing_portal.sessions.create({"customer": portal.customer}).flow is None


def test_the_account_has_a_default_configuration_whose_products_are_expanded(portal: Portal) -> None:
    [default] = portal.v1.billing_portal.configurations.list({"is_default": True}).data
    shown = default.to_dict()
    assert (shown["is_default"], shown["features"]["subscription_update"]["enabled"]) == (True, True)
    assert "products" not in shown["features"]["subscription_update"]
    whole = portal.v1.billing_portal.configurations.retrieve(
        default.id, {"expand": ["features.subscription_update.products"]}
    ).to_dict()
    prices = [ref for entry in whole["features"]["subscription_update"]["products"] for ref in entry["prices"]]
    assert portal.shop.month["id"] in prices
    listed = portal.v1.billing_portal.configurations.list(
        {"expand": ["data.features.subscription_update.products"]}
    ).data[0]
    assert listed.to_dict()["features"]["subscription_update"]["products"]


def test_a_configuration_says_what_customers_may_do(portal: Portal) -> None:
    made = portal.configure(
        subscription_cancel={"enabled": False}, subscription_update=portal.updates(portal.shop.year)
    )
    assert (made["is_default"], made["active"]) == (False, True)
    with pytest.raises(
        stripe.InvalidRequestError, match="cancellation feature in the portal configuration is disabled"
    ):
        portal.open("subscription_cancel", made["id"])
    with pytest.raises(stripe.InvalidRequestError, match="payment method update feature"):
        portal.open("payment_method_update", made["id"])
    portal.confirm(made["id"], price=portal.shop.year["id"])
    with pytest.raises(stripe.InvalidRequestError, match=r"does not include the price in its `features\[sub"):
        portal.confirm(made["id"], price=portal.shop.free["id"])
    with pytest.raises(stripe.InvalidRequestError, match="does not allow another quantity"):
        portal.confirm(made["id"], quantity=4)
    changed = portal.v1.billing_portal.configurations.update(made["id"], {"active": False, "name": "Old"})
    assert (changed.active, changed.name) == (False, "Old")
    with pytest.raises(stripe.InvalidRequestError, match="not active"):
        portal.open("subscription_update", made["id"])


def test_the_default_configuration_can_be_changed(portal: Portal) -> None:
    portal.v1.billing_portal.configurations.update(
        "bpc_simulator", {"features": {"subscription_update": {"enabled": False}}}
    )
    with pytest.raises(stripe.InvalidRequestError, match=r"subscription update feature .* disabled"):
        portal.open("subscription_update")
    assert len(portal.v1.billing_portal.configurations.list().data) == 1


@pytest.mark.parametrize(
    "products",
    [
        [],
        [{"product": "prod_nobody", "prices": []}],
        [{"product": "month", "prices": ["year"]}],
        [{"product": "pack", "prices": ["pack"]}],
        [{"product": "month", "prices": ["month", "month"]}],
    ],
    ids=["none", "unknown", "of another product", "one-time", "the same interval twice"],
)
def test_products_that_the_page_could_not_offer_are_refused(portal: Portal, products: list[Json]) -> None:
    known = {name: getattr(portal.shop, name) for name in ("month", "year", "pack")}
    spelled = [
        {
            "product": known[entry["product"]]["product"] if entry["product"] in known else entry["product"],
            "prices": [known[name]["id"] for name in entry["prices"]],
        }
        for entry in products
    ]
    with pytest.raises(stripe.InvalidRequestError):
        portal.configure(subscription_update=portal.updates() | {"products": spelled})


def test_several_items_cannot_be_updated(portal: Portal) -> None:
    other = portal.shop.simulator.create_price(
        {"currency": "eur", "unit_amount": 5, "recurring": {"interval": "month"}}
    )
    portal.id, portal.item = portal.subscribe(portal.shop.month, other)
    with pytest.raises(stripe.InvalidRequestError, match="multiple items"):
        portal.open("subscription_update")
    assert portal.open("subscription_cancel")["flow"]


def test_a_scheduled_change_closes_both_doors(portal: Portal) -> None:
    schedule = portal.v1.subscription_schedules.create({"from_subscription": portal.id}).to_dict()
    assert portal.open("subscription_update")
    [now] = schedule["phases"]
    first = {
        "items": [{"price": portal.shop.month["id"]}],
        "start_date": now["start_date"],
        "end_date": now["end_date"],
    }
    phases: Any = [first, {"items": [{"price": portal.shop.free["id"]}, ]}] if portal.shop.free["recurring"] else [
        first, {"items": [{"price": portal.shop.month["id"], "quantity": 2}]},
    ]  # fmt: skip
    portal.v1.subscription_schedules.update(schedule["id"], {"phases": phases})
    for kind in ("subscription_update", "subscription_cancel"):
        with pytest.raises(stripe.InvalidRequestError, match="scheduled change"):
            portal.open(kind)


def test_what_is_canceled_already_and_what_is_not_theirs(portal: Portal) -> None:
    portal.v1.subscriptions.update(portal.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="already set to be canceled"):
        portal.open("subscription_cancel")
    portal.id = portal.shop.subscription()
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        portal.open("subscription_cancel")


@pytest.mark.parametrize(
    ("flow", "param"),
    [
        ({"type": "subscription_cancel"}, "flow_data[subscription_cancel]"),
        ({"type": "payment_method_update", "subscription_cancel": {"subscription": "sub"}}, "subscription_cancel"),
        ({"type": "customer_update"}, "flow_data[type]"),
        ({"type": "payment_method_update", "after_completion": {"type": "redirect"}}, "redirect"),
    ],
)
def test_flows_that_cannot_be(portal: Portal, flow: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        portal.v1.billing_portal.sessions.create({"customer": portal.customer, "flow_data": flow})
    assert param in str(refused.value.param)


def test_a_change_that_changes_nothing_is_refused(portal: Portal) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="no changes to confirm"):
        portal.confirm(price=portal.shop.month["id"])
