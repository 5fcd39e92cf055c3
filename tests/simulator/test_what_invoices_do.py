"""Balances, minimum charges, payments in parts, write-offs, finalization that fails, credit notes."""

from __future__ import annotations

import pytest

from licenzy_django.simulator.refusals import RefusalError
from tests.contract.openapi import Json
from tests.simulator.conftest import DAY, Shop

UPDATED = "customer.subscription.updated"


def balance(shop: Shop) -> int:
    return int(shop.simulator.get("customer", shop.customer["id"])["balance"])


def sent(shop: Shop, amount: int = 1900) -> Json:
    """An open invoice that was sent, and its subscription's name in ``_``."""
    price = shop.simulator.create_price({"currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}})
    made = shop.simulator.subscribe(shop.customer["id"], [(price["id"], 1)], by_invoice=True)
    shop.simulator.take_events()
    return shop.simulator.get("invoice", made["latest_invoice"])


def due(shop: Shop, balance_before: int, amount: int = 1900) -> Json:
    shop.customer = shop.simulator.create_customer({"balance": balance_before})
    return sent(shop, amount)


@pytest.mark.parametrize(
    ("before", "amount", "amount_due", "after", "status"),
    [
        (0, 1900, 1900, 0, "open"),
        (-500, 1900, 1400, 0, "open"),
        (-1900, 1900, 0, 0, "paid"),
        (-2500, 1900, 0, -600, "paid"),
        (300, 1900, 2200, 0, "open"),
        (0, 49, 0, 49, "paid"),
        (0, 50, 50, 0, "open"),
        (-1860, 1900, 0, 40, "paid"),
        (30, 30, 60, 0, "open"),
        (0, 0, 0, 0, "paid"),
    ],
)
def test_the_balance_and_the_minimum_decide_what_is_due(
    shop: Shop, before: int, amount: int, amount_due: int, after: int, status: str
) -> None:
    invoice = due(shop, before, amount)
    assert (invoice["total"], invoice["amount_due"], invoice["amount_paid"]) == (amount, amount_due, 0)
    assert (invoice["starting_balance"], invoice["ending_balance"], invoice["status"]) == (before, after, status)
    assert balance(shop) == after


def test_the_balance_that_a_customer_begins_with_is_a_transaction(shop: Shop) -> None:
    ada = shop.simulator.create_customer({"balance": -500})
    [first] = shop.simulator.all("customer_balance_transaction", customer=ada["id"])
    assert (first["type"], first["amount"], first["ending_balance"]) == ("initial", -500, -500)


def test_a_debt_below_the_minimum_is_collected_with_the_next_invoice(shop: Shop) -> None:
    first = due(shop, 0, 40)
    assert (first["status"], balance(shop)) == ("paid", 40)
    assert [entry["type"] for entry in shop.simulator.all("customer_balance_transaction")] == ["invoice_too_small"]
    second = shop.simulator.renew(shop.simulator.all("subscription")[-1])
    assert (second["total"], second["amount_due"], second["ending_balance"]) == (40, 80, 0)


def test_a_voided_invoice_gives_the_balance_back(shop: Shop) -> None:
    invoice = due(shop, -500)
    assert balance(shop) == 0
    shop.simulator.write_off_invoice(invoice, "void")
    assert balance(shop) == -500
    assert [entry["type"] for entry in shop.simulator.all("customer_balance_transaction")] == [
        "initial", "applied_to_invoice", "unapplied_from_invoice",
    ]  # fmt: skip


def test_an_invoice_paid_in_parts_is_paid_with_the_last_of_them(shop: Shop) -> None:
    invoice = sent(shop)
    shop.simulator.pay_part(invoice, 700)
    assert shop.told() == ["charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice_payment.paid"]
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["status"], shown["amount_paid"], shown["amount_remaining"]) == ("open", 700, 1200)
    with pytest.raises(RefusalError):
        shop.simulator.pay_part(invoice, 1200)
    shop.simulator.pay_invoice(invoice)
    assert "invoice.paid" in shop.told()
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["status"], shown["amount_paid"], shown["amount_remaining"]) == ("paid", 1900, 0)
    payments = shop.simulator.all("invoice_payment", invoice=invoice["id"])
    assert [(payment["amount_paid"], payment["status"], payment["is_default"]) for payment in payments] == [
        (1200, "paid", True), (700, "paid", False),
    ]  # fmt: skip
    intents = [payment["payment"]["payment_intent"] for payment in payments]
    assert [shop.simulator.get("payment_intent", intent)["amount"] for intent in intents] == [1200, 700]
    assert shop.simulator.refund(intents[1])["amount"] == 700


