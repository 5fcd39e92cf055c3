"""Invoice items made by hand, and the invoices that gather them."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..world import World
from . import billing, catalog, customers, invoices, subscriptions, totals
from .invoice_lines import loose_line
from .invoice_shapes import Heading, weigh


def create(world: World, wanted: Json) -> Json:
    """On the draft that ``invoice`` names, or waiting for the customer's next invoice made by hand."""
    if not wanted.get("customer"):
        raise missing("customer")
    customer = customers.existing(world, wanted["customer"], param="customer")
    invoice = _draft(world, wanted["invoice"]) if wanted.get("invoice") else None
    if invoice is None:
        _refuse_where_a_renewal_would_take_it(world, customer["id"])
    price, quantity = _price(world, wanted), wanted.get("quantity", 1)
    if invoice and price["currency"] != invoice["currency"]:
        raise invalid(f"The currency of this invoice is `{invoice['currency']}`.", "currency")
    item: Json = {
        "id": world.new_id("ii"),
        "object": "invoiceitem",
        "amount": price["unit_amount"] * quantity,
        "currency": price["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "date": world.now,
        "description": wanted.get("description"),
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": world.livemode,
        "metadata": dict(wanted.get("metadata") or {}),
        "net_amount": price["unit_amount"] * quantity,
        "parent": None,
        "period": wanted.get("period") or {"start": world.now, "end": world.now},
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]}, "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "proration": False,
        "proration_details": None,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": None,
    }  # fmt: skip
    world.add(item, "invoiceitem.created")
    if invoice:
        put_on(world, invoice, [item])
    return item


def _refuse_where_a_renewal_would_take_it(world: World, customer: str) -> None:
    for subscription in world.store.all("subscription", customer=customer):
        if subscription["status"] not in subscriptions.ENDED:
            raise RefusalError(
                "Stripe would put this item on the next renewal of a subscription, which the simulator does not do: "
                "pass `invoice`.", param="invoice", code="not_simulated",
            )  # fmt: skip


def _price(world: World, wanted: Json) -> Json:
    """The price that is named, or one of the item's own for ``amount``."""
    if named := (wanted.get("pricing") or {}).get("price"):
        price = catalog.price_named(world, named, param="pricing[price]")
        if price["recurring"]:
            raise invalid("The price specified is set to `type=recurring` but this field only accepts prices with "
                          "`type=one_time`.", "pricing[price]")  # fmt: skip
        return price
    if wanted.get("amount") is None:
        raise missing("amount")
    if wanted["amount"] < 0:
        raise RefusalError("The simulator has no invoice items below zero.", param="amount", code="not_simulated")
    if not wanted.get("currency"):
        raise missing("currency")
    own = {"currency": wanted["currency"], "unit_amount": wanted["amount"], "active": False}
    return catalog.create_price(world, own | {"product_name": wanted.get("description") or "Invoice item"})


def _draft(world: World, ref: str) -> Json:
    invoice = world.find("invoice", ref, param="invoice")
    if invoice["status"] != "draft":
        raise RefusalError("Finalized invoices can't be edited.", code="invoice_not_editable", param="invoice")
    return invoice


def put_on(world: World, invoice: Json, items: list[Json]) -> None:
    """Lines of a draft, with what they add."""
    with world.changing(invoice, "invoice.updated"):
        for item in items:
            price = world.find("price", item["pricing"]["price_details"]["price"])
            period = (item["period"]["start"], item["period"]["end"])
            line = loose_line(world, price, item["quantity"], None, period)
            line |= {"description": item["description"] or line["description"], "metadata": dict(item["metadata"])}
            line["parent"]["invoice_item_details"]["invoice_item"] = item["id"]
            line["invoice"] = invoice["id"]
            invoice["lines"]["data"].append(line)
        _count(world, invoice)
    for item in items:
        with world.changing(item):
            item["invoice"] = invoice["id"]


