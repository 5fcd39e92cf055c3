"""Invoices, invoice items and credit notes: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..resources import billing, credit_notes, customers, invoice_items, payment_methods
from ..world import World


def create_invoice(world: World, params: Json, _: str) -> Json:
    return invoice_items.create_invoice(world, params)


def update_invoice(world: World, params: Json, identifier: str) -> Json:
    return invoice_items.update_invoice(world, world.find("invoice", identifier), params)


def delete_invoice(world: World, params: Json, identifier: str) -> Json:
    return invoice_items.delete_invoice(world, world.find("invoice", identifier))


def finalize_invoice(world: World, params: Json, identifier: str) -> Json:
    return billing.finalize(world, world.find("invoice", identifier))


def send_invoice(world: World, params: Json, identifier: str) -> Json:
    return invoice_items.send(world, world.find("invoice", identifier))


def void_invoice(world: World, params: Json, identifier: str) -> Json:
    return _write_off(world, identifier, "void")


def mark_uncollectible(world: World, params: Json, identifier: str) -> Json:
    return _write_off(world, identifier, "uncollectible")


def _write_off(world: World, identifier: str, way: str) -> Json:
    invoice = world.find("invoice", identifier)
    if invoice["status"] == "draft":
        raise RefusalError("You can only pass in open invoices. This invoice isn't open.", code="invoice_not_open")
    return billing.write_off(world, invoice, way)


def pay_invoice(world: World, params: Json, identifier: str) -> Json:
    """With the card that is named, else the customer's."""
    invoice = world.find("invoice", identifier)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", "", "invoice_already_paid")
    if params.get("paid_out_of_band"):
        return billing.pay_invoice(world, invoice, out_of_band=True)
    customer = world.find("customer", invoice["customer"])
    if params.get("payment_method"):
        method = payment_methods.named(world, params["payment_method"], param="payment_method")
        payment_methods.use(world, customer, method, param="payment_method")
        does = method["_does"]
    else:
        does = "ok" if customers.card_works(world, invoice["customer"]) else "declined"
    if does == "declined":
        billing.fail_invoice(world, invoice)
        raise payment_methods.declined()
    if does == "challenge":
        billing.fail_invoice(world, invoice, requires_action=True)
        raise payment_methods.declined(
            "invoice_payment_intent_requires_action",
            "This payment requires additional user action before it can be completed successfully.",
        )
    return billing.pay_invoice(world, invoice)


def create_item(world: World, params: Json, _: str) -> Json:
    return invoice_items.create(world, params)


def update_item(world: World, params: Json, identifier: str) -> Json:
    return invoice_items.update(world, world.find("invoiceitem", identifier), params)


def delete_item(world: World, params: Json, identifier: str) -> Json:
    return invoice_items.delete(world, world.find("invoiceitem", identifier))


def create_credit_note(world: World, params: Json, _: str) -> Json:
    return credit_notes.create(
        world, world.find("invoice", params["invoice"], param="invoice"), amount=params.get("amount"),
        refund_amount=params.get("refund_amount"), credit_amount=params.get("credit_amount", 0),
        out_of_band_amount=params.get("out_of_band_amount", 0), reason=params.get("reason"),
        shown={"memo": params.get("memo"), "metadata": dict(params.get("metadata") or {})},
    )  # fmt: skip


def update_credit_note(world: World, params: Json, identifier: str) -> Json:
    note = world.find("credit_note", identifier)
    with world.changing(note, "credit_note.updated"):
        note["memo"] = params.get("memo", note["memo"])
        customers.merge_metadata(note, params)
    return note


def void_credit_note(world: World, params: Json, identifier: str) -> Json:
    return credit_notes.void(world, world.find("credit_note", identifier))
