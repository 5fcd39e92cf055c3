"""What customers do on the hosted page, and which events Stripe tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.simulator.refusals import RefusalError
from tests.simulator.conftest import Shop


def test_a_guest_pays_for_a_pack_by_card(shop: Shop) -> None:
    wanted = {
        "payment_intent_data": {"metadata": {"att": "1"}},
        "metadata": {"att": "1"},
        "client_reference_id": "att_1",
    }
    session = shop.simulator.pay(shop.session(shop.pack, quantity=3, **wanted))

    assert (session["status"], session["payment_status"], session["url"]) == ("complete", "paid", None)
    assert (session["customer"], session["amount_total"]) == (None, 3000)
    assert shop.told() == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    intent = shop.simulator.get("payment_intent", session["payment_intent"])
    assert (intent["status"], intent["metadata"]) == ("succeeded", {"att": "1"})
    assert shop.simulator.get("charge", intent["latest_charge"])["metadata"] == {"att": "1"}


def test_a_subscription_bought_by_card_is_active_and_its_invoice_paid(shop: Shop) -> None:
    session = shop.simulator.pay(shop.session(shop.month, subscription_data={"metadata": {"att": "1"}}))

    assert shop.told() == [
        "customer.created", "invoice.created", "invoice.finalized", "customer.subscription.created",
        "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
        "invoice_payment.paid", "checkout.session.completed",
    ]  # fmt: skip
    subscription = shop.simulator.get("subscription", session["subscription"])
    invoice = shop.simulator.get("invoice", session["invoice"])
    assert (subscription["status"], subscription["metadata"]) == ("active", {"att": "1"})
    assert subscription["latest_invoice"] == invoice["id"]
    assert invoice["parent"]["subscription_details"] == {
        "metadata": {"att": "1"},
        "subscription": subscription["id"],
    }
    [item], [line] = subscription["items"]["data"], invoice["lines"]["data"]
    assert line["parent"]["subscription_item_details"]["subscription_item"] == item["id"]
    assert line["pricing"]["price_details"]["price"] == shop.month["id"]
    assert line["period"] == {"start": item["current_period_start"], "end": item["current_period_end"]}
    [payment] = shop.simulator.all("invoice_payment", invoice=invoice["id"])
    assert payment["status"] == "paid"
    assert shop.simulator.get("payment_intent", payment["payment"]["payment_intent"])["status"] == "succeeded"


def test_the_invoice_payment_ties_a_charge_to_its_subscription(shop: Shop) -> None:
    subscription = shop.subscription()
    intent = shop.simulator.payment_of(subscription)
    assert "invoice" not in intent
    payments = shop.simulator.all("invoice_payment", status="paid")
    assert [entry["invoice"] for entry in payments if entry["payment"]["payment_intent"] == intent["id"]] == [
        shop.simulator.get("subscription", subscription)["latest_invoice"]
    ]


def test_a_bank_debit_completes_unpaid_and_arrives_later(shop: Shop) -> None:
    session = shop.simulator.pay_by_bank(shop.session(shop.pack))
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert shop.told() == ["payment_intent.processing", "checkout.session.completed"]

    assert shop.simulator.settle_bank(session)["payment_status"] == "paid"
    assert shop.told() == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
    with pytest.raises(RefusalError):
        shop.simulator.bounce_bank(session)


def test_a_bank_debit_that_is_returned_leaves_the_session_unpaid(shop: Shop) -> None:
    session = shop.simulator.bounce_bank(shop.simulator.pay_by_bank(shop.session(shop.pack)))
    assert session["payment_status"] == "unpaid"
    assert shop.told()[-3:] == [
        "charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed",
    ]  # fmt: skip


@pytest.mark.parametrize("meanwhile", ["incomplete", "active"])
def test_a_subscription_on_a_bank_debit_becomes_active_with_the_money(shop: Shop, meanwhile: str) -> None:
    session = shop.simulator.pay_by_bank(shop.session(shop.month), subscription_status=meanwhile)
    assert session["payment_status"] == "unpaid"
    assert shop.simulator.get("subscription", session["subscription"])["status"] == meanwhile

    shop.simulator.settle_bank(session)
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "active"
    assert shop.simulator.get("invoice", session["invoice"])["status"] == "paid"
    assert shop.told()[-1] == "checkout.session.async_payment_succeeded"


def test_a_returned_debit_leaves_a_subscription_incomplete_until_it_expires(shop: Shop) -> None:
    session = shop.simulator.bounce_bank(shop.simulator.pay_by_bank(shop.session(shop.month)))
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "incomplete"
    shop.told()

    shop.simulator.advance(24 * 3600)
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "incomplete_expired"
    assert shop.told() == ["customer.subscription.updated", "payment_intent.canceled", "invoice.voided"]


def test_a_declined_card_leaves_the_session_open(shop: Shop) -> None:
    session = shop.session(shop.pack)
    assert shop.simulator.decline(session)["status"] == "open"
    assert shop.told() == ["charge.failed", "payment_intent.payment_failed"]
    assert shop.simulator.pay(session)["payment_status"] == "paid"
    assert len(shop.simulator.all("payment_intent")) == 1

    shop.told()
    shop.simulator.decline(shop.session(shop.month))
    assert shop.told() == []


def test_a_free_order_needs_no_payment_and_still_makes_a_customer(shop: Shop) -> None:
    session = shop.simulator.pay(shop.session(shop.free))
    assert (session["payment_status"], session["payment_intent"]) == ("no_payment_required", None)
    assert session["customer"]
    assert shop.told() == ["customer.created", "checkout.session.completed"]


def test_a_price_of_its_own_begins_no_trial(shop: Shop) -> None:
    """Its ``trial_period_days`` are for ``trial_from_plan``, which Checkout does not have."""
    monthly = {"interval": "month", "trial_period_days": 14}
    price = shop.simulator.create_price({"currency": "eur", "unit_amount": 500, "recurring": monthly})
    session = shop.simulator.pay(shop.session(price))
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "active"
    assert (session["payment_status"], session["amount_total"]) == ("paid", 500)


def test_a_trial_needs_no_payment_and_has_a_free_paid_invoice(shop: Shop) -> None:
    session = shop.simulator.pay(shop.session(shop.month, subscription_data={"trial_period_days": 14}))

    assert session["payment_status"] == "no_payment_required"
    subscription = shop.simulator.get("subscription", session["subscription"])
    assert subscription["status"] == "trialing"
    assert subscription["trial_end"] == subscription["items"]["data"][0]["current_period_end"]
    invoice = shop.simulator.get("invoice", session["invoice"])
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 0)
    assert "invoice.paid" in shop.told()
    assert shop.simulator.all("payment_intent") == []


def test_the_customer_changes_the_quantity_where_it_is_adjustable(shop: Shop) -> None:
    line = {"price": shop.pack["id"], "quantity": 1, "adjustable_quantity": {"enabled": True, "maximum": 5}}
    session = shop.session(shop.pack, line_items=[line])
    assert shop.simulator.set_session_quantity(session, 4)["amount_total"] == 4000
    with pytest.raises(RefusalError):
        shop.simulator.set_session_quantity(session, 6)
    shop.simulator.pay(session)
    with pytest.raises(RefusalError):
        shop.simulator.set_session_quantity(session, 2)
    with pytest.raises(RefusalError):
        shop.simulator.set_session_quantity(shop.session(shop.pack), 2)


def test_a_session_expires_once_and_only_while_open(shop: Shop) -> None:
    session = shop.simulator.expire(shop.session(shop.pack))
    assert (session["status"], session["url"]) == ("expired", None)
    assert shop.told() == ["checkout.session.expired"]
    for act in (shop.simulator.expire, shop.simulator.pay, shop.simulator.decline, shop.simulator.pay_by_bank):
        with pytest.raises(RefusalError):
            act(session)
    with pytest.raises(RefusalError):
        shop.simulator.expire(shop.bought())


def test_time_alone_expires_a_session_after_24_hours(shop: Shop) -> None:
    session = shop.session(shop.pack)
    shop.simulator.advance(24 * 3600 - 1)
    assert shop.simulator.get("checkout.session", session)["status"] == "open"
    shop.simulator.advance(1)
    assert shop.told() == ["checkout.session.expired"]


def test_a_setup_session_needs_no_line_items(shop: Shop) -> None:
    session = shop.simulator.create_session({"mode": "setup", "currency": "eur", "success_url": "https://x.example/"})
    done = shop.simulator.pay(session)
    assert (done["payment_status"], done["setup_intent"][:5]) == ("no_payment_required", "seti_")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"mode": "payment"}, "You specified `payment` mode but passed a recurring price."),
        ({"mode": None}, "Missing required param: mode"),
        ({"success_url": None}, "Missing required param: success_url"),
        ({"line_items": []}, "Missing required param: line_items"),
        ({"line_items": [{"price": "price_nobody", "quantity": 1}]}, "No such price: 'price_nobody'"),
        ({"line_items": [{"quantity": 1}]}, "You must specify either `price` or `price_data`"),
        ({"customer": "cus_nobody"}, "No such customer: 'cus_nobody'"),
        ({"customer_email": "nobody"}, "Invalid email address"),
        ({"payment_intent_data": {}}, "You can not pass `payment_intent_data` in `subscription` mode."),
        ({"customer_creation": "always"}, "You can not pass `customer_creation` in `subscription` mode."),
        ({"client_reference_id": "x" * 201}, "at most 200 characters"),
        ({"expires_at": 60}, "at least 30 minutes from Checkout Session creation"),
        ({"expires_at": 1e12}, "less than 24 hours from Checkout Session creation"),
    ],
    ids=str,
)
def test_stripe_refuses_a_session_that_makes_no_sense(shop: Shop, wanted: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RefusalError) as refused:
        shop.session(shop.month, **wanted)
    assert sentence in refused.value.message
    assert refused.value.status == 400


def test_more_refusals_that_need_two_things(shop: Shop) -> None:
    lines = [{"price": shop.pack["id"], "quantity": 1}]
    for wanted, sentence in (
        ({"mode": "subscription"}, "at least one recurring price"),
        ({"subscription_data": {}}, "You can not pass `subscription_data`"),
        ({"customer": shop.customer["id"], "customer_email": "a@b.example"}, "only specify one of"),
        ({"line_items": [{"price": shop.pack["id"]}]}, "Quantity is required"),
        ({"line_items": [{"price": shop.pack["id"], "quantity": 0}]}, "greater than or equal to 1"),
    ):
        with pytest.raises(RefusalError) as refused:
            shop.session(shop.pack, **({"line_items": lines} | wanted))
        assert sentence in refused.value.message


def test_a_subscription_may_have_a_one_time_price_on_its_first_invoice(shop: Shop) -> None:
    lines = [{"price": shop.month["id"], "quantity": 1}, {"price": shop.pack["id"], "quantity": 2}]
    session = shop.simulator.pay(shop.session(shop.month, line_items=lines))
    subscription = shop.simulator.get("subscription", session["subscription"])
    assert [item["price"]["id"] for item in subscription["items"]["data"]] == [shop.month["id"]]
    assert shop.simulator.get("invoice", session["invoice"])["total"] == 1900 + 2 * 1000
    assert shop.simulator.renew(subscription)["total"] == 1900
