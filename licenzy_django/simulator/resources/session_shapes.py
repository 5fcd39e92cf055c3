"""What a Checkout Session and its line items look like."""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..world import DAY, World
from . import session_invoices
from .session_asks import asked

CLOSED_DETAILS: Json = {
    "address": None, "business_name": None, "email": None, "individual_name": None,
    "name": None, "phone": None, "tax_exempt": "none", "tax_ids": [],
}  # fmt: skip


WAYS_TO_PAY = ("card", "sepa_debit")

# What does not depend on the request; ``null`` is what Stripe shows where nothing was asked for.
_FIXED: Json = {
    "object": "checkout.session", "status": "open", "discounts": [], "shipping_options": [],
    "adaptive_pricing": {"enabled": False}, "payment_method_options": {},
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
} | dict.fromkeys((
    "after_expiration", "allowed_payment_method_types", "client_secret", "collected_information", "consent",
    "currency_conversion", "customer_account", "integration_identifier", "invoice",
    "managed_payments", "origin_context", "payment_intent", "payment_link",
    "permissions", "recovered_from", "setup_intent", "shipping_address_collection",
    "shipping_cost", "subscription", "wallet_options",
))  # fmt: skip
_ECHOED = (
    "allow_promotion_codes", "allowed_payment_method_types", "billing_address_collection", "cancel_url",
    "client_reference_id", "customer", "customer_email", "locale", "submit_type", "success_url",
)  # fmt: skip


_KEPT = ("subscription_data", "payment_intent_data", "customer_update")


def session_shape(world: World, wanted: Json, items: list[Json]) -> Json:
    session_id = world.new_id(f"cs_{'live' if world.livemode else 'test'}")
    mode = wanted["mode"]
    collection = "always" if mode == "subscription" else "if_required"
    echoed: Json = {name: wanted.get(name) for name in _ECHOED}
    return {"id": session_id, **snapshot(_FIXED), **asked(wanted), **echoed} | {
        "amount_subtotal": None,
        "amount_total": None,
        "created": world.now,
        "automatic_tax": _automatic_tax(world, wanted),
        "currency": items[0]["currency"] if items else wanted.get("currency"),
        "customer_creation": _customer_creation(wanted),
        "customer_details": _details(world, wanted),
        "expires_at": wanted.get("expires_at") or world.now + DAY,
        "invoice_creation": session_invoices.asked(wanted),
        "livemode": world.livemode,
        "metadata": dict(wanted.get("metadata") or {}),
        "mode": mode,
        "payment_method_collection": wanted.get("payment_method_collection", collection),
        "payment_method_types": [
            way for way in WAYS_TO_PAY if way in (wanted.get("allowed_payment_method_types") or WAYS_TO_PAY)
        ],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "ui_mode": wanted.get("ui_mode", "hosted_page"),
        "url": f"{world.page_base()}/checkout/{session_id}",
        "_line_items": items,
        "_wanted": {name: wanted.get(name) or {} for name in _KEPT},
        "_answers": {},
        "_needs_place": _needs_place(world, wanted),
    }


def _needs_place(world: World, wanted: Json) -> bool:
    """An address that Checkout may save is asked for anew (``customer_update[address]``)."""
    tax = _automatic_tax(world, wanted)
    saves = (wanted.get("customer_update") or {}).get("address") == "auto"
    return bool(tax["enabled"] and (saves or tax["status"] != "complete"))


def _automatic_tax(world: World, wanted: Json) -> Json:
    """The place is known where the customer has an address; otherwise the page asks for it."""
    if not (wanted.get("automatic_tax") or {}).get("enabled"):
        return {"enabled": False, "liability": None, "provider": None, "status": None}
    customer = world.find("customer", wanted["customer"]) if wanted.get("customer") else {}
    known = (customer.get("address") or {}).get("country")
    status = "complete" if known else "requires_location_inputs"
    return {"enabled": True, "liability": {"type": "self"}, "provider": "stripe", "status": status}


def _customer_creation(wanted: Json) -> str | None:
    if wanted.get("customer"):
        return None
    default = "always" if wanted["mode"] == "subscription" else "if_required"
    return str(wanted.get("customer_creation", default))


def _details(world: World, wanted: Json) -> Json | None:
    email = wanted.get("customer_email")
    if wanted.get("customer"):
        email = world.find("customer", wanted["customer"])["email"]
    return CLOSED_DETAILS | {"email": email} if email else None


def adjustable(entry: Json) -> Json | None:
    wanted = entry.get("adjustable_quantity") or {}
    if not wanted.get("enabled"):
        return None
    return {"enabled": True, "maximum": wanted.get("maximum", 99), "minimum": wanted.get("minimum", 0)}


def item_shape(world: World, price: Json, quantity: int, entry: Json) -> Json:
    return {
        "id": world.new_id("li"),
        "object": "item",
        "adjustable_quantity": adjustable(entry),
        "amount_discount": 0,
        "amount_subtotal": 0,
        "amount_tax": 0,
        "amount_total": 0,
        "currency": price["currency"],
        "description": _product_name(world, price),
        "metadata": dict(entry.get("metadata") or {}),
        "price": dict(price),
        "quantity": quantity,
    }


def _product_name(world: World, price: Json) -> str:
    product = world.store.get("product", price["product"])
    return str(product["name"]) if product else str(price["product"])
