"""Customers, and the card of each: whether it will be charged or declined."""

from __future__ import annotations

import re
from typing import Any

from ..json_tree import Json
from ..refusals import invalid, no_such
from ..world import Ref, World
from . import balance

_KEPT = (
    "address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt",
)  # fmt: skip
PLACE: Json = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_UNSET: Json = {"preferred_locales": [], "tax_exempt": "none"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
MOST_OF_AN_EMAIL = 512


def create(world: World, wanted: Json) -> Json:
    check_email(wanted.get("email"), "email")
    customer: Json = {
        "id": world.new_id("cus"),
        "object": "customer",
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": "SIM",
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        "livemode": world.livemode,
        "metadata": dict(wanted.get("metadata") or {}),
        "next_invoice_sequence": 1,
        "test_clock": wanted.get("test_clock"),
        "_card": "ok",
    } | {name: _kept(wanted, name) for name in _KEPT}  # fmt: skip
    customer["balance"] = wanted.get("balance", 0)
    world.add(customer, "customer.created")
    _record_balance(world, customer, customer["balance"], "initial")
    return customer


def _kept(wanted: Json, name: str) -> Any:
    """An address has all its lines, also those that were not given."""
    value = wanted.get(name)
    if name == "address" and value:
        return PLACE | value
    return value or _UNSET.get(name)


def _record_balance(world: World, customer: Json, amount: int, kind: str) -> None:
    if amount:
        balance.record(world, customer, amount, kind, currency=customer["currency"] or "usd")


def update(world: World, customer: Json, wanted: Json) -> Json:
    check_email(wanted.get("email"), "email")
    before = customer["balance"]
    with world.changing(customer, "customer.updated"):
        for name in _KEPT:
            if name in wanted:
                customer[name] = _kept(wanted, name)
        customer["balance"] = wanted.get("balance", customer["balance"])
        merge_metadata(customer, wanted)
    _record_balance(world, customer, customer["balance"] - before, "adjustment")
    return customer


def check_email(email: str | None, param: str) -> None:
    """Raises RefusalError for what is given and is no address."""
    if email and (len(email) > MOST_OF_AN_EMAIL or not _EMAIL.fullmatch(email)):
        raise invalid(f"Invalid email address: {email[:MOST_OF_AN_EMAIL]}", param, "email_invalid")


def merge_metadata(thing: Json, wanted: Json) -> None:
    """Stripe's rule: keys are merged, an empty value unsets a key, an empty ``metadata`` unsets all."""
    if wanted.get("metadata") == "":
        thing["metadata"] = {}
    merged = thing["metadata"] | dict(wanted.get("metadata") or {})
    thing["metadata"] = {key: value for key, value in merged.items() if value != ""}


def existing(world: World, ref: Ref, *, param: str = "") -> Json:
    """A customer that was not deleted: what Stripe demands wherever a parameter names one."""
    customer = world.find("customer", ref, param=param)
    if customer.get("deleted"):
        raise no_such("customer", customer["id"], param=param)
    return customer


def refuse_other_currency(world: World, customer_id: str, currency: str) -> None:
    """A customer is billed in one currency at a time."""
    for subscription in world.store.all("subscription", customer=customer_id):
        if subscription["status"] not in ("canceled", "incomplete_expired") and subscription["currency"] != currency:
            raise invalid(
                "You cannot combine currencies on a single customer. This customer has an active subscription, "
                f"subscription schedule, discount, quote, or invoice item with currency {subscription['currency']}.",
                "",
            )  # fmt: skip


def set_card(world: World, customer: Json, works: bool) -> Json:
    """Whether this customer's card is charged (True) or declined (False) from now on."""
    with world.changing(customer):
        customer["_card"] = "ok" if works else "declined"
    return customer


def card_works(world: World, customer_id: str | None) -> bool:
    customer = world.store.get("customer", customer_id) if customer_id else None
    return customer is None or customer.get("_card") != "declined"


def mark_deleted(world: World, customer: Json) -> Json:
    """Tells the whole customer once more; keeps what Stripe answers afterwards."""
    world.emit("customer.deleted", customer)
    kept: Json = {"id": customer["id"], "object": "customer", "deleted": True}
    customer.clear()
    customer.update(kept)
    world.store.save(customer)
    return customer
