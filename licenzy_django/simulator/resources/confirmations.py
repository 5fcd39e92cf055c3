"""Payment intents made by API, and what a test card makes of them."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..world import World
from . import customers, disputes, money, payment_methods, payments

_SHOWN = (
    "capture_method", "confirmation_method", "description", "receipt_email", "setup_future_usage", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "payment_method_types",
)  # fmt: skip
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_MOST_CENTS = 99_999_999


def create(world: World, wanted: Json) -> Json:
    """With ``confirm`` the card is charged at once."""
    currency = str(wanted["currency"]).lower()
    _check_amount(wanted["amount"], currency)
    customer = wanted.get("customer")
    if customer:
        customers.existing(world, customer, param="customer")
    if wanted.get("off_session") and not wanted.get("confirm"):
        raise invalid("You cannot set `off_session` without setting `confirm=true`.", "off_session")
    intent = payments.create_intent(
        world, wanted["amount"], currency, customer=customer, metadata=wanted.get("metadata") or {}
    )
    with world.changing(intent):
        intent |= {name: wanted[name] for name in _SHOWN if wanted.get(name)}
        intent["client_secret"] = f"{intent['id']}_secret_{world.new_id('s')[2:]}"
        if ways := wanted.get("automatic_payment_methods"):
            intent["automatic_payment_methods"] = {"allow_redirects": "always"} | ways
        if wanted.get("allowed_payment_method_types"):
            intent["payment_method_types"] = wanted["allowed_payment_method_types"]
    world.emit("payment_intent.created", intent)
    if wanted.get("payment_method"):
        _choose(world, intent, wanted["payment_method"])
    if wanted.get("confirm"):
        confirm(world, intent, wanted)
    return intent


def _check_amount(amount: int, currency: str) -> None:
    least = money.least_charge(currency)
    if amount < least:
        raise invalid(f"Amount must be at least {money.written(least, currency)}", "amount", "amount_too_small")
    if amount > _MOST_CENTS:
        most = money.written(_MOST_CENTS, currency)
        raise invalid(f"Amount must be no more than {most}", "amount", "amount_too_large")


def _choose(world: World, intent: Json, ref: str) -> None:
    method = payment_methods.named(world, ref, param="payment_method")
    if method["customer"] and method["customer"] != intent["customer"]:
        raise invalid("The payment method supplied belongs to another customer.", "payment_method")
    with world.changing(intent):
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}


def update(world: World, intent: Json, wanted: Json) -> Json:
    _require_open(intent)
    changed = intent | wanted
    _check_amount(changed["amount"], str(changed["currency"]).lower())
    with world.changing(intent):
        intent |= {name: wanted[name] for name in ("amount", "currency", *_SHOWN) if name in wanted}
        customers.merge_metadata(intent, wanted)
    if wanted.get("payment_method"):
        _choose(world, intent, wanted["payment_method"])
    return intent


def _require_open(intent: Json) -> None:
    if intent["status"] not in _OPEN:
        raise RefusalError(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state", param="intent",
        )  # fmt: skip


def confirm(world: World, intent: Json, wanted: Json) -> Json:
    """Raises RefusalError (402) for a card that is declined; the intent and its failed charge stay."""
    _require_open(intent)
    if wanted.get("payment_method"):
        _choose(world, intent, wanted["payment_method"])
    if not intent["payment_method"]:
        raise missing("payment_method")
    with world.changing(intent):
        intent |= {name: wanted[name] for name in ("receipt_email", "setup_future_usage", "shipping") if name in wanted}
    method = world.find("payment_method", intent["payment_method"])
    return charge(world, intent, method, must_not_ask=_must_not_ask(wanted))


def _must_not_ask(wanted: Json) -> bool:
    return bool(wanted.get("off_session") or wanted.get("error_on_requires_action"))


def charge(world: World, intent: Json, method: Json, *, must_not_ask: bool = False) -> Json:
    """What the card does: pays, is declined, asks for 3-D Secure, pays and is disputed."""
    does = method["_does"]
    if does == "declined":
        payments.fail(world, intent)
        raise payment_methods.declined()
    if does == "challenge" and must_not_ask:
        payments.fail(world, intent, "This payment required an authentication action to complete.")
        raise payment_methods.declined("authentication_required", "Your card was declined. This transaction requires "
                                       "authentication.")  # fmt: skip
    if does == "challenge":
        payments.challenge(world, intent)
        return intent
    payments.succeed(world, intent)
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        payment_methods.attach(world, method, world.find("customer", intent["customer"]))
    if does in ("dispute", "inquiry"):
        disputes.create(world, intent, status="needs_response" if does == "dispute" else "warning_needs_response")
    return intent


def cancel(world: World, intent: Json, wanted: Json) -> Json:
    _require_open(intent)
    with world.changing(intent):
        intent["cancellation_reason"] = wanted.get("cancellation_reason")
    payments.cancel(world, intent)
    return intent
