"""A customer's balance: below zero is credit that the next invoice uses, above zero a debt that it adds.

docs.stripe.com/billing/customer/balance. "An immutable list of debit and credit transactions".
"""

from __future__ import annotations

from ..json_tree import Json
from ..world import World
from .money import least_charge


def of(world: World, customer: str | None) -> int:
    found = world.store.get("customer", customer) if customer else None
    return int(found.get("balance") or 0) if found else 0


def change(
    world: World, customer: str | None, amount: int, kind: str, *, currency: str, **about: str | None
) -> Json | None:
    """Adds ``amount`` to the balance and keeps the transaction. ``about``: ``invoice`` or ``credit_note``."""
    found = world.store.get("customer", customer) if customer else None
    if not amount or found is None or found.get("deleted"):
        return None
    with world.changing(found, "customer.updated"):
        found["balance"] += amount
    return record(world, found, amount, kind, currency=currency, **about)


def record(world: World, customer: Json, amount: int, kind: str, *, currency: str, **about: str | None) -> Json:
    """The transaction for a balance that has changed already."""
    transaction: Json = {
        "id": world.new_id("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": world.now,
        "credit_note": about.get("credit_note"),
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": None,
        "ending_balance": customer["balance"],
        "invoice": about.get("invoice"),
        "livemode": world.livemode,
        "metadata": {},
        "type": kind,
    }
    return world.add(transaction)


def due(total: int, starting_balance: int, currency: str) -> tuple[int, int]:
    """(amount due, ending balance) of an invoice.

    "If the invoice's total is smaller than the minimum charge amount, for example, or if there is account credit that
    can be applied to the invoice, the ``amount_due`` may be 0. If there is a positive ``starting_balance`` …, the
    ``amount_due`` will also take that into account" (the library's docstring of ``Invoice.amount_due``).
    """
    owed = total + starting_balance
    return (0, owed) if owed < least_charge(currency) else (owed, 0)
