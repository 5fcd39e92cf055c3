"""Payment intents and their charges."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import DAY, Ref, World
from . import payment_methods

_OF_BOTH = (
    "application", "application_fee_amount", "on_behalf_of", "source", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip
_OF_AN_INTENT = dict.fromkeys((
    *_OF_BOTH, "excluded_payment_method_types", "managed_payments",
    "payment_method_configuration_details", "payment_method_options", "review",
))  # fmt: skip
_OF_A_CHARGE = dict.fromkeys((
    *_OF_BOTH, "application_fee", "calculated_statement_descriptor", "failure_balance_transaction", "receipt_number",
    "source_transfer",
))  # fmt: skip
BANK_DEBIT_SECONDS = 3 * DAY
_BILLING_DETAILS: Json = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def create_intent(
    world: World, amount: int, currency: str, *, customer: str | None, metadata: Json, invoice: str | None = None
) -> Json:
    intent_id = world.new_id("pi")
    intent: Json = {
        "id": intent_id,
        "object": "payment_intent",
        **_OF_AN_INTENT,
        "amount": amount,
        "amount_details": {"tip": {}},
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "description": "Subscription" if invoice else None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": world.livemode,
        "metadata": dict(metadata),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "status": "requires_payment_method",
        "_invoice": invoice,
    }
    return world.add(intent)


def succeed(world: World, intent: Json) -> Json:
    """The money is there: a charge, and both events. Returns the charge."""
    intent["payment_method"] = _method_of(world, intent)
    charge = _charge(world, intent, "succeeded")
    with world.changing(intent):
        intent |= {
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "processing": None,
            "last_payment_error": None,
            "next_action": None,
            "status": "succeeded",
            "_settles_at": None,
        }
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    return charge


def process(world: World, intent: Json, method: str = "") -> None:
    """A bank debit is on its way; ``advance`` lets it succeed after three days."""
    with world.changing(intent):
        intent |= {"status": "processing", "payment_method": method or payment_methods.bank_account(world)}
        intent["payment_method_types"] = ["sepa_debit"]
        intent["_settles_at"] = world.now + BANK_DEBIT_SECONDS
    world.emit("payment_intent.processing", intent)


def fail(world: World, intent: Json, message: str = "Your card was declined.") -> Json:
    """Returns the charge that failed."""
    charge = _charge(world, intent, "failed")
    charge |= {"failure_code": "card_declined", "failure_message": message}
    with world.changing(intent):
        intent |= {"status": "requires_payment_method", "latest_charge": charge["id"], "processing": None}
        intent["next_action"] = None
        intent["last_payment_error"] = {"type": "card_error", "code": "card_declined", "message": message}
        intent["_settles_at"] = None
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return charge


def challenge(world: World, intent: Json) -> None:
    """The bank asks for 3-D Secure: nothing was charged yet, the customer has to act."""
    with world.changing(intent):
        intent |= {"status": "requires_action", "payment_method": _method_of(world, intent)}
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    world.emit("payment_intent.requires_action", intent)


def cancel(world: World, intent: Json) -> None:
    with world.changing(intent):
        intent |= {"status": "canceled", "canceled_at": world.now, "processing": None, "_settles_at": None}
        intent["next_action"] = None
    world.emit("payment_intent.canceled", intent)


def _method_of(world: World, intent: Json) -> str:
    return intent["payment_method"] or payment_methods.usual(world, intent["customer"], kept=bool(intent["_invoice"]))


def charge_of(world: World, intent: Json) -> Json:
    """The successful charge of an intent. Raises RefusalError where there is none to refund or dispute."""
    if intent["status"] != "succeeded":
        raise RefusalError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state", param="payment_intent",
        )  # fmt: skip
    return world.find("charge", intent["latest_charge"])


def intent_of(world: World, ref: Ref) -> Json:
    """The payment intent behind a payment intent, charge, session, invoice or subscription (its latest invoice)."""
    identifier = ref if isinstance(ref, str) else str(ref["id"])
    for kind, link in _LINKS.items():
        if thing := world.store.get(kind, identifier):
            if kind == "payment_intent":
                return thing
            if kind == "invoice" and (paid := _paid_intent(world, thing)):
                return paid
            target = thing.get(link) or thing.get("subscription")
            if not target:
                break
            return intent_of(world, target)
    raise invalid(f"Nothing was paid for '{identifier}'", "payment_intent", "resource_missing")


def _paid_intent(world: World, invoice: Json) -> Json | None:
    """Of an invoice paid in parts the last payment; None while nothing was paid."""
    paid = world.store.all("invoice_payment", invoice=invoice["id"], status="paid")
    return world.store.get("payment_intent", paid[-1]["payment"]["payment_intent"]) if paid else None


_LINKS = {
    "payment_intent": "",
    "charge": "payment_intent",
    "checkout.session": "payment_intent",
    "invoice": "_payment_intent",
    "subscription": "latest_invoice",
}


def _charge(world: World, intent: Json, status: str) -> Json:
    paid = status == "succeeded"
    charge: Json = {
        "id": world.new_id("ch"),
        "object": "charge",
        **_OF_A_CHARGE,
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "balance_transaction": world.new_id("txn") if paid else None,
        "billing_details": dict(_BILLING_DETAILS),
        "captured": paid,
        "created": world.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": world.livemode,
        "metadata": dict(intent["metadata"]),
        "outcome": None,
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": payment_methods.details_of_charge(world, intent),
        "receipt_email": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "_invoice": intent["_invoice"],
    }
    return world.add(charge)
