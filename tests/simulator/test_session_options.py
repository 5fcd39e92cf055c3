"""Optional items, other currencies, and what goes on to payments and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from licenzy_django.simulator.refusals import RefusalError
from tests.simulator.conftest import DAY, Json, Shop


def items_of(shop: Shop, session: Json) -> list[tuple[str, int]]:
    found = shop.simulator.find("checkout.session", session)["_line_items"]
    return [(item["price"]["id"], item["quantity"]) for item in found]


def extra(shop: Shop, **wanted: Any) -> Json:
    monthly = {"currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
    return shop.simulator.create_price(monthly | wanted)


def test_an_optional_item_is_added_and_removed_on_the_page(shop: Shop) -> None:
    added = extra(shop)
    session = shop.session(shop.month, optional_items=[{"price": added["id"], "quantity": 2}])
    assert session["optional_items"] == [{"adjustable_quantity": None, "price": added["id"], "quantity": 2}]
    assert session["amount_total"] == 1900
    assert shop.simulator.choose_optional_item(session, added)["amount_total"] == 2900
    assert shop.simulator.choose_optional_item(session, added, 0)["amount_total"] == 1900
    shop.simulator.choose_optional_item(session, added["id"])
    done = shop.simulator.pay(session)
    assert items_of(shop, session) == [(shop.month["id"], 1), (added["id"], 2)]
    items = shop.simulator.get("subscription", done["subscription"])["items"]["data"]
    assert [(item["price"]["id"], item["quantity"]) for item in items] == items_of(shop, session)
    assert shop.simulator.get("invoice", done["invoice"])["total"] == 2900
    with pytest.raises(RefusalError):
        shop.simulator.choose_optional_item(session, added)


def test_its_quantity_stays_within_its_limits(shop: Shop) -> None:
    added = extra(shop)
    entry = {"price": added["id"], "quantity": 3, "adjustable_quantity": {"enabled": True, "minimum": 2, "maximum": 5}}
    session = shop.session(shop.month, optional_items=[entry])
    assert shop.simulator.choose_optional_item(session, added, 5)["amount_total"] == 1900 + 2500
    for wrong in (1, 6):
        with pytest.raises(RefusalError, match="from 2 to 5"):
            shop.simulator.choose_optional_item(session, added, wrong)
    with pytest.raises(RefusalError, match="No such optional item"):
        shop.simulator.choose_optional_item(session, shop.year)
    fixed = shop.session(shop.month, optional_items=[entry | {"adjustable_quantity": {"enabled": False}}])
    with pytest.raises(RefusalError, match="from 3 to 3"):
        shop.simulator.choose_optional_item(fixed, added, 2)


def test_what_cannot_be_bought_together_cannot_be_offered(shop: Shop) -> None:
    for offered, sentence in (
        ([{"price": shop.year["id"], "quantity": 1}], "different billing intervals"),
        ([{"price": shop.month["id"], "quantity": 1}], "same recurring price twice"),
        ([{"price": "price_nobody", "quantity": 1}], "No such price"),
        ([{"price": extra(shop)["id"], "quantity": 0}], "greater than or equal to 1"),
        ([{"price": shop.pack["id"], "quantity": 1}] * 11, "maximum 10"),
        ([{"price": extra(shop, currency="usd")["id"], "quantity": 1}], "same currency"),
    ):
        with pytest.raises(RefusalError, match=sentence):
            shop.session(shop.month, optional_items=offered)
    with pytest.raises(RefusalError, match="recurring price"):
        shop.session(shop.pack, optional_items=[{"price": shop.month["id"], "quantity": 1}])


def both(shop: Shop, **more: Any) -> Json:
    dollars = {"currency_options": {"usd": {"unit_amount": 2200}}}
    return extra(shop, unit_amount=2000, **dollars, **more)


def test_a_session_in_another_currency_charges_that_amount(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    price = both(shop)
    session = shop.session(price, quantity=2, currency="usd")
    assert (session["currency"], session["amount_total"]) == ("usd", 4400)
    done = shop.simulator.pay(session)
    invoice = shop.simulator.get("invoice", done["invoice"])
    assert (invoice["currency"], invoice["total"], invoice["lines"]["data"][0]["currency"]) == ("usd", 4400, "usd")
    subscription = stripe_client.v1.subscriptions.retrieve(str(done["subscription"]))
    assert subscription.currency == "usd"
    shown = subscription.items.data[0].price
    assert (shown.currency, shown.unit_amount) == ("eur", 2000)
    event = shop.simulator.events("customer.subscription.created")[-1]
    assert event["data"]["object"]["items"]["data"][0]["price"]["currency"] == "eur"
    assert shop.simulator.renew(subscription.id)["total"] == 4400


def test_a_change_stays_in_the_subscriptions_currency(shop: Shop) -> None:
    price, dearer = both(shop), extra(shop, unit_amount=9000, currency_options={"usd": {"unit_amount": 10_000}})
    session = shop.simulator.pay(shop.session(price, currency="USD"))
    shop.simulator.advance(DAY)
    changed = shop.simulator.swap_price(session["subscription"], dearer["id"], proration_behavior="always_invoice")
    lines = shop.simulator.get("invoice", changed["latest_invoice"])["lines"]["data"]
    days = (lines[0]["period"]["end"] - lines[0]["period"]["start"]) / (
        lines[0]["period"]["end"] - shop.simulator.now + DAY
    )
    assert {line["currency"] for line in lines} == {"usd"}
    assert [round(line["amount"] / days) for line in lines] == [-2200, 10_000]
    with pytest.raises(RefusalError, match="only supports `eur`"):
        shop.simulator.swap_price(session["subscription"], shop.month["id"])


def test_a_price_without_that_currency_is_refused(shop: Shop) -> None:
    with pytest.raises(RefusalError, match=r"only supports `eur`\. This doesn't match the expected currency: `usd`"):
        shop.session(shop.month, currency="usd")
    shop.subscription()
    with pytest.raises(RefusalError, match="cannot combine currencies"):
        shop.session(both(shop), currency="usd", customer=shop.customer["id"])


def test_descriptions_and_statement_descriptors_go_where_the_money_goes(shop: Shop) -> None:
    about = {"description": "A pack", "statement_descriptor_suffix": "PACK"}
    done = shop.simulator.pay(shop.session(shop.pack, payment_intent_data=about))
    intent = shop.simulator.get("payment_intent", done["payment_intent"])
    charge = shop.simulator.get("charge", intent["latest_charge"])
    for paid in (intent, charge):
        assert (paid["description"], paid["statement_descriptor_suffix"]) == ("A pack", "PACK")
    bought = shop.simulator.pay(shop.session(shop.month, subscription_data={"description": "Monthly"}))
    assert shop.simulator.get("subscription", bought["subscription"])["description"] == "Monthly"
    with pytest.raises(RefusalError, match="22 characters"):
        shop.session(shop.pack, payment_intent_data={"statement_descriptor": "x" * 23})
