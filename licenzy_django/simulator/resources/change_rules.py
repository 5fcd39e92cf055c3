"""How a change of a subscription may be billed, and what Stripe refuses together.

docs.stripe.com/billing/subscriptions/prorations, …/pending-updates and …/billing-cycle.
"""

from __future__ import annotations

from typing import TypedDict

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import World
from . import payment_methods, subscriptions

BEHAVIORS = ("none", "create_prorations", "always_invoice")
PAYMENTS = ("allow_incomplete", "error_if_incomplete", "pending_if_incomplete")
CANNOT_WAIT = ("acss_debit", "au_becs_debit", "bacs_debit", "sepa_debit", "us_bank_account")
"""Bank debits: none of them is among the methods of …/pending-updates."""


class Terms(TypedDict, total=False):
    """How a change is billed."""

    proration_behavior: str
    """``none`` (the default of these verbs; Stripe's own is ``create_prorations``), ``create_prorations`` (lines that
    come with the next invoice) or ``always_invoice`` (an invoice at once)."""
    payment_behavior: str
    """``allow_incomplete``: the change shows at once, paid or not. ``pending_if_incomplete``: not before it is paid.
    ``error_if_incomplete``: an unpaid change is refused."""
    billing_cycle_anchor: str
    """``now``: new periods from now, billed at once. ``unchanged``. Left out: ``now`` where the interval changes."""
    proration_date: int | None
    """Within the current period; not with ``billing_cycle_anchor="now"``, whose periods begin when it is asked for."""
    paid: bool
    """Whether the invoice that this makes is paid (the default) or the card is declined."""
    requires_action: bool
    """The card is not declined; the bank asks for 3-D Secure."""


def check(world: World, subscription: Json, edits: list[Json], terms: Terms) -> None:
    subscriptions.require_running(subscription)
    if subscription["status"] == "incomplete":
        raise RefusalError(
            "This subscription is `incomplete`: only its metadata and default source can be updated.",
            code="subscription_payment_intent_requires_action",
        )  # fmt: skip
    for name, known in (("proration_behavior", BEHAVIORS), ("payment_behavior", PAYMENTS)):
        if terms.get(name, known[0]) not in known:
            raise RefusalError(f"The simulator knows {', '.join(known)}.", param=name, code="not_simulated")
    if terms.get("payment_behavior") == "pending_if_incomplete":
        _check_waiting(world, subscription, edits)
    if terms.get("proration_date") is not None:
        _check_date(subscription, terms)


def _check_waiting(world: World, subscription: Json, edits: list[Json]) -> None:
    if subscription["collection_method"] == "send_invoice" or any(edit.get("deleted") for edit in edits):
        raise invalid(
            "`pending_if_incomplete` takes prices and quantities of subscriptions that are charged automatically.",
            "payment_behavior",
        )
    kind = payment_methods.type_charged(world, subscription)
    if kind in CANNOT_WAIT:
        raise invalid(
            f"`pending_if_incomplete` cannot be used with the payment method type `{kind}`.", "payment_behavior"
        )


def _check_date(subscription: Json, terms: Terms) -> None:
    """The first message is Stripe's own.

    A preview's date "must be within the current subscription period … ``proration_behavior`` cannot be set to 'none'"
    (the library's docstring of ``InvoiceCreatePreviewParamsSubscriptionDetails.proration_date``).
    """
    if terms.get("billing_cycle_anchor") == "now":
        raise invalid("You cannot specify `proration_date` when `billing_cycle_anchor=now`", "proration_date")
    if terms.get("proration_behavior", "none") == "none":
        raise invalid("You cannot specify `proration_date` when `proration_behavior=none`", "proration_date")
    items = subscription["items"]["data"]
    start = max(item["current_period_start"] for item in items)
    end = min(item["current_period_end"] for item in items)
    if not start <= (terms.get("proration_date") or 0) <= end:
        raise invalid(
            f"`proration_date` must be within the current period of the subscription: from {start} to {end}.",
            "proration_date",
        )
