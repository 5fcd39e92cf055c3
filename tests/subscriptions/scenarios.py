"""One change of each kind, and all that there is to see of it afterwards, here and at Stripe."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from licenzy_django import subscriptions
from licenzy_django.models import Entitlement, StripeFact, SubscriptionChange
from licenzy_django.testing import StripeDouble

SOLD: dict[str, Any] = {
    "PRO": {"amount": 1900, "group": "plans"},
    "MAX": {"amount": 2900, "group": "plans"},
    "MORE": {"amount": 500, "is_add_on": True},
}
Act = Callable[[str, str], Any]
"""Takes the subject and the key."""


@dataclass(frozen=True)
class Scenario:
    """What was done before, and the change itself."""

    act: Act
    before: Act = lambda subject, key: None


def change(to: str = "MAX", **more: Any) -> Act:
    code = more.pop("code", "PRO")
    return lambda subject, key: subscriptions.change(subject, code, to_product_code=to, idempotency_key=key, **more)


def cancel(code: str = "PRO", when: str = "period_end") -> Act:
    return lambda subject, key: subscriptions.cancel(subject, code, when=when, idempotency_key=key)


def resume(subject: str, key: str) -> Any:
    return subscriptions.resume(subject, "PRO", idempotency_key=key)


NOW = {
    "upgrade": Scenario(change()),
    "add-on": Scenario(change("", add={"MORE": 2})),
    "cancel": Scenario(cancel()),
    "cancel now": Scenario(cancel(when="now")),
    "remove an add-on now": Scenario(cancel("MORE", "now"), change("", add={"MORE": 2})),
    "resume": Scenario(resume, cancel()),
}
SCHEDULED = {
    "fewer seats": Scenario(change("", quantity=1), change("", quantity=3)),
    "remove an add-on": Scenario(cancel("MORE"), change("", add={"MORE": 2})),
    "take a change back": Scenario(resume, change(when="period_end")),
    "cancel instead": Scenario(cancel(), change(when="period_end")),
}
EACH = NOW | SCHEDULED


def begun(stripe: StripeDouble, scenario: Scenario, *subjects: str) -> None:
    """They have PRO for ten days, and what the scenario begins with."""
    for subject in subjects:
        stripe.buy(subject, "PRO")
    stripe.advance(days=10)
    for subject in subjects:
        scenario.before(subject, f"earlier-{subject}")
    stripe.deliver()


def asked_for(stripe: StripeDouble, act: Callable[[], Any]) -> list[tuple[str, str]]:
    """What Stripe was asked meanwhile, each once, with ``*`` for ids."""
    before = len(stripe.requests)
    act()
    asked = [(each.method, re.sub(r"/[a-z]+_[^/]*\d[^/]*", "/*", each.path)) for each in stripe.requests[before:]]
    return list(dict.fromkeys(asked))


def seen(stripe: StripeDouble, subject: str) -> dict[str, Any]:
    """What became of it, but for ids."""
    stripe.deliver()
    name = StripeFact.objects.get(object="subscription", subject__subject_ref=subject).stripe_id
    subscription = stripe.simulator.get("subscription", name)
    customer = subscription["customer"]
    return {
        "status": subscription["status"],
        "items": [(item["price"]["id"], item["quantity"]) for item in subscription["items"]["data"]],
        "ends": (subscription["cancel_at"], subscription["cancel_at_period_end"]),
        "waits": bool(subscription["pending_update"]),
        "is scheduled": bool(subscription.get("schedule")),
        "schedules": [
            schedule_seen(each)
            for each in stripe.simulator.all("subscription_schedule")
            if each["customer"] == customer
        ],
        "invoices": [
            (each["billing_reason"], each["total"], each["status"])
            for each in stripe.simulator.all("invoice")
            if each["customer"] == customer
        ],
        "entitlements": sorted(map(entitlement_seen, Entitlement.objects.filter(subject_ref=subject))),
        "answers": sorted(
            (row.verb, row.outcome, row.status, row.taken_back_at is None)
            for row in SubscriptionChange.objects.filter(subject__subject_ref=subject)
        ),
    }


def schedule_seen(schedule: dict[str, Any]) -> Any:
    phases = [
        (phase["start_date"], [(item["price"], item["quantity"]) for item in phase["items"]])
        for phase in schedule["phases"]
    ]
    return schedule["status"], phases


def entitlement_seen(row: Entitlement) -> tuple[Any, ...]:
    return row.product.code, row.quantity, row.status, str(row.cancel_at), str(row.changes_at), row.changes_quantity
