"""What a subscription schedule looks like, and each of its phases.

docs.stripe.com/api/subscription_schedules/object
"""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..world import World

_INVOICE_SETTINGS: Json = {
    "account_tax_ids": None, "custom_fields": None, "days_until_due": None, "description": None, "footer": None,
    "issuer": {"type": "self"},
}  # fmt: skip
_DEFAULTS: Json = {
    "application_fee_percent": None, "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor": "automatic", "billing_thresholds": None, "collection_method": "charge_automatically",
    "default_payment_method": None, "description": None, "invoice_settings": _INVOICE_SETTINGS, "on_behalf_of": None,
    "transfer_data": None,
}  # fmt: skip
_OF_A_PHASE: Json = {
    "add_invoice_items": [], "default_tax_rates": [], "discounts": [], "items": [], "metadata": {},
    "proration_behavior": "create_prorations",
} | dict.fromkeys((
    "application_fee_percent", "billing_cycle_anchor", "billing_thresholds", "collection_method",
    "default_payment_method", "description", "invoice_settings", "on_behalf_of", "transfer_data", "trial_end",
))  # fmt: skip


def schedule_of(world: World, subscription: Json) -> Json:
    """A schedule with one phase: the subscription as it is, to the end of its period.

    "A subscription schedule will be created using the subscription's item(s), set to auto-renew using the
    subscription's interval" (the library's docstring of ``SubscriptionScheduleCreateParams.from_subscription``).
    """
    items = subscription["items"]["data"]
    start = max(item["current_period_start"] for item in items)
    end = subscription["cancel_at"] or min(item["current_period_end"] for item in items)
    return {
        "id": world.new_id("sub_sched"),
        "object": "subscription_schedule",
        **dict.fromkeys(("application", "canceled_at", "completed_at", "customer_account", "released_at")),
        "billing_mode": dict(subscription["billing_mode"]),
        "created": world.now,
        "current_phase": {"end_date": end, "start_date": start},
        "customer": subscription["customer"],
        "default_settings": snapshot(_DEFAULTS) | {"collection_method": subscription["collection_method"]},
        "end_behavior": "cancel" if subscription["cancel_at"] else "release",
        "livemode": world.livemode,
        "metadata": {},
        "pause_schedules": [],
        "phases": [phase_of(subscription, start, end)],
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
        "_seen": seen(subscription),
    }


def phase_of(subscription: Json, start: int, end: int) -> Json:
    """The subscription as it is now, as a phase."""
    return phase(
        {
            "currency": subscription["currency"],
            "default_payment_method": subscription["default_payment_method"],
            "description": subscription["description"],
            "discounts": [{"discount": identifier} for identifier in subscription["discounts"]],
            "items": [
                {"price": item["price"]["id"], "quantity": item["quantity"], "metadata": dict(item["metadata"])}
                for item in subscription["items"]["data"]
            ],
            "metadata": dict(subscription["metadata"]),
            "trial_end": subscription["trial_end"] if subscription["status"] == "trialing" else None,
        },
        start, end,
    )  # fmt: skip


def phase(wanted: Json, start: int, end: int) -> Json:
    """``wanted`` as in the API. What it leaves out is not there: a phase replaces everything."""
    kept: Json = {name: wanted[name] for name in wanted if name in _OF_A_PHASE or name == "currency"}
    shown: Json = snapshot(_OF_A_PHASE) | kept | {"start_date": start, "end_date": end}
    shown["items"] = [_item(entry) for entry in shown["items"]]
    shown["discounts"] = [
        dict.fromkeys(("coupon", "discount", "promotion_code")) | entry for entry in shown["discounts"] or []
    ]
    return shown


def _item(wanted: Json) -> Json:
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": dict(wanted.get("metadata") or {}),
        "plan": wanted["price"],
        "price": wanted["price"],
        "quantity": wanted.get("quantity", 1),
        "tax_rates": [],
    }


def bounds(phase: Json) -> Json:
    return {"end_date": phase["end_date"], "start_date": phase["start_date"]}


def current(schedule: Json) -> Json:
    """The phase that runs now."""
    start = schedule["current_phase"]["start_date"]
    phases: list[Json] = schedule["phases"]
    return next(entry for entry in phases if entry["start_date"] == start)


def seen(subscription: Json) -> Json:
    """What a phase says of its subscription: a later difference was made directly."""
    items = {item["price"]["id"]: item["quantity"] for item in subscription["items"]["data"]}
    names = ("default_payment_method", "description", "discounts", "metadata")
    return {"items": items} | {name: snapshot(subscription[name]) for name in names}
