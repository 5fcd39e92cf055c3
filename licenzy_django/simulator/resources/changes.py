"""What becomes of a subscription's items: swapped, added, removed, counted, changed once paid for."""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_end
from ..refusals import RefusalError, invalid
from ..world import Ref, World
from . import billing, catalog, subscriptions
from .invoice_shapes import prorations
from .subscriptions import UPDATED

PENDING_SECONDS = 23 * 3_600


def item_of(subscription: Json, ref: Ref | None) -> Json:
    """The named item, or the only one."""
    items = subscription["items"]["data"]
    if ref is None and len(items) == 1:
        return items[0]  # type: ignore[no-any-return]
    wanted = ref if isinstance(ref, str) or ref is None else ref["id"]
    for item in items:
        if item["id"] == wanted:
            return item  # type: ignore[no-any-return]
    raise invalid(f"No such subscription_item: '{wanted}'", "items[0][id]", "resource_missing")


def _recurring(world: World, price: Ref) -> Json:
    found = catalog.price_named(world, price, param="items[0][price]")
    if not found["recurring"]:
        raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", "items[0][price]")  # fmt: skip
    return found


def swap_price(
    world: World, subscription: Json, price: Ref, *, item: Ref | None = None, quantity: int | None = None,
    invoice_now: bool = False, paid: bool = True,
) -> Json:  # fmt: skip
    """The item keeps its id. Another interval starts a new period and is invoiced at once, and so it is on demand.

    The change shows before its invoice is paid (Stripe's default, ``allow_incomplete``).
    """
    subscriptions.require_running(subscription)
    new, invoice = _recurring(world, price), None
    with world.changing(subscription, UPDATED):
        chosen = item_of(subscription, item)
        restarts = _rhythm(chosen["price"]) != _rhythm(new)
        _put_price(chosen, new)
        chosen["quantity"] = chosen["quantity"] if quantity is None else quantity
        if restarts and subscription["status"] != "trialing":
            chosen["current_period_start"] = world.now
            chosen["current_period_end"] = period_end(world.now, new["recurring"], world.now)
            if len(subscription["items"]["data"]) == 1:
                subscription["billing_cycle_anchor"] = world.now
        if (restarts or invoice_now) and subscription["status"] in ("active", "past_due"):
            invoice = billing.charge_items(world, subscription, [chosen], proration=not restarts)
    if invoice:
        billing.pay_invoice(world, invoice) if paid else billing.fail_invoice(world, invoice)
    return subscription


def _rhythm(price: Json) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _put_price(item: Json, price: Json) -> None:
    item["price"] = {key: value for key, value in price.items() if key[0] != "_"}


def replace_item(world: World, subscription: Json, price: Ref, *, item: Ref | None = None) -> Json:
    """The other way to change a plan: the item goes, one with a new id comes, in one update."""
    subscriptions.require_running(subscription)
    new = _recurring(world, price)
    with world.changing(subscription, UPDATED):
        old = item_of(subscription, item)
        same_rhythm = _rhythm(old["price"]) == _rhythm(new)
        fresh = subscriptions.append_item(
            world, subscription, new, old["quantity"], ends_at=old["current_period_end"] if same_rhythm else None
        )
        _drop(subscription, old)
        fresh["current_period_start"] = old["current_period_start"] if same_rhythm else world.now
    return subscription


def _drop(subscription: Json, item: Json) -> None:
    subscription["items"]["data"].remove(item)
    subscription["items"]["total_count"] -= 1


def add_item(world: World, subscription: Json, price: Ref, *, quantity: int = 1) -> Json:
    subscriptions.require_running(subscription)
    new = _recurring(world, price)
    with world.changing(subscription, UPDATED):
        subscriptions.append_item(world, subscription, new, quantity)
    return subscription


def remove_item(world: World, subscription: Json, *, item: Ref) -> Json:
    subscriptions.require_running(subscription)
    if len(subscription["items"]["data"]) == 1:
        raise RefusalError("A subscription must have at least one active plan.", param="items")
    with world.changing(subscription, UPDATED):
        _drop(subscription, item_of(subscription, item))
    return subscription


def set_quantity(
    world: World, subscription: Json, quantity: int, *, item: Ref | None = None, prorated: bool = False
) -> Json:
    """``prorated``: the renewal's invoice begins with what this costs until then."""
    subscriptions.require_running(subscription)
    with world.changing(subscription, UPDATED):
        chosen = item_of(subscription, item)
        if prorated:
            subscription["_prorations"] = subscription.get("_prorations", []) + prorations(world, chosen, quantity)
        chosen["quantity"] = quantity
    return subscription


def propose(
    world: World, subscription: Json, *, price: Ref | None = None, quantity: int | None = None, item: Ref | None = None
) -> Json:
    """A ``pending_update``: shown on the subscription, not in force until it is paid for."""
    subscriptions.require_running(subscription)
    chosen = item_of(subscription, item)
    new = _recurring(world, price) if price else chosen["price"]
    shown = {key: value for key, value in new.items() if key[0] != "_"}
    with world.changing(subscription, UPDATED):
        subscription["pending_update"] = {
            "billing_cycle_anchor": None,
            "expires_at": world.now + PENDING_SECONDS,
            "subscription_items": [chosen | {"price": shown, "quantity": quantity or chosen["quantity"]}],
            "trial_end": None,
            "trial_from_plan": None,
        }
    return subscription


def _pending(subscription: Json) -> Json:
    if not subscription["pending_update"]:
        raise RefusalError(f"Subscription {subscription['id']} has no pending update")
    return subscription["pending_update"]  # type: ignore[no-any-return]


def apply_pending(world: World, subscription: Json) -> Json:
    """It was paid for: the items change, the latest invoice is the one that paid it."""
    proposed = _pending(subscription)["subscription_items"][0]
    with world.changing(subscription, UPDATED):
        chosen = item_of(subscription, proposed["id"])
        chosen |= {"price": proposed["price"], "quantity": proposed["quantity"]}
        subscription["pending_update"] = None
        invoice = billing.charge_items(world, subscription, [chosen], proration=True)
    world.emit("customer.subscription.pending_update_applied", subscription)
    billing.pay_invoice(world, invoice)
    return subscription


def expire_pending(world: World, subscription: Json) -> Json:
    _pending(subscription)
    with world.changing(subscription, UPDATED):
        subscription["pending_update"] = None
    world.emit("customer.subscription.pending_update_expired", subscription)
    return subscription
