"""Subscriptions and their items: what the API does with their parameters."""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing, no_such
from ..resources import by_hand, cancellations, changes, customers, managed, payment_methods, subscriptions, trials
from ..world import Ref, World

_AT_AN_END = {"min_period_end": min, "max_period_end": max, "max_billed_until": max}
_TERMS = ("proration_behavior", "proration_date", "payment_behavior", "billing_cycle_anchor")


def create_subscription(world: World, params: Json, _: str) -> Json:
    """Charged at once, unless a trial comes first or the invoice is sent; ``incomplete`` if the card is declined."""
    if not params.get("customer"):
        raise missing("customer")
    customer = customers.existing(world, params["customer"], param="customer")
    prices = _priced(params)
    currency = str(world.find("price", prices[0][0], param="items[0][price]")["currency"])
    if params.get("currency", currency).lower() != currency:
        raise invalid(f"The prices of this subscription are in `{currency}`.", "currency")
    customers.refuse_other_currency(world, customer["id"], currency)
    _check_cancel_at(world, params)
    method = _chosen_method(world, customer, params)
    sent = params.get("collection_method") == "send_invoice"
    trial_end = _trial_end(world, params)
    waits = params.get("payment_behavior") == "default_incomplete" and not sent
    can_pay = bool(method or payment_methods.has_one(world, customer))
    is_free = not any(world.find("price", price)["unit_amount"] for price, _quantity in prices)
    if not (sent or trial_end or waits or can_pay or is_free):
        raise RefusalError(
            "This customer has no attached payment source or default payment method. Please consider adding a default "
            "payment method.", code="resource_missing",
        )  # fmt: skip
    works = customers.card_works(world, customer["id"])
    if params.get("payment_behavior") == "error_if_incomplete" and not works and not sent and not trial_end:
        raise payment_methods.declined()
    subscription = by_hand.subscribe(
        world, customer["id"], prices, metadata=params.get("metadata"), trial_end=trial_end,
        status="active" if works or sent else "incomplete", by_invoice=sent, leave_open=waits,
        days_until_due=params.get("days_until_due", 30),
        billing_mode=(params.get("billing_mode") or {}).get("type", "flexible"),
        billing_cycle_anchor=params.get("billing_cycle_anchor"), backdate_start_date=params.get("backdate_start_date"),
        proration_behavior=params.get("proration_behavior", "create_prorations"),
        shown=_shown(params, method) | _automatic_tax(params, customer), coupons=params.get("discounts") or [],
    )  # fmt: skip
    if not can_pay:
        with world.changing(subscription):
            subscription |= {"_has_payment_method": False, "_lost_method": True}
    _schedule_cancellation(world, subscription, params)
    return subscription


def _priced(params: Json) -> list[tuple[Ref, int]]:
    items = params.get("items")
    if not items:
        raise missing("items")
    for at, item in enumerate(items):
        if not item.get("price"):
            raise missing(f"items[{at}][price]")
        _check_quantity(item, f"items[{at}][quantity]")
    return [(item["price"], item.get("quantity", 1)) for item in items]


def _check_quantity(item: Json, at: str) -> None:
    if not 0 <= item.get("quantity", 1) <= 999_999:
        raise invalid("This value must be greater than or equal to 0 and at most 999999.", at)


def _shown(params: Json, method: Json | None) -> Json:
    shown = {name: params[name] for name in ("description", "trial_settings") if params.get(name)}
    return shown | ({"default_payment_method": method["id"]} if method else {})


def _automatic_tax(params: Json, customer: Json) -> Json:
    if not (params.get("automatic_tax") or {}).get("enabled"):
        return {}
    if not (customer["address"] or {}).get("country"):
        raise invalid(
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax.", "automatic_tax[enabled]", "customer_tax_location_invalid",
        )  # fmt: skip
    return {"automatic_tax": {"disabled_reason": None, "enabled": True, "liability": {"type": "self"}}}


def _chosen_method(world: World, customer: Json, params: Json) -> Json | None:
    """``default_payment_method``: the card that is charged from now on."""
    if not params.get("default_payment_method"):
        return None
    method = payment_methods.named(world, params["default_payment_method"], param="default_payment_method")
    payment_methods.use(world, customer, method, param="default_payment_method")
    return method


