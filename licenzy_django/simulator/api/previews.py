"""Invoices that are not made: what the next one will be, or what a change will cost.

Everything runs through the code that makes real invoices, on a store that is thrown away.
docs.stripe.com/api/invoices/create_preview
"""

from __future__ import annotations

import math

from ..due import next_change_at
from ..json_tree import Json
from ..refusals import RefusalError, invalid, missing
from ..resources import cancellations, customers, managed, subscriptions
from ..timeline import perform
from ..whatif import drafted, scratch_of
from ..world import World
from . import subscription_operations as subs

_MOST_STEPS = 100
_OF_A_NEW_ONE = ("cancel_at", "cancel_at_period_end", "items", "proration_behavior", "trial_end")


def create(world: World, params: Json, _: str) -> Json:
    """The invoice that the change makes at once; where it makes none, the one of the next renewal after the change.

    "If not provided, but a ``subscription_details.items`` is provided, you will preview creating a subscription with
    those items. If neither … is provided, you will retrieve the next upcoming invoice from among the customer's
    subscriptions" (the library's docstring of ``InvoiceCreatePreviewParams.subscription``).
    """
    scratch = scratch_of(world)
    wanted = params.get("subscription_details") or {}
    if params.get("subscription"):
        subscription = _existing(scratch, params)
        _check_change(wanted)
        if wanted.get("cancel_now"):
            _cancel_now(scratch, subscription, wanted)
        elif wanted:
            subs.update_subscription(scratch, wanted, subscription["id"])
    elif not params.get("customer"):
        raise missing("customer")
    elif wanted.get("items"):
        subscription = _new(scratch, params["customer"], wanted)
    else:
        subscription = _next_of_customer(scratch, params["customer"])
    return drafted(scratch) or _next_invoice(scratch, subscription)


def _cancel_now(scratch: World, subscription: Json, wanted: Json) -> None:
    """The final invoice, with a credit unless ``proration_behavior`` is ``none``."""
    for name in wanted.keys() - {"cancel_now", "proration_behavior"}:
        raise invalid(f"`{name}` goes not with `cancel_now`.", f"subscription_details[{name}]")
    prorate = wanted.get("proration_behavior") != "none"
    cancellations.cancel(scratch, subscription, prorate=prorate, invoice_now=True)


def _existing(scratch: World, params: Json) -> Json:
    subscription = scratch.find("subscription", params["subscription"], param="subscription")
    subscriptions.require_running(subscription)
    if params.get("customer", subscription["customer"]) != subscription["customer"]:
        raise invalid(
            f"The customer {params['customer']} does not have a subscription with the ID {subscription['id']}.",
            "subscription", "resource_missing",
        )  # fmt: skip
    return subscription


def _check_change(wanted: Json) -> None:
    """``proration_date``: "If set, ``subscription``, and one of ``subscription_details.items``, or
    ``subscription_details.trial_end`` are required"."""
    if "proration_date" in wanted and not (wanted.get("items") or wanted.get("trial_end")):
        raise invalid("`proration_date` needs `items` or `trial_end`.", "subscription_details[proration_date]")
    if isinstance(wanted.get("trial_end"), int):
        path = "subscription_details[trial_end]"
        raise RefusalError("The simulator ends a trial now or when it ends.", param=path, code="not_simulated")


def _new(scratch: World, customer: str, wanted: Json) -> Json:
    for name in wanted.keys() - set(_OF_A_NEW_ONE):
        raise invalid(f"`{name}` is for an existing subscription.", f"subscription_details[{name}]")
    asked: Json = wanted | {"customer": customer, "payment_behavior": "default_incomplete"}
    return subs.create_subscription(scratch, asked, "")


def _next_of_customer(scratch: World, ref: str) -> Json:
    customer = customers.existing(scratch, ref, param="customer")
    found = scratch.store.all("subscription", customer=customer["id"])
    running = [subscription for subscription in found if subscription["status"] not in subscriptions.ENDED]
    if not running:
        raise _none(customer["id"])
    return min(running, key=lambda subscription: next_change_at(subscription) or math.inf)


def _next_invoice(scratch: World, subscription: Json) -> Json:
    """Time goes on for this subscription alone until it makes an invoice."""
    for _ in range(_MOST_STEPS):
        schedule = managed.schedule_of(scratch, subscription)
        due = [(at, thing) for thing in (schedule, subscription) if thing and (at := next_change_at(thing)) is not None]
        if not due:
            break
        perform(scratch, min(due, key=lambda pair: pair[0])[1])
        if found := drafted(scratch):
            return found
    raise _none(subscription["customer"])


def _none(customer: str) -> RefusalError:
    return RefusalError(f"No upcoming invoices for customer: '{customer}'", status=404, code="invoice_upcoming_none")
