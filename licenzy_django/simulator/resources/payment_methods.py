"""Payment methods: Stripe's test cards by their names, attached to customers, and what each of them does.

docs.stripe.com/testing: ``pm_card_visa`` names a card in whatever account; using it makes a payment method of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..world import World
from . import customers

_DETAILS: Json = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
_YEARS_VALID = 8
_SECONDS_OF_A_YEAR = 31_556_952


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. ``does``: ok, declined, challenge (3-D Secure), dispute or inquiry; ``attaches``: to a customer."""

    brand: str
    last4: str
    does: str = "ok"
    attaches: bool = True


CARDS = {
    "visa": Card("visa", "4242"),
    "visa_debit": Card("visa", "5556"),
    "mastercard": Card("mastercard", "4444"),
    "amex": Card("amex", "0005"),
    "us": Card("visa", "4242"),
    "bypassPending": Card("visa", "0077"),
    "chargeDeclined": Card("visa", "0002", "declined", attaches=False),
    "visa_chargeDeclined": Card("visa", "0002", "declined", attaches=False),
    "chargeCustomerFail": Card("visa", "0341", "declined"),
    "authenticationRequired": Card("visa", "3184", "challenge"),
    "threeDSecure2Required": Card("visa", "3220", "challenge"),
    "createDispute": Card("visa", "0259", "dispute"),
    "createDisputeInquiry": Card("visa", "1976", "inquiry"),
}
_NUMBERS = {
    "4242424242424242": "visa", "4000056655665556": "visa_debit", "5555555555554444": "mastercard",
    "378282246310005": "amex", "4000000000000002": "chargeDeclined", "4000000000000341": "chargeCustomerFail",
    "4000002760003184": "authenticationRequired", "4000000000003220": "threeDSecure2Required",
    "4000000000000259": "createDispute", "4000000000001976": "createDisputeInquiry",
    "4000000000000077": "bypassPending",
}  # fmt: skip


def create(world: World, wanted: Json) -> Json:
    """A card by its test token (``tok_visa``) or its test number."""
    if wanted.get("type") != "card":
        raise missing("type")
    card = wanted.get("card") or {}
    if card.get("token"):
        found = _named(str(card["token"]).removeprefix("tok_"), "card[token]", "token")
    elif card.get("number"):
        if card["number"] not in _NUMBERS:
            raise RefusalError(
                "Your card was declined. Your request was in test mode, but used a non test card.",
                status=402, kind="card_error", code="card_declined", param="card[number]",
            )  # fmt: skip
        found = CARDS[_NUMBERS[card["number"]]]
    else:
        raise missing("card")
    return _add(world, found, wanted)


def _named(name: str, param: str, kind: str) -> Card:
    if name not in CARDS:
        raise RefusalError(
            f"No such {kind}: '{name}'. The simulator knows these test cards: {', '.join(CARDS)}.",
            code="resource_missing", param=param,
        )  # fmt: skip
    return CARDS[name]


def _add(world: World, card: Card, wanted: Json) -> Json:
    details = wanted.get("card") or {}
    method: Json = {
        "id": world.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": wanted.get("allow_redisplay", "unspecified"),
        "billing_details": _DETAILS | (wanted.get("billing_details") or {}),
        "card": card_shape(world, card, details.get("exp_month"), details.get("exp_year")),
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": world.livemode,
        "metadata": dict(wanted.get("metadata") or {}),
        "type": "card",
        "_does": card.does,
        "_attaches": card.attaches,
    }
    return world.add(method)


def card_shape(world: World, card: Card, exp_month: int | None = None, exp_year: int | None = None) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": exp_month or 12,
        "exp_year": exp_year or 1970 + world.now // _SECONDS_OF_A_YEAR + _YEARS_VALID,
        "fingerprint": f"simulated{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def named(world: World, ref: str, *, param: str) -> Json:
    """The payment method of this id; of a test card's name (``pm_card_visa``) a new one."""
    if ref.startswith("pm_card_"):
        return _add(world, _named(ref.removeprefix("pm_card_"), param, "PaymentMethod"), {})
    return world.find("payment_method", ref, param=param)


def attach(world: World, method: Json, customer: Json) -> Json:
    if not method["_attaches"]:
        raise declined()
    if method["customer"] not in (None, customer["id"]):
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method")
    with world.changing(method):
        method["customer"] = customer["id"]
    world.emit("payment_method.attached", method)
    return method


def detach(world: World, method: Json) -> Json:
    if not method["customer"]:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.",
                      "payment_method")  # fmt: skip
    owner = world.store.get("customer", method["customer"])
    if owner and not owner.get("deleted") and owner["invoice_settings"]["default_payment_method"] == method["id"]:
        with world.changing(owner, "customer.updated"):
            owner["invoice_settings"]["default_payment_method"] = None
    with world.changing(method):
        method["customer"] = None
    world.emit("payment_method.detached", method)
    return method


