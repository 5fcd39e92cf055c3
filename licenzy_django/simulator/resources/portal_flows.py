"""What a session of the billing portal may be for, and what customers do there.

docs.stripe.com/customer-management/portal-deep-links
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..world import World
from . import cancellations, catalog, changes, customers, managed, payment_methods, schedules, subscriptions, trials
from .schedule_shapes import current
from .subscription_items import rhythm

_KINDS = ("subscription_cancel", "subscription_update", "subscription_update_confirm")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def check(world: World, customer: str, configuration: Json, wanted: Json) -> Json:
    """The flow as its session shows it. Raises RefusalError for what the page could not do."""
    kind = wanted["type"]
    if kind == "payment_method_update":
        _require_enabled(configuration, "payment_method_update", "The payment method update")
    for name in _KINDS:
        if (name == kind) != (name in wanted):
            raise (
                missing(f"flow_data[{kind}]")
                if name == kind
                else invalid(f"`{name}` goes with another type.", f"flow_data[{name}]")
            )
    shown: Json = {"type": kind, "after_completion": _after(wanted), **dict.fromkeys(_KINDS)}
    if kind not in _KINDS:
        return shown
    subscription = subscription_of(
        world, customer, wanted[kind]["subscription"], param=f"flow_data[{kind}][subscription]"
    )
    if kind == "subscription_cancel":
        refuse_to_cancel(world, configuration, subscription)
        return shown | {kind: {"retention": None, "subscription": subscription["id"]}}
    refuse_to_change(world, configuration, subscription)
    if kind == "subscription_update":
        return shown | {kind: {"subscription": subscription["id"]}}
    entries = wanted[kind]["items"]
    if len(entries) != 1:
        raise invalid("Only one item may be specified.", f"flow_data[{kind}][items]")
    item = changes.item_of(subscription, entries[0]["id"])
    price = entries[0].get("price", item["price"]["id"])
    quantity = entries[0].get("quantity", item["quantity"])
    refuse_choice(configuration, item, price, quantity)
    items = [{"id": item["id"], "price": price, "quantity": quantity}]
    return shown | {kind: {"discounts": None, "items": items, "subscription": subscription["id"]}}


def _after(wanted: Json) -> Json:
    after = wanted.get("after_completion") or {"type": "portal_homepage"}
    if after["type"] == "redirect" and not after.get("redirect"):
        raise missing("flow_data[after_completion][redirect]")
    return dict.fromkeys(("hosted_confirmation", "redirect")) | after


def subscription_of(world: World, customer: str, ref: str, *, param: str) -> Json:
    """Of the session's own customer, and running."""
    subscription = world.find("subscription", ref, param=param)
    if subscription["customer"] != customer or subscription["status"] in subscriptions.ENDED:
        raise invalid(f"No such subscription: '{ref}'", param, "resource_missing")
    return subscription


def _require_enabled(configuration: Json, feature: str, name: str) -> None:
    if not configuration["features"][feature]["enabled"]:
        raise RefusalError(f"{name} feature in the portal configuration is disabled.", param="flow_data[type]")


def refuse_to_cancel(world: World, configuration: Json, subscription: Json) -> None:
    _require_enabled(
        configuration, "subscription_cancel",
        "This subscription cannot be canceled because the subscription cancellation",
    )  # fmt: skip
    _refuse_managed(world, subscription, "canceled")
    if subscription["cancel_at"]:
        raise RefusalError("This subscription cannot be canceled because it is already set to be canceled.")


def refuse_to_change(world: World, configuration: Json, subscription: Json) -> None:
    """The page takes subscriptions of one item, without a schedule that has a phase ahead."""
    _require_enabled(
        configuration, "subscription_update", "This subscription cannot be updated because the subscription update"
    )
    _refuse_managed(world, subscription, "updated")
    if len(subscription["items"]["data"]) > 1:
        raise RefusalError("This subscription cannot be updated because it contains multiple items.")


def _refuse_managed(world: World, subscription: Json, done: str) -> None:
    schedule = managed.schedule_of(world, subscription)
    if schedule and current(schedule) is not schedule["phases"][-1]:
        raise RefusalError(f"This subscription cannot be {done} because it has a scheduled change.")


