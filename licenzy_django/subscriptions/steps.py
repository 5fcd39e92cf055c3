"""What Stripe is asked for a change, step by step, each with a key of its own.

All steps are committed before the first one is taken. Whoever takes them again sends the same bytes with the same keys,
and Stripe answers what it answered before; so a change that died between two steps goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from licenzy_django import clock
from licenzy_django.checkout.pages import in_order
from licenzy_django.models import SubscriptionChange
from licenzy_django.stripe import client
from licenzy_django.subscriptions.phases import schedule_params
from licenzy_django.subscriptions.rules import Item, Items, Price

Step = dict[str, Any]
Answer = dict[str, Any]
Call = Callable[[Any, str, Any, Any], Any]

CALLS: Mapping[str, Call] = {
    "release": lambda v1, name, params, options: v1.subscription_schedules.release(name, params, options),
    "update": lambda v1, name, params, options: v1.subscriptions.update(name, params, options),
    "cancel": lambda v1, name, params, options: v1.subscriptions.cancel(name, params, options),
    "void": lambda v1, name, params, options: v1.invoices.void_invoice(name, params, options),
    "schedule": lambda v1, name, params, options: v1.subscription_schedules.create(params, options),
    "phases": lambda v1, name, params, options: v1.subscription_schedules.update(name, params, options),
}


def release(schedule_id: str) -> list[Step]:
    """A schedule has to go before anything else can be changed; the subscription stays as it is."""
    return [{"call": "release", "id": schedule_id, "params": {}}] if schedule_id else []


def update(subscription_id: str, params: Mapping[str, Any]) -> list[Step]:
    return [{"call": "update", "id": subscription_id, "params": dict(params)}]


def cancel(subscription_id: str) -> list[Step]:
    """Nothing is given back, and nothing more is billed."""
    return [{"call": "cancel", "id": subscription_id, "params": {}}]


def void(invoice_id: str) -> list[Step]:
    """Takes back a change that waits for its payment."""
    return [{"call": "void", "id": invoice_id, "params": {}}] if invoice_id else []


def schedule(subscription_id: str, before: Items, after: Items) -> list[Step]:
    """Two calls: what the first phase is, Stripe says in its answer to the first."""
    items = {"before": [as_json(item) for item in before], "after": [as_json(item) for item in after]}
    return [
        {"call": "schedule", "id": "", "params": {"from_subscription": subscription_id}},
        {"call": "phases", "id": "", "params": {}, "items": items},
    ]


def take(change: SubscriptionChange) -> list[Answer]:
    """Take all steps; returns Stripe's answers.

    Raises StripeUnavailable, StripeRefused: the same call again goes on.
    """
    answers: list[Answer] = []
    for number, step in enumerate(change.steps):
        if step["call"] == "schedule" and change.stripe_schedule_id:
            continue
        answers.append(one(change, number, step))
        if step["call"] == "schedule":
            keep_schedule(change, answers[-1])
    return answers


def one(change: SubscriptionChange, number: int, step: Step) -> Answer:
    options = {"idempotency_key": f"licenzy-change-{change.public_id}-{number}"}
    name = step["id"] or change.stripe_schedule_id
    call = partial(ask, step["call"], name, in_order(step["params"]), options)
    try:
        return client.ask(change.mode, call)
    except (client.StripeRejected, client.StripeObjectMissing):
        if step["call"] == "cancel" and (ended := ended_subscription(change)):
            return ended
        raise


def ask(name: str, stripe_id: str, params: Any, options: Any, stripe: Any) -> Any:
    return CALLS[name](stripe.v1, stripe_id, params, options)


def ended_subscription(change: SubscriptionChange) -> Answer | None:
    """A cancellation is a DELETE, for which Stripe keeps no answer: a second one finds nothing to cancel."""
    subscription = client.fetch_subscription(change.mode, change.stripe_subscription_id)
    return subscription if subscription["status"] == "canceled" else None


def keep_schedule(change: SubscriptionChange, answer: Answer) -> None:
    """Commit the schedule, and what its phases will be."""
    position = next(at for at, step in enumerate(change.steps) if step["call"] == "phases")
    items = {name: tuple(map(from_json, rows)) for name, rows in change.steps[position]["items"].items()}
    params = schedule_params(answer, items["before"], items["after"], change_id=change.public_id)
    change.steps[position]["params"] = params
    change.stripe_schedule_id = answer["id"]
    kept = {"steps": change.steps, "stripe_schedule_id": change.stripe_schedule_id, "updated_at": clock.now()}
    SubscriptionChange.objects.filter(pk=change.pk).update(**kept)


def as_json(item: Item) -> dict[str, Any]:
    price = item.price
    return {
        "id": item.id,
        "price": price.id,
        "quantity": item.quantity,
        "interval": price.interval,
        "interval_count": price.interval_count,
    }


def from_json(item: Mapping[str, Any]) -> Item:
    price = {
        "id": item["price"],
        "recurring": {"interval": item["interval"], "interval_count": item["interval_count"]},
    }
    return Item(item["id"], Price.of(price), item["quantity"])


def objects_in(answers: list[Answer]) -> list[Answer]:
    """Every object that the answers show: each subscription's latest invoice too."""
    latest = [answer["latest_invoice"] for answer in answers if isinstance(answer.get("latest_invoice"), dict)]
    return [*answers, *latest]


def last_subscription(answers: list[Answer]) -> Answer:
    return next((answer for answer in reversed(answers) if answer["object"] == "subscription"), {})