def update(world: World, method: Json, wanted: Json) -> Json:
    if not method["customer"]:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.", "payment_method")
    with world.changing(method, "payment_method.updated"):
        method["billing_details"] |= wanted.get("billing_details") or {}
        method["allow_redisplay"] = wanted.get("allow_redisplay", method["allow_redisplay"])
        method["card"] |= wanted.get("card") or {}
        customers.merge_metadata(method, wanted)
    return method


def make_default(world: World, customer: Json, ref: str, *, param: str, known: Json | None = None) -> None:
    """``invoice_settings[default_payment_method]``: the card that is charged from now on; empty for none."""
    method = known or (named(world, ref, param=param) if ref else None)
    if method:
        use(world, customer, method, param=param)
    with world.changing(customer, "customer.updated" if known is None else ""):
        customer["invoice_settings"]["default_payment_method"] = method and method["id"]


def use(world: World, customer: Json, method: Json, *, param: str) -> None:
    """The card that this customer is charged by from now on."""
    if method["customer"] != customer["id"]:
        raise invalid(
            "The customer does not have a payment method with the ID "
            f"{method['id']}. The payment method must be attached to the customer.", param, "resource_missing",
        )  # fmt: skip
    with world.changing(customer):
        customer["_method"] = method["id"]
        customer["_card"] = "ok" if method["_does"] in ("ok", "dispute", "inquiry") else "declined"


def usual(world: World, customer_id: str | None, *, kept: bool) -> str:
    """What a customer pays by who typed a card on a page: the one used last, or a new Visa card.

    ``kept``: the card stays with the customer, as one of a subscription does.
    """
    customer = world.store.get("customer", customer_id) if customer_id else None
    if customer and not customer.get("deleted") and customer.get("_method"):
        return str(customer["_method"])
    method = _add(world, CARDS["visa"], {})
    if customer and kept and not customer.get("deleted"):
        with world.changing(method):
            method["customer"] = customer["id"]
        with world.changing(customer):
            customer["_method"] = method["id"]
    return str(method["id"])


def bank_account(world: World) -> str:
    """A SEPA debit that somebody typed on a page."""
    details: Json = {"bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "simulatedbank",
                     "generated_from": {"charge": None, "setup_attempt": None}, "last4": "3000"}  # fmt: skip
    method = _add(world, CARDS["visa"], {})
    del method["card"]
    method |= {"type": "sepa_debit", "sepa_debit": details}
    return str(method["id"])


def type_charged(world: World, subscription: Json) -> str:
    """``card``, ``sepa_debit``, …: the subscription's own method comes before the customer's default one."""
    customer = world.store.get("customer", subscription["customer"]) or {}
    named = subscription["default_payment_method"] or (customer.get("invoice_settings") or {}).get(
        "default_payment_method"
    )
    method = world.store.get("payment_method", named) if named else None
    return str(method["type"]) if method else "card"


def asks(world: World, customer_id: str) -> bool:
    """Whether this customer's card is one that asks for 3-D Secure at every payment."""
    customer = world.store.get("customer", customer_id) or {}
    method = world.store.get("payment_method", customer.get("_method") or "")
    return bool(method and method["_does"] == "challenge" and customer["_card"] == "declined")


def has_one(world: World, customer: Json) -> bool:
    """Whether this customer's renewals can be charged to anything."""
    settings = customer["invoice_settings"]
    return bool(customer.get("_method") or settings["default_payment_method"]) or bool(
        world.store.all("payment_method", customer=customer["id"])
    )


def declined(code: str = "card_declined", message: str = "Your card was declined.", **more: Any) -> RefusalError:
    return RefusalError(message, status=402, kind="card_error", code=code, **more)


def details_of_charge(world: World, intent: Json) -> Json:
    """``payment_method_details`` of a charge."""
    method = world.store.get("payment_method", intent["payment_method"] or "")
    if method is None:
        method = {"type": "card", "card": card_shape(world, CARDS["visa"])}
    if method["type"] != "card":
        return {"type": method["type"], method["type"]: {**method[method["type"]], "mandate": None}}
    card = {name: value for name, value in method["card"].items() if name not in _NOT_OF_A_CHARGE}
    card |= _OF_A_CHARGE | {"network": card["brand"], "amount_authorized": intent["amount"]}
    card["overcapture"] = {"maximum_amount_capturable": intent["amount"], "status": "unavailable"}
    return {"type": "card", "card": card}


_NOT_OF_A_CHARGE = ("display_brand", "generated_from", "networks", "three_d_secure_usage")
_OF_A_CHARGE: Json = {
    "extended_authorization": {"status": "disabled"}, "incremental_authorization": {"status": "unavailable"},
    "multicapture": {"status": "unavailable"}, "network_token": {"used": False},
} | dict.fromkeys((
    "authorization_code", "installments", "mandate", "network_transaction_id", "three_d_secure", "transaction_link_id",
))  # fmt: skip
