"""What Stripe is asked for a change. Pure."""

from __future__ import annotations

from typing import Any

from licenzy_django.subscriptions.rules import Item, Items, pairs, restarts

Params = dict[str, Any]


def edits(before: Items, after: Items) -> list[Params]:
    """The items as ``subscriptions.update`` takes them: only those that change."""
    found = [{"id": old.id, **as_params(new)} for old, new in pairs(before, after) if old != new]
    kept = {item.id for item in after}
    gone = [{"id": item.id, "deleted": True} for item in before if item.id not in kept]
    return [*found, *gone, *(as_params(item) for item in after if not item.id)]


def as_params(item: Item) -> Params:
    # With another price and no quantity Stripe takes one.
    return {"price": item.price.id, "quantity": item.quantity}


def update_params(before: Items, after: Items, *, is_trial: bool, proration_date: int) -> Params:
    """A change now: billed at once, and not there before it is paid (during a trial nothing is billed).

    Beside ``pending_if_incomplete`` Stripe takes few parameters: these are among them.
    https://docs.stripe.com/billing/subscriptions/pending-updates-reference#supported-attributes
    """
    return {"items": edits(before, after), **terms(before, after, is_trial=is_trial, proration_date=proration_date)} | (
        {"expand": ["latest_invoice"]} | ({} if is_trial else {"payment_behavior": "pending_if_incomplete"})
    )


def terms(before: Items, after: Items, *, is_trial: bool, proration_date: int) -> Params:
    """How a change now is billed, the same for the preview as for the change itself.

    Periods that begin anew begin when Stripe is asked: it takes no ``proration_date`` beside that.
    """
    if is_trial:
        return {"proration_behavior": "none"}
    moment = {"proration_date": proration_date}
    anchor = {"billing_cycle_anchor": {"type": "now"}}
    return {"proration_behavior": "always_invoice", **(anchor if restarts(before, after) else moment)}


def preview_params(subscription_id: str, before: Items, after: Items, *, proration_date: int) -> Params:
    """What is due for a change now: https://docs.stripe.com/api/invoices/create_preview"""
    billed = terms(before, after, is_trial=False, proration_date=proration_date)
    return {"subscription": subscription_id, "subscription_details": {"items": edits(before, after), **billed}}


def renewal_params(subscription_id: str, before: Items, after: Items, *, is_trial: bool = False) -> Params:
    """What the next whole period costs afterwards."""
    details: Params = {"items": edits(before, after), "proration_behavior": "none"}
    if restarts(before, after) and not is_trial:
        details["billing_cycle_anchor"] = {"type": "now"}
    return {"subscription": subscription_id, "subscription_details": details}


def removal_params(item_id: str) -> Params:
    """An add-on ends now; nothing is given back, as when a whole subscription is canceled now."""
    removed = [{"id": item_id, "deleted": True}]
    return {"items": removed, "proration_behavior": "none", "expand": ["latest_invoice"]}


def resume_params(subscription: dict[str, Any]) -> Params:
    """Clears the one of the two cancellations that is set; both in one call is refused."""
    cleared: Params = {"cancel_at_period_end": False} if subscription.get("cancel_at_period_end") else {"cancel_at": ""}
    return {**cleared, "expand": ["latest_invoice"]}
