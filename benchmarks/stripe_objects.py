"""What Stripe would send: the same subscriptions, invoices and events for every side.

Subscriber ``number`` has customer ``cus_<number>`` and subscription ``sub_<number>``, renewed month after month: the
``period`` counts from 0. Both shapes at once: dj-stripe 2.11.0 reads ``current_period_end`` on the subscription, where
it stood before basil; since then Stripe writes it on the item.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Any

Json = dict[str, Any]

API_VERSION = "2026-05-27.dahlia"
WEBHOOK_SECRET = "whsec_of_the_benchmark"
SECRET_KEY = "sk_test_ofTheBenchmark0123456789abcdef"
PRICE, PRODUCT = "price_pro_monthly", "prod_pro"
MONTH = 30 * 86_400
BEGAN = int(os.environ.setdefault("BENCH_BEGAN", str(int(time.time()) - 5 * 86_400)))


def starts_at(period: int) -> int:
    """Period 0 began five days ago, in every process that the first one starts."""
    return BEGAN + period * MONTH


def price() -> Json:
    return {
        "id": PRICE,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": BEGAN,
        "currency": "eur",
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": PRODUCT,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "tiers_mode": None,
        "type": "recurring",
        "unit_amount": 1900,
        "unit_amount_decimal": "1900",
    }


def product() -> Json:
    return {"id": PRODUCT, "object": "product", "active": True, "name": "Pro", "type": "service", "livemode": False}


def subscription(number: int, period: int) -> Json:
    span = {"current_period_start": starts_at(period), "current_period_end": starts_at(period + 1)}
    item = {
        "id": f"si_{number}",
        "object": "subscription_item",
        "created": BEGAN,
        "metadata": {},
        "price": price(),
        "quantity": 1,
        "subscription": f"sub_{number}",
        "tax_rates": [],
        **span,
    }
    return {
        "id": f"sub_{number}",
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False},
        "billing_cycle_anchor": BEGAN,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "created": BEGAN,
        "currency": "eur",
        "customer": f"cus_{number}",
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "items": {
            "object": "list",
            "data": [item],
            "has_more": False,
            "total_count": 1,
            "url": "/v1/subscription_items",
        },
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": BEGAN,
        "status": "active",
        "test_clock": None,
        "trial_end": None,
        "trial_start": None,
        **span,
    }


def invoice(number: int, period: int) -> Json:
    paid_at = starts_at(period)
    line = {
        "id": f"il_{number}_{period}",
        "object": "line_item",
        "amount": 1900,
        "currency": "eur",
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"subscription": f"sub_{number}", "subscription_item": f"si_{number}"},
        },
        "period": {"start": starts_at(period), "end": starts_at(period + 1)},
        "pricing": {"type": "price_details", "price_details": {"price": PRICE, "product": PRODUCT}},
        "quantity": 1,
    }
    payment = {
        "id": f"inpay_{number}_{period}",
        "object": "invoice_payment",
        "invoice": f"in_{number}_{period}",
        "is_default": True,
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{number}_{period}"},
        "status": "paid",
    }
    return {
        "id": f"in_{number}_{period}",
        "object": "invoice",
        "amount_due": 1900,
        "amount_paid": 1900,
        "amount_remaining": 0,
        "attempt_count": 1,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": paid_at,
        "currency": "eur",
        "customer": f"cus_{number}",
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "lines": {"object": "list", "data": [line], "has_more": False, "url": "/v1/invoices/lines"},
        "livemode": False,
        "metadata": {},
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": f"sub_{number}"}},
        "payments": {"object": "list", "data": [payment], "has_more": False, "url": "/v1/invoice_payments"},
        "period_end": starts_at(period),
        "period_start": starts_at(period - 1),
        "status": "paid",
        "status_transitions": {"finalized_at": paid_at, "paid_at": paid_at},
        "subtotal": 1900,
        "total": 1900,
        "total_tax_amounts": [],
    }


def payment_intent(number: int, period: int) -> Json:
    return {
        "id": f"pi_{number}_{period}",
        "object": "payment_intent",
        "amount": 1900,
        "currency": "eur",
        "customer": f"cus_{number}",
        "description": "Subscription update",
        "last_payment_error": None,
        "livemode": False,
        "metadata": {},
        "payment_method_types": ["card"],
        "status": "succeeded",
    }


EVENT_OBJECTS = {"customer.subscription.updated": subscription, "invoice.paid": invoice}


def event(event_type: str, number: int, period: int) -> Json:
    """A renewal, as ``event_type`` tells of it."""
    return event_about(EVENT_OBJECTS[event_type](number, period), event_type, f"evt_{event_type}_{number}_{period}")


def event_about(stripe_object: Json, event_type: str, event_id: str) -> Json:
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": stripe_object},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }


def answer(path: str) -> Json:
    """What Stripe answers to a GET: always the state after the renewal that is being told of."""
    _, _, kind, stripe_id = path.split("?")[0].split("/")
    number, period = (int(part) for part in f"{stripe_id}_0".split("_")[1:3])
    if kind == "subscriptions":
        return subscription(number, told_period[number])
    makers = {"invoices": invoice, "payment_intents": payment_intent}
    return makers[kind](number, period)


class ToldPeriod(dict[int, int]):
    """The period that Stripe has reached for each subscriber: the one that the last event told of."""

    def __missing__(self, number: int) -> int:
        return int(os.environ.get("BENCH_PERIOD", "0"))


told_period = ToldPeriod()


def signed(event: Json) -> tuple[bytes, str]:
    """The body of a webhook request, and its Stripe-Signature header."""
    body = json.dumps(event).encode()
    now = int(time.time())
    digest = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={now},v1={digest}"
