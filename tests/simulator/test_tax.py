"""Automatic tax at a flat rate, tax ids, and what Checkout saves on the customer."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from licenzy_django.simulator.pages import checkout_form
from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.resources import tax_ids, taxes
from licenzy_django.simulator.resources.session_answers import Answers
from tests.simulator.conftest import DAY, Json, Shop

TAX: Json = {"automatic_tax": {"enabled": True}}
LONDON: Json = {
    "country": "GB", "line1": "Dorset Street 1", "line2": None, "city": "London", "postal_code": "W1U 6QS",
    "state": None,
}  # fmt: skip


def inclusive(shop: Shop, amount: int = 1200) -> Json:
    return shop.simulator.create_price({"currency": "eur", "unit_amount": amount, "tax_behavior": "inclusive"})


def test_tax_is_known_with_the_place_and_part_of_what_is_paid(shop: Shop) -> None:
    session = shop.session(shop.pack, quantity=3, **TAX)
    assert (session["amount_total"], session["automatic_tax"]["status"]) == (3000, "requires_location_inputs")
    paid = shop.simulator.pay(session, answers=Answers(address=LONDON))
    assert (paid["amount_subtotal"], paid["amount_total"], paid["total_details"]["amount_tax"]) == (3000, 3600, 600)
    assert (paid["automatic_tax"]["status"], paid["customer_details"]["address"]["country"]) == ("complete", "GB")
    assert shop.simulator.get("payment_intent", paid["payment_intent"])["amount"] == 3600


def test_an_inclusive_price_stays_what_it_is(shop: Shop) -> None:
    price = inclusive(shop)
    paid = shop.simulator.pay(shop.session(price, line_items=[{"price": price["id"], "quantity": 1}], **TAX))
    assert (paid["amount_total"], paid["total_details"]["amount_tax"]) == (1200, 200)


def test_an_invoice_has_its_tax_on_every_line_after_the_discount(shop: Shop) -> None:
    coupon = shop.simulator.create_coupon({"percent_off": 50.0})
    price = inclusive(shop)
    lines = [{"price": shop.month["id"], "quantity": 1}, {"price": price["id"], "quantity": 1}]
    session = shop.simulator.pay(
        shop.session(shop.month, line_items=lines, discounts=[{"coupon": coupon["id"]}], **TAX)
    )
    invoice = shop.simulator.get("invoice", session["invoice"])
    assert [[tax["amount"] for tax in line["taxes"]] for line in invoice["lines"]["data"]] == [[190], [100]]
    assert (invoice["subtotal"], invoice["total"]) == (3100, 1550 + 190)
    assert (invoice["subtotal_excluding_tax"], invoice["total_excluding_tax"]) == (2900, 1450)
    assert [(tax["amount"], tax["taxable_amount"], tax["tax_behavior"]) for tax in invoice["total_taxes"]] == [
        (190, 950, "exclusive"), (100, 500, "inclusive"),
    ]  # fmt: skip
    assert invoice["automatic_tax"] == {
        "disabled_reason": None, "enabled": True, "liability": {"type": "self"}, "provider": "stripe",
        "status": "complete",
    }  # fmt: skip
    assert (session["amount_total"], session["total_details"]["amount_tax"]) == (1740, 290)
    assert invoice["amount_paid"] == 1740


def test_renewals_and_changes_are_taxed_too(shop: Shop) -> None:
    session = shop.simulator.pay(shop.session(shop.month, **TAX))
    subscription = session["subscription"]
    assert shop.simulator.get("subscription", subscription)["automatic_tax"]["enabled"]
    assert shop.simulator.renew(subscription)["total"] == 1900 + 380
    shop.simulator.advance(DAY)
    changed = shop.simulator.swap_price(subscription, shop.year["id"], proration_behavior="always_invoice")
    invoice = shop.simulator.get("invoice", changed["latest_invoice"])
    back, new = invoice["lines"]["data"]
    assert back["taxes"][0]["amount"] == taxes.of(back["amount"], "exclusive")["amount"] < 0
    assert new["taxes"][0]["amount"] == 3800
    assert invoice["total"] == sum(line["amount"] + line["taxes"][0]["amount"] for line in (back, new))


@pytest.mark.parametrize(("exempt", "reason"), [("exempt", "customer_exempt"), ("reverse", "reverse_charge")])
def test_a_customer_who_is_exempt_pays_none(shop: Shop, exempt: str, reason: str) -> None:
    customer = shop.simulator.create_customer({"email": "b@example.com", "tax_exempt": exempt, "address": LONDON})
    session = shop.simulator.pay(shop.session(shop.month, customer=customer["id"], **TAX))
    invoice = shop.simulator.get("invoice", session["invoice"])
    assert (invoice["total"], invoice["total_taxes"][0]["taxability_reason"]) == (1900, reason)


def test_stripe_demands_leave_to_save_the_address_of_a_customer_without_one(shop: Shop) -> None:
    with pytest.raises(RefusalError) as refused:
        shop.session(shop.month, customer=shop.customer["id"], **TAX)
    assert refused.value.code == "customer_tax_location_invalid"
    assert "set either `customer_update[address]` to 'auto'" in refused.value.message

    lets = {"customer_update": {"address": "auto", "name": "auto"}, "tax_id_collection": {"enabled": True}}
    session = shop.session(shop.month, customer=shop.customer["id"], **TAX, **lets)
    tax_id = {"type": "gb_vat", "value": "GB123456789"}
    typed = Answers(name="Ada", business_name="Analytical Engines", address=LONDON, tax_id=tax_id)
    done = shop.simulator.pay(session, answers=typed)
    customer = shop.simulator.get("customer", shop.customer)
    assert (customer["name"], customer["address"]) == ("Analytical Engines", LONDON)
    assert done["customer_details"]["tax_ids"] == [tax_id]
    assert shop.simulator.get("invoice", done["invoice"])["customer_tax_ids"] == [tax_id]
    assert {"customer.updated", "customer.tax_id.created"} <= set(shop.told())

    known = shop.session(shop.year, customer=shop.customer["id"], **TAX)
    assert (known["automatic_tax"]["status"], known["amount_total"]) == ("complete", 22_800)


def test_nothing_is_saved_without_leave(shop: Shop) -> None:
    session = shop.session(shop.month, customer=shop.customer["id"], billing_address_collection="required")
    shop.simulator.pay(session, answers=Answers(name="Ada", address=LONDON))
    customer = shop.simulator.get("customer", shop.customer)
    assert (customer["name"], customer["address"]) == (None, None)


def test_a_new_customer_gets_what_was_typed(shop: Shop) -> None:
    session = shop.session(shop.month, billing_address_collection="required", phone_number_collection={"enabled": True})
    done = shop.simulator.pay(session, answers=Answers(name="Ada", address=LONDON, phone="+4412345"))
    customer = shop.simulator.get("customer", done["customer"])
    assert (customer["name"], customer["address"], customer["phone"]) == ("Ada", LONDON, "+4412345")
    assert done["customer_details"]["phone"] == "+4412345"


@pytest.mark.parametrize(
    ("asked", "answers", "sentence"),
    [
        (TAX, {}, "country"),
        (TAX, {"address": {"country": "Germany"}}, "country"),
        ({"billing_address_collection": "required"}, {"address": {"country": "DE"}}, "line1"),
        ({"phone_number_collection": {"enabled": True}}, {}, "phone"),
        ({"tax_id_collection": {"enabled": True, "required": "if_supported"}}, {}, "tax id"),
        ({"tax_id_collection": {"enabled": True}}, {"tax_id": {"type": "eu_vat", "value": "DE1"}}, "eu_vat"),
        ({"tax_id_collection": {"enabled": True}}, {"tax_id": {"type": "moon", "value": "1"}}, "must be one of"),
        ({"name_collection": {"business": {"enabled": True}}}, {}, "business name"),
        ({"consent_collection": {"terms_of_service": "required"}}, {}, "terms of service"),
    ],
    ids=str,
)
def test_what_the_page_asks_for_must_be_there(shop: Shop, asked: Json, answers: Any, sentence: str) -> None:
    session = shop.session(shop.pack, **asked)
    with pytest.raises(RefusalError, match=sentence):
        shop.simulator.pay(session, answers=answers)
    assert shop.simulator.pay(session)["status"] == "complete"


def test_custom_fields_and_consent_are_kept(shop: Shop) -> None:
    fields = [
        {"key": "po", "label": {"type": "custom", "custom": "Order"}, "type": "text",
         "text": {"minimum_length": 3, "maximum_length": 5}},
        {"key": "staff", "label": {"type": "custom", "custom": "Staff"}, "type": "numeric", "optional": True},
        {"key": "size", "label": {"type": "custom", "custom": "Size"}, "type": "dropdown",
         "dropdown": {"options": [{"label": "Small", "value": "s"}]}},
    ]  # fmt: skip
    consent = {"terms_of_service": "required", "promotions": "auto"}
    session = shop.session(shop.pack, custom_fields=fields, consent_collection=consent)
    right = {"po": "A-1", "size": "s"}
    for wrong in ({"po": "A"}, {"po": "123456"}, {"staff": "many"}, {"size": "xl"}, {"po": ""}):
        with pytest.raises(RefusalError, match="This field"):
            shop.simulator.pay(session, answers=Answers(custom_fields=right | wrong, terms_of_service=True))
    done = shop.simulator.pay(session, answers=Answers(custom_fields=right, terms_of_service=True, promotions=True))
    assert [field[field["type"]]["value"] for field in done["custom_fields"]] == ["A-1", None, "s"]
    assert done["consent"] == {"promotions": "opt_in", "terms_of_service": "accepted"}


@pytest.mark.parametrize("way", ["card", "bank"])
def test_a_one_time_purchase_can_have_an_invoice_that_is_paid(shop: Shop, way: str) -> None:
    coupon = shop.simulator.create_coupon({"percent_off": 10.0})
    creation = {"enabled": True, "invoice_data": {"description": "Thank you", "metadata": {"order": "7"}}}
    session = shop.session(shop.pack, invoice_creation=creation, discounts=[{"coupon": coupon["id"]}], **TAX)
    if way == "card":
        done = shop.simulator.pay(session)
    else:
        assert shop.simulator.pay_by_bank(session)["invoice"] is None
        done = shop.simulator.settle_bank(session)
    invoice = shop.simulator.get("invoice", done["invoice"])
    assert (invoice["status"], invoice["total"], invoice["amount_paid"], invoice["parent"]) == (
        "paid",
        1080,
        1080,
        None,
    )
    assert (invoice["description"], invoice["metadata"]) == ("Thank you", {"order": "7"})
    assert (invoice["customer"], invoice["amount_remaining"]) == (done["customer"], 0)
    [payment] = shop.simulator.all("invoice_payment", invoice=invoice["id"])
    assert (payment["status"], payment["payment"]["payment_intent"]) == ("paid", done["payment_intent"])
    told = shop.told()
    assert told.count("invoice.paid") == told.count("invoice_payment.paid") == told.count("charge.succeeded") == 1
    shop.simulator.refund(done)
    assert shop.simulator.all("refund")[0]["payment_intent"] == done["payment_intent"]


def test_an_invoice_of_nothing_is_paid_with_nothing(shop: Shop) -> None:
    everything = shop.simulator.create_coupon({"percent_off": 100.0})
    done = shop.simulator.pay(
        shop.session(shop.pack, invoice_creation={"enabled": True}, discounts=[{"coupon": everything["id"]}])
    )
    invoice = shop.simulator.get("invoice", done["invoice"])
    assert (invoice["status"], invoice["amount_paid"], shop.simulator.all("invoice_payment")) == ("paid", 0, [])


def test_the_balance_of_a_customer_has_no_part_in_a_one_time_invoice(shop: Shop) -> None:
    customer = shop.simulator.create_customer({"email": "b@example.com", "balance": -700})
    session = shop.session(shop.pack, invoice_creation={"enabled": True}, customer=customer["id"])
    invoice = shop.simulator.get("invoice", shop.simulator.pay(session)["invoice"])
    assert (invoice["amount_paid"], invoice["starting_balance"], invoice["ending_balance"]) == (1000, -700, -700)
    assert shop.simulator.get("customer", customer)["balance"] == -700


def test_over_the_api(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    api = stripe_client.v1
    session = shop.session(shop.month, tax_id_collection={"enabled": True, "required": "if_supported"}, **TAX)
    done = shop.simulator.pay(session)
    [tax_id] = api.customers.tax_ids.list(str(done["customer"])).data
    assert (tax_id.type, tax_id.country, tax_id.customer) == ("eu_vat", "DE", done["customer"])
    invoice = api.invoices.retrieve(str(done["invoice"]))
    assert invoice.total_taxes
    assert invoice.total_taxes[0].tax_rate_details
    rate = api.tax_rates.retrieve(invoice.total_taxes[0].tax_rate_details.tax_rate)
    assert (rate.percentage, rate.display_name) == (20.0, "Simulated tax")
    with pytest.raises(stripe.InvalidRequestError):
        api.tax_rates.retrieve("txr_other")
    old = stripe_client.raw_request("get", f"/v1/invoices/{done['invoice']}", stripe_version="2024-06-20")
    assert b'"tax": 380' in old.body.encode()


@pytest.mark.parametrize("amount", [0, 1, 2, 3, 1999, -1999])
def test_a_tax_and_its_base_are_the_whole(amount: int) -> None:
    tax = taxes.of(amount, "inclusive")
    assert tax["amount"] + tax["taxable_amount"] == amount
    assert abs(tax["amount"] * 6 - amount) <= 3


def test_the_page_offers_every_kind_of_tax_id_that_is_understood() -> None:
    assert checkout_form.TAX_IDS.keys() == tax_ids.FORMS.keys()
