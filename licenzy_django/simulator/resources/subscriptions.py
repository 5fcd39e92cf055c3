"""Subscriptions: their birth, their end, and the states in between."""

from __future__ import annotations

from typing import Literal

from ..json_tree import Json, snapshot
from ..refusals import RefusalError, invalid
from ..world import DAY, World
from . import invoices, managed, subscription_items

UPDATED = "customer.subscription.updated"
ENDED = ("canceled", "incomplete_expired")


_FIXED: Json = {
    "object": "subscription", "cancel_at_period_end": False, "collection_method": "charge_automatically",
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_schedules": [], "default_tax_rates": [], "discounts": [],
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "invoice_settings": {
        "account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": {"type": "self"},
    },
    "payment_settings": {
        "payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off",
    },
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    "_has_payment_method": True, "_trial_end_told": False,
} | dict.fromkeys((
    "application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds", "cancel_at",
    "canceled_at", "customer_account", "days_until_due", "default_payment_method", "default_source", "description",
    "ended_at", "latest_invoice", "managed_payments", "next_pending_invoice_item_invoice", "on_behalf_of",
    "pause_collection", "pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule",
    "status_details", "test_clock", "transfer_data",
))  # fmt: skip


def build(
    world: World, customer: str, lines: list[tuple[Json, int]], *, metadata: Json, status: str,
    billing_mode: str = "flexible", trial_end: int | None = None, anchor: int | None = None,
    start_date: int | None = None,
) -> Json:  # fmt: skip
    """A stored subscription that nothing has been told of yet. ``anchor`` by default now, or the trial's end."""
    subscription_id = world.new_id("sub")
    url = f"/v1/subscription_items?subscription={subscription_id}"
    subscription: Json = {
        "id": subscription_id,
        **snapshot(_FIXED),
        "billing_cycle_anchor": anchor or trial_end or world.now,
        "billing_mode": {"type": billing_mode, "flexible": None},
        "created": world.now,
        "currency": lines[0][0]["currency"],
        "customer": customer,
        "items": {"object": "list", "data": [], "has_more": False, "total_count": 0, "url": url},
        "livemode": world.livemode,
        "metadata": dict(metadata),
        "start_date": start_date or world.now,
        "status": status,
        "test_clock": (world.store.get("customer", customer) or {}).get("test_clock"),
        "trial_end": trial_end,
        "trial_start": world.now if trial_end else None,
    }
    subscription_items.put(
        subscription, [subscription_items.new(world, subscription, price, quantity) for price, quantity in lines]
    )
    return world.add(subscription)


def period_of(subscription: Json) -> tuple[int, int]:
    """From the first start to the last end over all items."""
    items = subscription["items"]["data"]
    return min(item["current_period_start"] for item in items), max(item["current_period_end"] for item in items)


def require_running(subscription: Json) -> None:
    if subscription["status"] in ENDED:
        raise RefusalError(
            f"No such subscription: '{subscription['id']}'", status=404, code="resource_missing", param="id"
        )


def set_status(world: World, subscription: Json, status: str) -> None:
    if subscription["status"] != status:
        with world.changing(subscription, UPDATED):
            subscription["status"] = status


def cancel(world: World, subscription: Json, *, reason: str = "cancellation_requested") -> Json:
    """Ends it now and for good; told as ``customer.subscription.deleted``."""
    require_running(subscription)
    with world.changing(subscription):
        subscription["status"] = "canceled"
        subscription["ended_at"] = world.now
        subscription["canceled_at"] = subscription["canceled_at"] or world.now
        subscription["cancellation_details"]["reason"] = subscription["cancellation_details"]["reason"] or reason
        subscription["pending_update"] = None
    _stop_collecting(world, subscription)
    managed.end_with(world, subscription, reason)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def _stop_collecting(world: World, subscription: Json) -> None:
    invoice = world.store.get("invoice", subscription["latest_invoice"] or "")
    if invoice and invoice["auto_advance"]:
        with world.changing(invoice):
            invoice |= {"auto_advance": False, "next_payment_attempt": None}


