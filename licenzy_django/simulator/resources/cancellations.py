"""The end of a subscription now, with what is left of its time given back or not.

docs.stripe.com/api/subscriptions/cancel: ``prorate`` and ``invoice_now`` are false there by default.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError
from ..world import World
from . import billing, customers, subscriptions
from .prorations import credits_of


def cancel(world: World, subscription: Json, *, prorate: bool = False, invoice_now: bool = False) -> Json:
    """``prorate`` "credits remaining unused time until the subscription period end"; ``invoice_now`` makes "a final
    invoice" of that and of the prorations that wait."""
    subscriptions.require_running(subscription)
    if prorate and not invoice_now:
        raise RefusalError(
            "Stripe would keep the credit for the customer's next invoice, which the simulator does not do: pass "
            "`invoice_now`.", param="prorate", code="not_simulated",
        )  # fmt: skip
    lines = _final_lines(world, subscription, prorate=prorate) if invoice_now else []
    if lines:
        invoice = billing.bill(world, subscription, "subscription_update", lines, subscriptions.period_of(subscription))
        billing.charge(world, invoice, paid=customers.card_works(world, subscription["customer"]))
    return subscription if subscription["status"] == "canceled" else subscriptions.cancel(world, subscription)


def _final_lines(world: World, subscription: Json, *, prorate: bool) -> list[Json]:
    waiting: list[Json] = subscription.get("_prorations", [])
    if not prorate or subscription["status"] not in ("active", "past_due"):
        found = waiting
    else:
        items = subscription["items"]["data"]
        found = waiting + [line for item in items for line in credits_of(world, subscription, item, world.now)]
    subscription.pop("_prorations", None)
    return found
