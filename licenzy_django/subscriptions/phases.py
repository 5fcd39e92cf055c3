"""The two phases of a change at the period's end: the current one as it is, and the one after it. Pure.

An update replaces the phases whole: what is not said again is lost, so everything that a phase can have is copied.
https://docs.stripe.com/billing/subscriptions/subscription-schedules
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from licenzy_django.stripe.objects.fields import id_of
from licenzy_django.subscriptions.rules import Items, pairs, restarts

Json = Mapping[str, Any]
Params = dict[str, Any]

METADATA_KEY = "licenzy_change"


def schedule_params(schedule: Json, before: Items, after: Items, *, change_id: str) -> Params:
    """``subscription_schedules.update``, after ``from_subscription`` has made the first phase.

    At the end of its second phase, which is one period long, Stripe releases the subscription, which goes on.
    """
    now = schedule["phases"][-1]
    rhythm = after[0].price
    first = {**copied(now), "start_date": now["start_date"], "end_date": now["end_date"]}
    if now.get("trial_end"):
        first["trial_end"] = now["trial_end"]
    second = {
        **copied(now),
        "items": items_of(now, before, after),
        "duration": {"interval": rhythm.interval, "interval_count": rhythm.interval_count},
        "proration_behavior": "none",
    }
    if restarts(before, after):
        second["billing_cycle_anchor"] = "phase_start"
    return {
        "end_behavior": "release",
        "metadata": {METADATA_KEY: change_id},
        "phases": [first, second],
        "proration_behavior": "none",
    }


def items_of(phase: Json, before: Items, after: Items) -> list[Params]:
    """The items of the phase after: what stays keeps its discounts, metadata and tax rates."""
    known = {id_of(item.get("price")): item for item in phase["items"]}
    old_price = {new.id: old.price.id for old, new in pairs(before, after)}
    return [
        {
            **copied_item(known.get(old_price.get(item.id, ""), {})),
            "price": item.price.id,
            "quantity": item.quantity,
        }
        for item in after
    ]


def copied_item(item: Json) -> Params:
    return said(
        {
            "price": id_of(item.get("price")),
            "quantity": item.get("quantity"),
            "discounts": [discount(each) for each in item.get("discounts") or []],
            "metadata": item.get("metadata"),
            "tax_rates": ids(item.get("tax_rates")),
            "billing_thresholds": item.get("billing_thresholds"),
        }
    )


def copied(phase: Json) -> Params:
    """A phase as a parameter, but for its times."""
    found = {name: phase.get(name) for name in AS_IT_IS}
    found |= {name: copy(phase[name]) for name, copy in COPIES.items() if phase.get(name)}
    return said(found)


def said(params: Params) -> Params:
    """Without what was not set. An empty list or text would clear what is inherited."""
    return {name: value for name, value in params.items() if value not in (None, "", [], {})}


def ids(objects: Any) -> list[str]:
    return [id_of(each) for each in objects or []]


def discount(given: Json) -> Params:
    """The discount itself, so that a coupon goes on and is not redeemed anew; else what it was made from."""
    for name in ("discount", "promotion_code", "coupon"):
        if found := id_of(given.get(name)):
            return {name: found}
    return {}


def automatic_tax(given: Json) -> Params:
    return said({"enabled": given.get("enabled"), "liability": liable(given.get("liability") or {})})


def liable(given: Json) -> Params:
    return said({"type": given.get("type"), "account": id_of(given.get("account"))})


def invoice_settings(given: Json) -> Params:
    return said(
        {
            "account_tax_ids": ids(given.get("account_tax_ids")),
            "custom_fields": [dict(each) for each in given.get("custom_fields") or []],
            "days_until_due": given.get("days_until_due"),
            "description": given.get("description"),
            "footer": given.get("footer"),
            "issuer": liable(given.get("issuer") or {}),
        }
    )


def transfer_data(given: Json) -> Params:
    return said({"destination": id_of(given.get("destination")), "amount_percent": given.get("amount_percent")})


AS_IT_IS = ("application_fee_percent", "billing_thresholds", "collection_method", "description", "metadata")
COPIES: Mapping[str, Callable[[Any], Any]] = {
    "automatic_tax": automatic_tax,
    "default_payment_method": id_of,
    "default_tax_rates": ids,
    "discounts": lambda discounts: [discount(each) for each in discounts],
    "invoice_settings": invoice_settings,
    "items": lambda items: [copied_item(each) for each in items],
    "on_behalf_of": id_of,
    "transfer_data": transfer_data,
}
OURS = ("billing_cycle_anchor", "duration", "end_date", "proration_behavior", "start_date", "trial_end")
"""What a phase of ours says by itself."""
NOT_COPIED = ("add_invoice_items", "currency", "trial")
"""Billed once when the phase began; that of the prices; said by ``trial_end``."""