def test_paid_out_of_band_has_no_payment_intent_that_brought_money(shop: Shop) -> None:
    paid = shop.simulator.pay_invoice(sent(shop), out_of_band=True)
    assert (paid["status"], paid["amount_paid"], paid["amount_paid_off_stripe"]) == ("paid", 1900, 1900)
    assert shop.told() == ["invoice.updated", "invoice.paid", "payment_intent.canceled"]


@pytest.mark.parametrize("way", ["void", "uncollectible"])
def test_a_renewal_that_is_written_off_leaves_an_active_subscription_active(shop: Shop, way: str) -> None:
    invoice = sent(shop)
    shop.simulator.pay_invoice(invoice)
    ref = shop.simulator.all("subscription")[-1]["id"]
    renewal = shop.simulator.renew(ref)
    assert renewal["status"] == "open"
    assert shop.simulator.write_off_invoice(renewal, way)["status"] == way
    assert shop.simulator.get("subscription", ref)["status"] == "active"


def test_a_voided_invoice_does_not_count_and_the_one_before_does(shop: Shop) -> None:
    """Past due with two unpaid invoices: voiding the last leaves the first, which failed as well."""
    shop.simulator.after_retries = "past_due"
    ref = shop.subscription()
    first = shop.simulator.renew(ref, paid=False)
    second = shop.simulator.renew(ref, paid=False)
    shop.simulator.write_off_invoice(second, "void")
    assert shop.simulator.get("subscription", ref)["status"] == "past_due"
    shop.simulator.pay_invoice(first)
    assert shop.simulator.get("subscription", ref)["latest_invoice"] == second["id"]


def test_a_finalization_that_fails_leaves_a_draft_and_an_active_subscription(shop: Shop) -> None:
    ref = shop.subscription()
    draft = shop.simulator.roll_period(ref)
    shop.told()
    failed = shop.simulator.fail_finalization(draft)
    assert shop.told() == ["invoice.finalization_failed"]
    assert (failed["status"], failed["last_finalization_error"]["type"]) == ("draft", "invalid_request_error")
    shop.simulator.advance(5 * DAY)
    assert shop.simulator.get("invoice", draft)["status"] == "draft"
    assert shop.simulator.get("subscription", ref)["status"] == "active"
    assert shop.simulator.pay_invoice(draft)["status"] == "paid"


def test_a_credit_note_before_payment_reduces_what_is_due(shop: Shop) -> None:
    invoice = sent(shop)
    note = shop.simulator.credit_invoice(invoice, amount=400)
    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == ("pre_payment", 400, 0)
    assert shop.told() == ["invoice.updated", "credit_note.created"]
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["total"], shown["amount_due"], shown["amount_remaining"]) == (1900, 1500, 1500)
    assert shown["pre_payment_credit_notes_amount"] == 400
    assert shop.simulator.payment_of(invoice)["amount"] == 1500

    assert shop.simulator.void_credit_note(note)["status"] == "void"
    assert shop.told()[-1] == "credit_note.voided"
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["amount_due"], shown["pre_payment_credit_notes_amount"]) == (1900, 0)
    assert shop.simulator.pay_invoice(invoice)["amount_paid"] == 1900
    with pytest.raises(RefusalError):
        shop.simulator.void_credit_note(note)


