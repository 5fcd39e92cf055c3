"""What a Checkout Session and its line items look like."""

from __future__ import annotations

from ..json_tree import Json
from ..world import DAY, World

CLOSED_DETAILS: Json = {
    "address": None, "business_name": None, "email": None, "individual_name": None,
    "name": None, "phone": None, "tax_exempt": "none", "tax_ids": [],
}  # fmt: skip


def session_shape(world: World, wanted: Json, items: list[Json], url_base: str) -> Json:
    session_id = world.new_id(f"cs_{'live' if world.livemode else 'test'}")
    total = sum(item["amount_total"] for item in items)
    mode = wanted["mode"]
    collection = "always" if mode == "subscription" else "if_required"
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": wanted.get("after_expiration"),
        "allow_promotion_codes": wanted.get("allow_promotion_codes"),
        "allowed_payment_method_types": None,
        "amount_subtotal": total if items else None,
        "amount_total": total if items else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": wanted.get("billing_address_collection"),
        "cancel_url": wanted.get("cancel_url"),
        "client_reference_id": wanted.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": world.now,
        "currency": items[0]["currency"] if items else wanted.get("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None,
                        "terms_of_service_acceptance": None},
        "customer": wanted.get("customer"),
        "customer_account": None,
        "customer_creation": _customer_creation(wanted),
        "customer_details": _details(world, wanted),
        "customer_email": wanted.get("customer_email"),
        "discounts": [],
        "expires_at": wanted.get("expires_at") or world.now + DAY,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": world.livemode,
        "locale": wanted.get("locale"),
        "managed_payments": None,
        "metadata": dict(wanted.get("metadata") or {}),
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": wanted.get("payment_method_collection", collection),
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": wanted.get("submit_type"),
        "subscription": None,
        "success_url": wanted.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": wanted.get("ui_mode", "hosted_page"),
        "url": f"{url_base}/{session_id}",
        "wallet_options": None,
        "_line_items": items,
        "_wanted": {
            "subscription_data": wanted.get("subscription_data") or {},
            "payment_intent_data": wanted.get("payment_intent_data") or {},
        },
    }  # fmt: skip


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


def item_shape(world: World, price: Json, quantity: int, entry: Json) -> Json:
    adjustable = entry.get("adjustable_quantity") or {}
    item: Json = {
        "id": world.new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": 0,
        "amount_tax": 0,
        "amount_total": 0,
        "currency": price["currency"],
        "description": _product_name(world, price),
        "metadata": {},
        "price": dict(price),
        "quantity": quantity,
    }
    if adjustable.get("enabled"):
        low, high = adjustable.get("minimum", 0), adjustable.get("maximum", 99)
        item["adjustable_quantity"] = {"enabled": True, "maximum": high, "minimum": low}
    count(item, quantity)
    return item


def count(item: Json, quantity: int) -> None:
    item["quantity"] = quantity
    item["amount_subtotal"] = item["amount_total"] = item["price"]["unit_amount"] * quantity


def _product_name(world: World, price: Json) -> str:
    product = world.store.get("product", price["product"])
    return str(product["name"]) if product else str(price["product"])