def _trial_end(world: World, params: Json) -> int | None:
    if params.get("trial_end") == "now":
        return None
    if params.get("trial_period_days") and params.get("trial_end"):
        raise invalid("You may only specify one of these parameters: trial_end, trial_period_days.", "trial_end")
    end = subscriptions.trial_end(world, params)
    if end is not None and end <= world.now:
        raise invalid("trial_end must be a timestamp in the future.", "trial_end")
    return end


def _check_cancel_at(world: World, params: Json) -> None:
    if "cancel_at" in params and "cancel_at_period_end" in params:  # also where both are cleared
        raise invalid(
            "Received both cancel_at and cancel_at_period_end parameters. Please pass in only one.",
            "cancel_at_period_end",
        )  # fmt: skip
    at = params.get("cancel_at")
    if isinstance(at, int) and at <= world.now:
        raise invalid("`cancel_at` must be a timestamp in the future.", "cancel_at")


def update_subscription(world: World, params: Json, identifier: str) -> Json:
    """What is scheduled, what is shown, who pays, and the items."""
    subscription = world.find("subscription", identifier)
    if subscription["status"] in subscriptions.ENDED and params.keys() - {"cancellation_details", "metadata"}:
        raise RefusalError("A canceled subscription can only update its cancellation_details and metadata.")
    _check_cancel_at(world, params)
    if "cancel_at" in params or "cancel_at_period_end" in params:
        managed.refuse_cancellation(world, subscription)
    _check_waiting(params)
    customer = world.find("customer", subscription["customer"])
    method = _chosen_method(world, customer, params)
    if "metadata" in params or method or "description" in params:
        with world.changing(subscription, subscriptions.UPDATED):
            customers.merge_metadata(subscription, params)
            subscription |= _shown(params, method)
            if params.get("description") == "":
                subscription["description"] = None
    _schedule_cancellation(world, subscription, params)
    if pause := params.get("pause_collection"):
        subscriptions.pause_collection(world, subscription, **pause)
    elif pause == "":
        subscriptions.unpause_collection(world, subscription)
    if params.get("items") or _restarts(params):
        change_items(world, subscription, params.get("items") or [], params)
    if params.get("trial_end") == "now":
        _end_trial_now(world, subscription, customer)
    managed.follow(world, subscription)
    return subscription


def _restarts(params: Json) -> bool:
    return (params.get("billing_cycle_anchor") or {}).get("type") == "now"


_MAY_WAIT = {
    "add_invoice_items", "billing_cycle_anchor", "items", "payment_behavior", "proration_behavior", "proration_date",
    "trial_end", "trial_from_plan",
}  # fmt: skip


def _check_waiting(params: Json) -> None:
    """docs.stripe.com/billing/subscriptions/pending-updates-reference: "supported attributes".

    Later copies of that page add ``discounts`` and ``metadata``, which are refused here.
    """
    if params.get("payment_behavior") != "pending_if_incomplete":
        return
    if others := sorted(params.keys() - _MAY_WAIT):
        raise invalid(f"`payment_behavior=pending_if_incomplete` cannot be used with: {', '.join(others)}.", others[0])
    if params.get("trial_end"):
        raise RefusalError("The simulator ends no trial by a pending update.", param="trial_end", code="not_simulated")


def _schedule_cancellation(world: World, subscription: Json, params: Json) -> None:
    at = params.get("cancel_at")
    if params.get("cancel_at_period_end"):
        subscriptions.cancel_at_period_end(world, subscription, way="classic")
    elif at in _AT_AN_END:
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        subscriptions.cancel_at(world, subscription, _AT_AN_END[at](ends))
    elif isinstance(at, int):
        subscriptions.cancel_at(world, subscription, at)
    elif (params.get("cancel_at_period_end") is False or at == "") and subscription["cancel_at"]:
        subscriptions.uncancel(world, subscription)
    comments = params.get("cancellation_details") or {}
    if comments:
        with world.changing(subscription, subscriptions.UPDATED):
            subscription["cancellation_details"] |= {name: value or None for name, value in comments.items()}


