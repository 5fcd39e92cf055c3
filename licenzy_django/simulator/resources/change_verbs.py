"""The usual changes of a subscription's items, each an ``update`` with its terms (``change_rules.Terms``)."""

from __future__ import annotations

from typing import Unpack

from ..json_tree import Json
from ..world import Ref, World
from . import billing, pending_updates
from .change_rules import Terms
from .changes import item_of, update


def swap_price(
    world: World, subscription: Json, price: Ref, *, item: Ref | None = None, quantity: int | None = None,
    invoice_now: bool = False, **terms: Unpack[Terms],
) -> Json:  # fmt: skip
    """The item keeps its id. Another interval starts a new period and is invoiced at once.

    ``invoice_now`` is short for ``proration_behavior="always_invoice"``.
    """
    if invoice_now:
        terms.setdefault("proration_behavior", "always_invoice")
    edit = {"id": item_of(subscription, item)["id"], "price": price, "quantity": quantity}
    return update(world, subscription, [edit], **terms)


def replace_item(
    world: World, subscription: Json, price: Ref, *, item: Ref | None = None, **terms: Unpack[Terms]
) -> Json:
    """The other way to change a plan: the item goes, one with a new id comes, in one update."""
    old = item_of(subscription, item)
    edits = [{"id": old["id"], "deleted": True}, {"price": price, "quantity": old["quantity"]}]
    return update(world, subscription, edits, **terms)


def add_item(world: World, subscription: Json, price: Ref, *, quantity: int = 1, **terms: Unpack[Terms]) -> Json:
    return update(world, subscription, [{"price": price, "quantity": quantity}], **terms)


def remove_item(world: World, subscription: Json, *, item: Ref, **terms: Unpack[Terms]) -> Json:
    return update(world, subscription, [{"id": item_of(subscription, item)["id"], "deleted": True}], **terms)


def set_quantity(
    world: World, subscription: Json, quantity: int, *, item: Ref | None = None, prorated: bool = False,
    **terms: Unpack[Terms],
) -> Json:  # fmt: skip
    """``prorated`` is short for ``proration_behavior="create_prorations"``."""
    if prorated:
        terms.setdefault("proration_behavior", "create_prorations")
    edit = {"id": item_of(subscription, item)["id"], "quantity": quantity}
    return update(world, subscription, [edit], **terms)


def propose(
    world: World, subscription: Json, *, price: Ref | None = None, quantity: int | None = None,
    item: Ref | None = None, **terms: Unpack[Terms],
) -> Json:  # fmt: skip
    """A pending update: ``pending_if_incomplete``, and the card is declined. Where nothing is due, it applies."""
    edit = {"id": item_of(subscription, item)["id"], "price": price, "quantity": quantity}
    usual: Terms = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete", "paid": False}
    return update(world, subscription, [edit], **(usual | terms))


def apply_pending(world: World, subscription: Json) -> Json:
    """The pending update is paid for, and applied."""
    pending_updates.require(subscription)
    billing.pay_invoice(world, billing.latest_invoice(world, subscription))
    return subscription