def test_an_open_invoice_that_a_credit_note_brings_to_nothing_is_paid_without_money(shop: Shop) -> None:
    invoice = sent(shop)
    note = shop.simulator.credit_invoice(invoice)
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["status"], shown["amount_paid"], shown["amount_due"]) == ("paid", 0, 0)
    assert shop.simulator.payment_of(invoice)["status"] == "canceled"
    assert "charge.succeeded" not in shop.told()
    with pytest.raises(RefusalError):
        shop.simulator.void_credit_note(note)


def test_a_credit_note_after_payment_goes_to_card_balance_and_elsewhere(shop: Shop) -> None:
    invoice = shop.simulator.pay_invoice(sent(shop))
    shop.told()
    note = shop.simulator.credit_invoice(invoice, amount=1000, credit_amount=300, out_of_band_amount=200)
    assert (note["type"], note["post_payment_amount"], note["out_of_band_amount"]) == ("post_payment", 1000, 200)
    [entry] = note["refunds"]
    assert (entry["amount_refunded"], shop.simulator.get("refund", entry["refund"])["amount"]) == (500, 500)
    assert note["customer_balance_transaction"].startswith("cbtxn_")
    assert balance(shop) == -300
    shown = shop.simulator.get("invoice", invoice)
    assert (shown["post_payment_credit_notes_amount"], shown["amount_due"], shown["status"]) == (1000, 1900, "paid")
    assert shop.told() == [
        "refund.created", "charge.refunded", "customer.updated", "invoice.updated", "credit_note.created",
    ]  # fmt: skip
    with pytest.raises(RefusalError):
        shop.simulator.credit_invoice(invoice, amount=901)
    assert shop.simulator.credit_invoice(invoice, credit_amount=900)["refunds"] == []


def test_refunds_of_their_own_leave_less_to_be_credited(shop: Shop) -> None:
    invoice = shop.simulator.pay_invoice(sent(shop))
    shop.simulator.refund(invoice, amount=1500)
    with pytest.raises(RefusalError):
        shop.simulator.credit_invoice(invoice, amount=401)
    assert shop.simulator.credit_invoice(invoice)["amount"] == 400


def test_a_credit_note_has_one_refund_before_basil(shop: Shop) -> None:
    note = shop.simulator.credit_invoice(shop.simulator.pay_invoice(sent(shop)))
    event = shop.simulator.events("credit_note.created")[-1]
    old = shop.simulator.render(event, "2024-06-20")["data"]["object"]
    assert old["refund"] == note["refunds"][0]["refund"]
    assert "refunds" not in old


def test_the_end_of_a_trial_is_told_three_days_before(shop: Shop) -> None:
    shop.subscription(subscription_data={"trial_period_days": 10})
    shop.simulator.advance(7 * DAY - 1)
    assert shop.told() == []
    shop.simulator.advance(1)
    assert shop.told() == ["customer.subscription.trial_will_end"]
    shop.simulator.advance(2 * DAY)
    assert shop.told() == []


def test_the_end_of_a_trial_is_told_when_it_is_ended_at_once(shop: Shop) -> None:
    ref = shop.subscription(subscription_data={"trial_period_days": 10})
    shop.simulator.end_trial(ref, early=True)
    assert shop.told()[0] == "customer.subscription.trial_will_end"


def test_a_bank_debit_keeps_an_incomplete_subscription_waiting(shop: Shop) -> None:
    session = shop.simulator.pay_by_bank(shop.session(shop.month))
    shop.simulator.advance(2 * DAY)
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "incomplete"
    shop.simulator.advance(2 * DAY)
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "active"


def test_a_bank_debit_that_comes_back_voids_the_invoice_of_an_active_subscription(shop: Shop) -> None:
    session = shop.simulator.pay_by_bank(shop.session(shop.month), subscription_status="active")
    shop.simulator.bounce_bank(session)
    shown = shop.simulator.get("subscription", session["subscription"])
    assert (shown["status"], shop.simulator.get("invoice", session["invoice"])["status"]) == ("active", "void")