def cancel_at_period_end(world: World, subscription: Json, *, way: Literal["", "flexible", "classic"] = "") -> Json:
    """``flexible`` (as the portal does) sets ``cancel_at`` alone, ``classic`` both; by default as it is billed.

    Of several intervals the portal takes the last end, ``cancel_at_period_end`` the first (…/mixed-interval).
    """
    require_running(subscription)
    managed.refuse_cancellation(world, subscription)
    way = way or subscription["billing_mode"]["type"]
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    with world.changing(subscription, UPDATED):
        subscription["cancel_at"] = min(ends) if way == "classic" else max(ends)
        subscription["cancel_at_period_end"] = way == "classic"
        _note_cancellation(world, subscription)
    return subscription


def cancel_at(world: World, subscription: Json, at: int) -> Json:
    require_running(subscription)
    managed.refuse_cancellation(world, subscription)
    if at <= world.now:
        raise invalid("cancel_at must be a timestamp in the future.", "cancel_at")
    with world.changing(subscription, UPDATED):
        subscription |= {"cancel_at": at, "cancel_at_period_end": False}
        _note_cancellation(world, subscription)
    return subscription


def _note_cancellation(world: World, subscription: Json) -> None:
    subscription["canceled_at"] = world.now
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


def uncancel(world: World, subscription: Json) -> Json:
    """Takes a scheduled cancellation back."""
    require_running(subscription)
    managed.refuse_cancellation(world, subscription)
    with world.changing(subscription, UPDATED):
        subscription |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        subscription["cancellation_details"]["reason"] = None
    return subscription


def pause(world: World, subscription: Json, *, why: str = "subscription") -> Json:
    """Status ``paused``: no service, no invoices, until resumed."""
    require_running(subscription)
    with world.changing(subscription, UPDATED):
        subscription["status"] = "paused"
        subscription["status_details"] = {"paused": {"type": why, "transitioned_at": world.now}}
    world.emit("customer.subscription.paused", subscription)
    return subscription


def pause_collection(
    world: World, subscription: Json, *, behavior: str = "keep_as_draft", resumes_at: int | None = None
) -> Json:
    """No money is collected; the status does not change."""
    require_running(subscription)
    with world.changing(subscription, UPDATED):
        subscription["pause_collection"] = {"behavior": behavior, "resumes_at": resumes_at}
    return subscription


def unpause_collection(world: World, subscription: Json) -> Json:
    with world.changing(subscription, UPDATED):
        subscription["pause_collection"] = None
    return subscription


def expire_incomplete(world: World, subscription: Json) -> Json:
    """The first payment did not come within 23 hours. Told as *updated*, not as *deleted*; "the invoice becomes
    ``void``" (docs.stripe.com/billing/subscriptions/overview).
    """
    with world.changing(subscription, UPDATED):
        subscription |= {"status": "incomplete_expired", "ended_at": world.now, "canceled_at": world.now}
    invoice = world.store.get("invoice", subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open":
        invoices.void(world, invoice)
    return subscription


def trial_end(world: World, wanted: Json) -> int | None:
    """When the trial ends that ``subscription_data`` asks for.

    A price's own ``trial_period_days`` counts only with ``trial_from_plan``, which Checkout does not have (the
    library's docstring of ``SubscriptionCreateParams.trial_from_plan``).
    """
    if isinstance(wanted.get("trial_end"), int):
        return int(wanted["trial_end"])
    days = int(wanted.get("trial_period_days") or 0)
    return world.now + days * DAY if days else None


def warn_of_trial_end(world: World, subscription: Json) -> Json:
    """Three days before the trial "is scheduled to end, or when a trial is ended immediately"
    (docs.stripe.com/api/events/types#event_types-customer.subscription.trial_will_end).
    """
    with world.changing(subscription):
        subscription["_trial_end_told"] = True
    world.emit("customer.subscription.trial_will_end", subscription)
    return subscription
