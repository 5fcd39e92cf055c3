"""Invoices made by hand: items, drafts, payment, write-offs, credit notes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import DAY, Shop


@pytest.fixture
def customer(shop: Shop, stripe_client: stripe.StripeClient) -> str:
    made = stripe_client.v1.customers.create({"email": "b@example.com"})
    stripe_client.v1.payment_methods.attach("pm_card_visa", {"customer": made.id})
    shop.told()
    return made.id


def item(client: stripe.StripeClient, customer: str, amount: int = 2000, **more: Any) -> stripe.InvoiceItem:
    wanted: Any = {"customer": customer, "amount": amount, "currency": "eur", "description": "An hour of advice"}
    return client.v1.invoice_items.create(wanted | more)


def draft(client: stripe.StripeClient, customer: str, **more: Any) -> stripe.Invoice:
    wanted: Any = {"customer": customer, "pending_invoice_items_behavior": "include", "currency": "eur"}
    return client.v1.invoices.create(wanted | more)


def test_waiting_items_come_on_the_next_draft(shop: Shop, stripe_client: stripe.StripeClient, customer: str) -> None:
    made = item(stripe_client, customer)
    invoice = draft(stripe_client, customer, description="November", metadata={"order": "7"})
    assert (invoice.status, invoice.amount_due, invoice.description) == ("draft", 2000, "November")
    assert [line.description for line in invoice.lines.data] == ["An hour of advice"]
    assert stripe_client.v1.invoice_items.retrieve(made.id).invoice == invoice.id
    assert stripe_client.v1.invoice_items.list({"customer": customer, "pending": True}).data == []
    shop.simulator.advance(2 * DAY)
    assert stripe_client.v1.invoices.retrieve(invoice.id).status == "draft"  # no auto_advance


def test_it_is_finalised_and_paid(shop: Shop, stripe_client: stripe.StripeClient, customer: str) -> None:
    item(stripe_client, customer)
    invoice = draft(stripe_client, customer)
    assert stripe_client.v1.invoices.finalize_invoice(invoice.id).status == "open"
    paid = stripe_client.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 2000)
    assert {"invoiceitem.created", "invoice.created", "invoice.finalized", "invoice.paid"} <= set(shop.told())
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_already_paid"


def test_a_card_that_is_declined_leaves_it_open(shop: Shop, stripe_client: stripe.StripeClient, customer: str) -> None:
    item(stripe_client, customer)
    invoice = draft(stripe_client, customer)
    method = stripe_client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    with pytest.raises(stripe.CardError):
        stripe_client.v1.invoices.pay(invoice.id, {"payment_method": method.id})
    assert stripe_client.v1.invoices.retrieve(invoice.id).status == "open"
    assert "invoice.payment_failed" in shop.told()
    out_of_band = stripe_client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert out_of_band.status == "paid"


def test_it_is_written_off(stripe_client: stripe.StripeClient, customer: str) -> None:
    invoices = stripe_client.v1.invoices
    for way, status in ((invoices.void_invoice, "void"), (invoices.mark_uncollectible, "uncollectible")):
        item(stripe_client, customer)
        invoice = draft(stripe_client, customer)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            way(invoice.id)
        assert refused.value.code == "invoice_not_open"
        invoices.finalize_invoice(invoice.id)
        assert way(invoice.id).status == status


def test_it_is_sent(shop: Shop, stripe_client: stripe.StripeClient, customer: str) -> None:
    item(stripe_client, customer)
    with pytest.raises(stripe.InvalidRequestError, match="days_until_due"):
        draft(stripe_client, customer, collection_method="send_invoice")
    invoice = draft(stripe_client, customer, collection_method="send_invoice", days_until_due=30)
    sent = stripe_client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.due_date) == ("open", shop.simulator.now + 30 * DAY)
    assert "invoice.sent" in shop.told()


def test_items_are_put_on_a_draft_changed_and_taken_off(stripe_client: stripe.StripeClient, customer: str) -> None:
    invoice = draft(stripe_client, customer)
    first = item(stripe_client, customer, invoice=invoice.id)
    second = item(stripe_client, customer, 500, invoice=invoice.id, quantity=2)
    assert stripe_client.v1.invoices.retrieve(invoice.id).amount_due == 3000
    assert stripe_client.v1.invoice_items.update(second.id, {"description": "Half"}).description == "Half"
    stripe_client.v1.invoice_items.delete(first.id)
    assert stripe_client.v1.invoices.retrieve(invoice.id).amount_due == 1000
    assert stripe_client.v1.invoices.delete(invoice.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.invoices.retrieve(invoice.id)


def test_an_item_that_a_renewal_would_take_is_refused(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    shop.subscription()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        item(stripe_client, shop.customer["id"])
    assert (refused.value.code, refused.value.param) == ("not_simulated", "invoice")


def test_a_credit_note_gives_back_and_can_be_voided(stripe_client: stripe.StripeClient, customer: str) -> None:
    item(stripe_client, customer)
    invoice = draft(stripe_client, customer)
    stripe_client.v1.invoices.finalize_invoice(invoice.id)
    notes = stripe_client.v1.credit_notes
    note = notes.create({"invoice": invoice.id, "amount": 500, "memo": "Sorry", "reason": "order_change"})
    assert (note.amount, note.memo, stripe_client.v1.invoices.retrieve(invoice.id).amount_due) == (500, "Sorry", 1500)
    assert notes.update(note.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"  # type: ignore[index]
    assert [found.id for found in notes.list({"invoice": invoice.id}).data] == [note.id]
    assert notes.void_credit_note(note.id).status == "void"
    assert stripe_client.v1.invoices.retrieve(invoice.id).amount_due == 2000


def test_a_finalised_invoice_keeps_what_it_says(stripe_client: stripe.StripeClient, customer: str) -> None:
    item(stripe_client, customer)
    invoice = draft(stripe_client, customer)
    assert stripe_client.v1.invoices.update(invoice.id, {"footer": "Thanks"}).footer == "Thanks"
    stripe_client.v1.invoices.finalize_invoice(invoice.id)
    assert stripe_client.v1.invoices.update(invoice.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"  # type: ignore[index]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.v1.invoices.update(invoice.id, {"footer": "More"})
    assert refused.value.code == "invoice_not_editable"