def _end_trial_now(world: World, subscription: Json, customer: Json) -> None:
    if subscription["status"] != "trialing":
        return
    with world.changing(subscription):
        subscription["_has_payment_method"] = payment_methods.has_one(world, customer)
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if subscription["_has_payment_method"] or behavior == "create_invoice":
        trials.end_trial(world, subscription, early=True)
        return
    with world.changing(subscription):
        subscription["trial_end"] = world.now
    trials.end_trial(world, subscription)


def change_items(world: World, subscription: Json, edits: list[Json], params: Json) -> Json:
    """With Stripe's own defaults: ``create_prorations``, and in billing mode ``flexible`` the anchor stays.

    "When changing a subscription item's price, ``quantity`` is set to 1 unless a ``quantity`` parameter is provided"
    (the library's docstring of ``SubscriptionUpdateParamsItem.price``).
    """
    edits = [edit | _quantity_of_another_price(subscription, edit) for edit in edits]
    for at, edit in enumerate(edits):
        _check_quantity(edit, f"items[{at}][quantity]")
        if not edit.get("id") and not edit.get("price"):
            raise missing(f"items[{at}][price]")
    flexible = subscription["billing_mode"]["type"] == "flexible"
    anchor = (params.get("billing_cycle_anchor") or {}).get("type") or ("unchanged" if flexible else "")
    return changes.update(
        world, subscription, edits, billing_cycle_anchor=anchor, proration_date=params.get("proration_date"),
        proration_behavior=params.get("proration_behavior", "create_prorations"),
        payment_behavior=params.get("payment_behavior", "allow_incomplete"),
        paid=customers.card_works(world, subscription["customer"]),
        requires_action=payment_methods.asks(world, subscription["customer"]),
    )  # fmt: skip


def _quantity_of_another_price(subscription: Json, edit: Json) -> Json:
    if not edit.get("id") or not edit.get("price") or "quantity" in edit:
        return {}
    return {} if changes.item_of(subscription, edit["id"])["price"]["id"] == edit["price"] else {"quantity": 1}


def cancel_subscription(world: World, params: Json, identifier: str) -> Json:
    subscription = world.find("subscription", identifier)
    subscriptions.require_running(subscription)
    comments = params.get("cancellation_details") or {}
    with world.changing(subscription):
        subscription["cancellation_details"] |= {name: value or None for name, value in comments.items()}
    return cancellations.cancel(
        world, subscription, prorate=params.get("prorate", False), invoice_now=params.get("invoice_now", False)
    )


def pause_subscription(world: World, params: Json, identifier: str) -> Json:
    return subscriptions.pause(world, world.find("subscription", identifier))


def resume_subscription(world: World, params: Json, identifier: str) -> Json:
    subscription = world.find("subscription", identifier)
    return trials.resume(world, subscription, paid=customers.card_works(world, subscription["customer"]))


def create_item(world: World, params: Json, _: str) -> Json:
    subscription = world.find("subscription", params["subscription"], param="subscription")
    known = {item["id"] for item in subscription["items"]["data"]}
    change_items(
        world, subscription, [{name: params[name] for name in ("price", "quantity") if name in params}], params
    )
    return next((item for item in subscription["items"]["data"] if item["id"] not in known), subscription)


def _edit(params: Json) -> Json:
    return {name: params[name] for name in ("price", "quantity") if name in params}


def update_item(world: World, params: Json, identifier: str) -> Json:
    subscription, item = _item(world, identifier)
    edit = {"id": identifier} | _edit(params)
    if len(edit) > 1:
        change_items(world, subscription, [edit], params)
        item = changes.item_of(subscription, identifier)
    if "metadata" in params:
        with world.changing(subscription, subscriptions.UPDATED):
            customers.merge_metadata(item, params)
    return item


def retrieve_item(world: World, params: Json, identifier: str) -> Json:
    return _item(world, identifier)[1]


def delete_item(world: World, params: Json, identifier: str) -> Json:
    subscription, _ = _item(world, identifier)
    change_items(world, subscription, [{"id": identifier, "deleted": True}], params)
    return {"id": identifier, "object": "subscription_item", "deleted": True}


def _item(world: World, identifier: str) -> tuple[Json, Json]:
    for subscription in world.store.all("subscription"):
        for item in subscription["items"]["data"]:
            if item["id"] == identifier:
                found = world.find("subscription", subscription["id"])
                return found, changes.item_of(found, identifier)
    raise no_such("subscription_item", identifier)