def _count(world: World, invoice: Json) -> None:
    lines = invoice["lines"]["data"]
    invoice["lines"]["total_count"] = len(lines)
    totals.count(world, invoice)
    weigh(world, invoice)


def update(world: World, item: Json, wanted: Json) -> Json:
    if item["invoice"]:
        _draft(world, item["invoice"])
    with world.changing(item, "invoiceitem.updated"):
        item["description"] = wanted.get("description", item["description"])
        customers.merge_metadata(item, wanted)
    return item


def delete(world: World, item: Json) -> Json:
    if item["invoice"]:
        invoice = _draft(world, item["invoice"])
        with world.changing(invoice, "invoice.updated"):
            invoice["lines"]["data"] = [line for line in invoice["lines"]["data"] if _item_of(line) != item["id"]]
            _count(world, invoice)
    world.emit("invoiceitem.deleted", item)
    world.store.remove(item)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}


def _item_of(line: Json) -> str | None:
    details = line["parent"]["invoice_item_details"] or {}
    return details.get("invoice_item")


def create_invoice(world: World, wanted: Json) -> Json:
    """A draft; with ``pending_invoice_items_behavior=include`` the customer's waiting items are on it."""
    if not wanted.get("customer"):
        raise missing("customer")
    customer = customers.existing(world, wanted["customer"], param="customer")
    include = wanted.get("pending_invoice_items_behavior") == "include"
    waiting = world.store.all("invoiceitem", customer=customer["id"], invoice=None) if include else []
    currency = str(wanted.get("currency") or (waiting[0]["currency"] if waiting else "usd")).lower()
    sent = wanted.get("collection_method") == "send_invoice"
    if sent and wanted.get("days_until_due") is None:
        raise invalid("If `collection_method` is `send_invoice`, `days_until_due` must be specified.", "days_until_due")
    heading = Heading(
        customer=customer["id"], currency=currency, billing_reason="manual", period=(world.now, world.now),
        collection_method=wanted.get("collection_method", "charge_automatically"),
        days_until_due=wanted.get("days_until_due"), extra=_shown(world, wanted),
    )  # fmt: skip
    invoice = invoices.draft_for(world, heading, [])
    if waiting:
        put_on(world, invoice, [item for item in waiting if item["currency"] == currency])
    return invoice


def _shown(world: World, wanted: Json) -> Json:
    """Without ``auto_advance`` it stays a draft until somebody finalises it."""
    shown: Json = {"description": wanted.get("description"), "footer": wanted.get("footer")}
    shown["metadata"] = dict(wanted.get("metadata") or {})
    if not wanted.get("auto_advance"):
        shown |= {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
    return shown


def update_invoice(world: World, invoice: Json, wanted: Json) -> Json:
    with world.changing(invoice, "invoice.updated"):
        for name in ("description", "footer"):
            if name in wanted:
                _require_draft(invoice)
                invoice[name] = wanted[name] or None
        customers.merge_metadata(invoice, wanted)
    return invoice


def _require_draft(invoice: Json) -> None:
    if invoice["status"] != "draft":
        raise RefusalError("Finalized invoices can't be updated in this way.", code="invoice_not_editable")


def send(world: World, invoice: Json) -> Json:
    """Finalises a draft too."""
    if invoice["collection_method"] != "send_invoice":
        raise RefusalError("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        billing.finalize(world, invoice)
    world.emit("invoice.sent", invoice)
    return invoice


def delete_invoice(world: World, invoice: Json) -> Json:
    """Drafts made by hand alone."""
    if invoice["status"] != "draft" or invoice["billing_reason"] != "manual":
        raise RefusalError("You can only delete draft invoices that were made by hand.", code="invoice_not_editable")
    for item in world.store.all("invoiceitem", invoice=invoice["id"]):
        world.store.remove(item)
    world.emit("invoice.deleted", invoice)
    world.store.remove(invoice)
    return {"id": invoice["id"], "object": "invoice", "deleted": True}