def refuse_choice(configuration: Json, item: Json, price: str, quantity: int) -> None:
    """What the configuration does not allow, and what would change nothing."""
    allowed = configuration["features"]["subscription_update"]
    products = {ref: entry for entry in allowed.get("products") or [] for ref in entry["prices"]}
    if price == item["price"]["id"] and quantity == item["quantity"]:
        raise invalid("The subscription update has no changes to confirm.", "flow_data")
    if price != item["price"]["id"] and (price not in products or "price" not in allowed["default_allowed_updates"]):
        raise invalid(
            f"The item `{item['id']}` cannot be updated to price `{price}` because the configuration "
            f"`{configuration['id']}` does not include the price in its `features[subscription_update][products]`.",
            "flow_data",
        )
    if quantity != item["quantity"] and "quantity" not in allowed["default_allowed_updates"]:
        raise invalid(f"The configuration `{configuration['id']}` does not allow another quantity.", "flow_data")
    limits = (products.get(price) or {}).get("adjustable_quantity") or {}
    low, high = limits.get("minimum") or 1, limits.get("maximum") or 999_999
    if quantity != item["quantity"] and limits.get("enabled") and not low <= quantity <= high:
        raise invalid(f"The quantity must be from {low} to {high}.", "quantity")


def cancel(world: World, configuration: Json, subscription: Json) -> Json:
    refuse_to_cancel(world, configuration, subscription)
    if configuration["features"]["subscription_cancel"]["mode"] == "immediately":
        return cancellations.cancel(world, subscription)
    return subscriptions.cancel_at_period_end(world, subscription)


def change(world: World, configuration: Json, subscription: Json, price: str, quantity: int) -> Json:
    """Now, or at the end of the period where a condition of the configuration says so.

    Raises RefusalError (402) for a card that is declined: nothing has changed then.
    """
    refuse_to_change(world, configuration, subscription)
    item = changes.item_of(subscription, None)
    refuse_choice(configuration, item, price, quantity)
    allowed = configuration["features"]["subscription_update"]
    if waits(world, configuration, item, price, quantity):
        return _schedule(world, subscription, price, quantity)
    trial_ends = subscription["status"] == "trialing" and allowed["trial_update_behavior"] == "end_trial"
    works = customers.card_works(world, subscription["customer"])
    if trial_ends and not works:
        raise payment_methods.declined()
    changes.update(
        world, subscription, [{"id": item["id"], "price": price, "quantity": quantity}],
        proration_behavior=allowed["proration_behavior"], payment_behavior="error_if_incomplete", paid=works,
        billing_cycle_anchor=allowed["billing_cycle_anchor"] or _usual_anchor(configuration, subscription),
    )  # fmt: skip
    if trial_ends:
        trials.end_trial(world, subscription, early=True)
    return subscription


def _usual_anchor(configuration: Json, subscription: Json) -> str:
    """ "The default value is ``unchanged``"; the simulator's own configuration begins a new interval now."""
    flexible = subscription["billing_mode"]["type"] == "flexible"
    return "unchanged" if flexible and not configuration.get("_everything") else ""


def waits(world: World, configuration: Json, item: Json, price: str, quantity: int) -> bool:
    """ "When any condition is true, the update will be scheduled at the end of the current period"."""
    currency = item["price"]["currency"]
    new = catalog.in_currency(world.find("price", price, param="price"), currency, param="price")
    shorter = _length(new) < _length(item["price"])
    less = new["unit_amount"] * quantity < item["price"]["unit_amount"] * item["quantity"]
    true = {"shortening_interval": shorter, "decreasing_item_amount": less}
    schedule = configuration["features"]["subscription_update"].get("schedule_at_period_end") or {}
    return any(true[condition["type"]] for condition in schedule.get("conditions") or [])


def _length(price: Json) -> int:
    return int(_DAYS[price["recurring"]["interval"]] * price["recurring"]["interval_count"])


def _schedule(world: World, subscription: Json, price: str, quantity: int) -> Json:
    schedule = managed.schedule_of(world, subscription) or schedules.create(world, subscription)
    now = current(schedule)
    kept = {name: now[name] for name in ("default_payment_method", "discounts", "metadata")}
    kept |= {"proration_behavior": "none"}
    running = kept | {name: now[name] for name in ("items", "start_date", "end_date", "trial_end")}
    coming = kept | {"items": [{"price": price, "quantity": quantity}]}
    if rhythm(world.find("price", price)) != rhythm(subscription["items"]["data"][0]["price"]):
        coming["billing_cycle_anchor"] = "phase_start"
    schedules.update(world, schedule, {"phases": [running, coming], "end_behavior": "release"})
    return subscription


def use_card(world: World, customer: Json, name: str) -> Json:
    """Another card in the place of the one before, for everything that this customer has."""
    method = payment_methods.attach(world, payment_methods.named(world, f"pm_card_{name}", param=""), customer)
    payment_methods.make_default(world, customer, method["id"], param="")
    for subscription in world.store.all("subscription", customer=customer["id"]):
        if subscription["status"] not in subscriptions.ENDED and subscription["default_payment_method"]:
            with world.changing(subscription, subscriptions.UPDATED):
                subscription["default_payment_method"] = method["id"]
            managed.follow(world, subscription)
    return customer
