"""``invoice_creation``: the invoice of a one-time purchase, made once it is paid.

"Stripe emits an ``invoice.paid`` event as soon as the payment tied to the Checkout Session succeeds"
(docs.stripe.com/payments/checkout/post-payment-invoices). It belongs to no subscription, and the customer's balance has
no part in it.
"""

from __future__ import annotations

from ..json_tree import Json
from ..world import World
from . import invoice_payments, invoices
from .invoice_lines import loose_line
from .invoice_shapes import Heading

_OF_THE_DATA: Json = dict.fromkeys(
    ("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options")
)


def asked(wanted: Json) -> Json | None:
    """The session's ``invoice_creation``; only a one-time purchase has any."""
    if wanted["mode"] != "payment":
        return None
    creation = wanted.get("invoice_creation") or {}
    data = {name: value or None for name, value in (creation.get("invoice_data") or {}).items()}
    return {
        "enabled": creation.get("enabled", False),
        "invoice_data": {**_OF_THE_DATA, "metadata": {}} | data | {"metadata": data.get("metadata") or {}},
    }


def is_wanted(session: Json) -> bool:
    return bool(session["invoice_creation"] and session["invoice_creation"]["enabled"])


def create(world: World, session: Json) -> None:
    """Paid already, by the session's own payment intent; by nothing where all of it is discounted."""
    if not is_wanted(session):
        return
    data = session["invoice_creation"]["invoice_data"]
    discounts = world.store.all("discount", checkout_session=session["id"])
    heading = Heading(
        customer=session["customer"], currency=session["currency"], billing_reason="manual",
        period=(world.now, world.now), discounts=tuple(discount["id"] for discount in discounts),
        automatic_tax=session["automatic_tax"]["enabled"],
        extra={name: data[name] for name in ("custom_fields", "description", "footer", "metadata")},
    )  # fmt: skip
    lines = [loose_line(world, item["price"], item["quantity"], None) for item in session["_line_items"]]
    invoice = invoices.draft_for(world, heading, lines)
    invoices.open_beside_balance(world, invoice)
    if session["payment_intent"]:
        intent = world.find("payment_intent", session["payment_intent"])
        invoice_payments.adopt(world, invoice, intent)
    with world.changing(invoice):
        invoice |= {"amount_paid": invoice["amount_due"], "attempted": bool(session["payment_intent"])}
        invoice["attempt_count"] = 1 if session["payment_intent"] else 0
    invoices.mark_paid(world, invoice, by_charge=True)
    with world.changing(session):
        session["invoice"] = invoice["id"]
