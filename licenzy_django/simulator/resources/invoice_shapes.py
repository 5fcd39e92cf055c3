"""What an invoice looks like."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..due import DRAFT_SECONDS
from ..json_tree import Json, snapshot
from ..world import World
from . import balance, totals
from .invoice_lines import Period

_FIXED: Json = {
    "object": "invoice", "status": "draft", "account_country": "US", "account_name": "Simulation",
    "attempt_count": 0, "attempted": False, "auto_advance": True, "collection_method": "charge_automatically",
    "default_tax_rates": [], "issuer": {"type": "self"}, "metadata": {},
    "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    "status_transitions": {
        "finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None,
    },
    "total_discount_amounts": [], "total_pretax_credit_amounts": [], "total_taxes": [], "_out_of_band": False,
    "_overdue": False,
} | dict.fromkeys((
    "account_tax_ids", "application", "custom_fields", "customer_account", "default_payment_method", "default_source",
    "description", "due_date", "effective_at", "ending_balance", "footer", "from_invoice", "latest_revision",
    "on_behalf_of", "rendering", "shipping_cost", "shipping_details", "statement_descriptor",
    "hosted_invoice_url", "invoice_pdf", "last_finalization_error", "number",
    "receipt_number", "test_clock", "webhooks_delivered_at", "_payment_intent", "_charge", "_quote",
)) | dict.fromkeys((
    "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_shipping",
    "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount",
), 0)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """Whom an invoice is for, and why."""

    customer: str
    currency: str
    billing_reason: str
    period: Period
    """What the invoice's own period says: of a renewal the period before."""
    parent: Json | None = None
    subscription: str | None = None
    """The subscription that the invoice is for, whatever its parent says."""
    collection_method: str = "charge_automatically"
    days_until_due: int | None = None
    discounts: tuple[str, ...] = ()
    automatic_tax: bool = False
    extra: Json = field(default_factory=dict)


def heading_of(subscription: Json, reason: str, period: Period) -> Heading:
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return Heading(
        customer=subscription["customer"],
        currency=subscription["currency"],
        billing_reason=reason,
        period=period,
        parent={"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        subscription=subscription["id"],
        collection_method=subscription["collection_method"],
        days_until_due=subscription["days_until_due"],
        discounts=tuple(subscription["discounts"]) if reason != "manual" else (),
        automatic_tax=subscription["automatic_tax"]["enabled"],
    )


def draft_shape(world: World, heading: Heading, lines: list[Json]) -> Json:
    invoice_id = world.new_id("in")
    for entry in lines:
        entry["invoice"] = invoice_id
        _name_invoice_of_credits(entry, invoice_id)
    url = f"/v1/invoices/{invoice_id}/lines"
    charged = heading.collection_method == "charge_automatically"
    invoice = {
        "id": invoice_id,
        **snapshot(_FIXED),
        **_of_customer(world, heading.customer),
        "automatic_tax": _automatic_tax(heading),
        "automatically_finalizes_at": world.now + DRAFT_SECONDS,
        "billing_reason": heading.billing_reason,
        "collection_method": heading.collection_method,
        "created": world.now,
        "currency": heading.currency,
        "customer": heading.customer,
        "discounts": list(heading.discounts),
        "lines": {"object": "list", "data": lines, "has_more": False, "total_count": len(lines), "url": url},
        "livemode": world.livemode,
        "next_payment_attempt": world.now + DRAFT_SECONDS if charged else None,
        "parent": heading.parent,
        "period_end": heading.period[1],
        "period_start": heading.period[0],
        "_days_until_due": heading.days_until_due,
        "_subscription": heading.subscription,
        **heading.extra,
    }
    totals.count(world, invoice)
    weigh(world, invoice)
    return invoice


def _automatic_tax(heading: Heading) -> Json:
    on = heading.automatic_tax
    liability = {"type": "self"} if on else None
    return {"disabled_reason": None, "enabled": on, "liability": liability, "provider": "stripe" if on else None,
            "status": "complete" if on else None}  # fmt: skip


_OF_CUSTOMER = ("address", "email", "name", "phone", "shipping", "tax_exempt")


def _of_customer(world: World, customer: str) -> Json:
    """The customer as it was when the invoice was made."""
    found = world.store.get("customer", customer) or {}
    tax_ids = world.store.all("tax_id", customer=customer)
    return {f"customer_{name}": found.get(name) for name in _OF_CUSTOMER} | {
        "test_clock": found.get("test_clock"),
        "customer_tax_ids": [{"type": tax_id["type"], "value": tax_id["value"]} for tax_id in tax_ids],
    }


def weigh(world: World, invoice: Json) -> int:
    """Writes what is due, from the total and the customer's balance as it is now. Returns the balance afterwards."""
    starting = balance.of(world, invoice["customer"])
    due, ending = balance.due(invoice["total"], starting, invoice["currency"])
    invoice |= {"starting_balance": starting, "amount_due": due, "amount_remaining": due}
    return ending


def _name_invoice_of_credits(line: Json, invoice_id: str) -> None:
    """A credit for a debit that had not been invoiced yet: both come on this invoice."""
    details = line["parent"]["subscription_item_details"] or {}
    credited = (details.get("proration_details") or {}).get("credited_items")
    if credited and credited["invoice"] is None:
        credited["invoice"] = invoice_id
