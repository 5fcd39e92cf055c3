"""Facts in, rights out: pure, without clock, database or order. What each Stripe fact does to an entitlement.

All times are Unix seconds, UTC. A right says what the facts allow; whether it is available now is asked of the clock
at the moment of the question (``access.standing_of``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from licenzy_django.entitlements.paid_periods import current_periods, first_use_of
from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.entitlements.terms import Terms
from licenzy_django.stripe.translate import Fact, State, paid_at_of

DAY = 86_400
ENDED = frozenset({"canceled", "incomplete_expired"})
CLOSED_STATUSES = frozenset({"paid", "void", "uncollectible"})


@dataclass(frozen=True, slots=True)
class EntitlementState:
    """What one entitlement row should say."""

    source_id: str
    product_id: int
    price: str
    status: str
    status_reason: str = ""
    grants_access: bool = False
    quantity: int = 1
    starts_at: int | None = None
    expires_at: int | None = None
    current_period_end: int | None = None
    cancel_at: int | None = None
    canceled_at: int | None = None
    not_before: int | None = None
    available_until: int | None = None
    units_granted: int = 0


# --- bought once -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Purchase:
    """A Checkout session of ours in payment mode, with the price and the terms of its attempt.

    Attributes:
        revoked_at: when an operator took away what it bought.
    """

    session: Fact
    price: str
    terms: Terms
    revoked_at: int | None = None

    @property
    def paid_at(self) -> int | None:
        return paid_at_of(self.session)

    @property
    def quantity(self) -> int:
        """As Stripe's line items have it, since the customer may change it on the page; other prices do not count."""
        lines = self.session.state.get("lines") or []
        return sum(line["quantity"] for line in lines if line["price"] == self.price)


def derive_purchases(purchases: Iterable[Purchase], facts: Sequence[Fact]) -> list[EntitlementState]:
    """The rights of one subject's purchases of one product: packs add up, passes are stacked end to end.

    Args:
        purchases: the sessions, in any order; unpaid ones give nothing.
        facts: the refunds, disputes and charges of their payments, in any order, and others.
    """
    paid = sorted(
        (purchase for purchase in purchases if purchase.paid_at is not None and purchase.quantity > 0),
        key=lambda purchase: (purchase.paid_at, purchase.session.stripe_id),
    )
    payments = Payments(facts)
    states: list[EntitlementState] = []
    free_from = 0
    for purchase in paid:
        reversal = payments.reversal_of_session(purchase.session)
        derived = purchase_state(purchase, reversal, free_from)
        states.append(derived)
        if purchase.terms.kind == "time_pass":
            free_from = max(free_from, end_of_use(derived, reversal, purchase.revoked_at))
    return states


def purchase_state(purchase: Purchase, reversal: Reversal | None, free_from: int) -> EntitlementState:
    terms, paid_at = purchase.terms, purchase.paid_at
    assert paid_at is not None
    is_pass = terms.kind == "time_pass"
    starts_at = max(paid_at, free_from) if is_pass else paid_at
    days = (terms.duration_days or 0) * purchase.quantity if is_pass else terms.valid_days
    expires_at = None if days is None else starts_at + days * DAY
    derived = EntitlementState(
        source_id=purchase.session.stripe_id,
        product_id=terms.product_id,
        price=purchase.price,
        status="active",
        grants_access=True,
        quantity=purchase.quantity,
        starts_at=starts_at,
        expires_at=expires_at,
        # A pass that starts when it was paid is not held back: our clock may be seconds behind Stripe's.
        not_before=starts_at if starts_at > paid_at else None,
        available_until=expires_at,
        units_granted=(terms.units or 0) * purchase.quantity,
    )
    if reversal is None:
        return derived
    status = "suspended" if reversal.is_open else "canceled"
    canceled_at = None if reversal.is_open else reversal.at
    return replace(derived, status=status, status_reason=reversal.reason, grants_access=False, canceled_at=canceled_at)


def end_of_use(derived: EntitlementState, reversal: Reversal | None, revoked_at: int | None) -> int:
    """When the next pass may begin: one makes room from the moment its money went back or an operator revoked it."""
    assert derived.starts_at is not None
    assert derived.expires_at is not None
    ends = [derived.expires_at, reversal.at if reversal else None, revoked_at]
    ends_at = min(at for at in ends if at is not None)
    return ends_at if ends_at > derived.starts_at else 0


# --- subscriptions ---------------------------------------------------------------------------------------------------


def derive_subscription(
    subscription: Fact, facts: Sequence[Fact], terms: Mapping[str, Terms], *, leeway: int
) -> list[EntitlementState]:
    """The rights of one subscription: one for each product that it has or had, by price.

    Args:
        subscription: its newest known state.
        facts: its sessions and invoices, their invoice payments, refunds, disputes and charges, the prices it was
            seen with, and its customer; in any order.
        terms: the terms of each price id; a price that is missing gives nothing.
        leeway: seconds for which it stays on after its period, while no news has come.
    """
    items = {item["price"]: item for item in subscription.state["items"]}
    former = {fact.state["price"] for fact in facts if fact.object == "subscription_price"} - items.keys()
    states = [
        item_state(subscription, item, facts, terms[price], leeway) for price, item in items.items() if price in terms
    ]
    states += [former_item_state(subscription, price, facts, terms[price]) for price in former if price in terms]
    by_product: dict[int, EntitlementState] = {}
    for derived in sorted(states, key=lambda each: (each.grants_access, each.status != "canceled", each.price)):
        by_product[derived.product_id] = derived
    return sorted(by_product.values(), key=lambda derived: derived.product_id)


def item_state(subscription: Fact, item: State, facts: Sequence[Fact], terms: Terms, leeway: int) -> EntitlementState:
    state = subscription.state
    derived = EntitlementState(
        source_id=subscription.stripe_id,
        product_id=terms.product_id,
        price=item["price"],
        status="canceled",
        quantity=item["quantity"],
        starts_at=first_use_of(item["price"], facts) or item["created"] or state["created"],
        current_period_end=item["period_end"],
        cancel_at=scheduled_end(state),
        canceled_at=state["canceled_at"],
    )
    if state["status"] in ENDED or customer_is_deleted(facts):
        ended_at = state["canceled_at"] or state["ended_at"] or customer_deleted_at(facts)
        return replace(derived, status_reason="canceled", canceled_at=ended_at)
    if not item["quantity"]:
        # Nobody pays for it now, and no payment is awaited. It may be counted up again: not over for good.
        return replace(derived, status="suspended", status_reason="canceled")
    current = current_periods(item, state["items"], facts)
    if not current:
        return replace(derived, status="suspended", status_reason="payment_pending")
    clean = [period.ends_at for period in current if period.reversal is None]
    if not clean:
        reasons = {period.reversal.reason for period in current if period.reversal is not None}
        return replace(derived, status="past_due", status_reason=max(reasons))
    # Grace counts from what was paid; the first invoice may still be unknown while its session is.
    return with_status(derived, state, facts, terms, max(clean) or item["period_start"] or 0, leeway)


def scheduled_end(state: State) -> int | None:
    """Of the whole subscription, in both of Stripe's ways: flexible billing sets only cancel_at."""
    ends = [item["period_end"] for item in state["items"] if item["period_end"] is not None]
    at_period_end = max(ends, default=None) if state["cancel_at_period_end"] else None
    return state["cancel_at"] or at_period_end


def with_status(
    derived: EntitlementState, state: State, facts: Sequence[Fact], terms: Terms, paid_through: int, leeway: int
) -> EntitlementState:
    """Stripe's status of a subscription whose current payment stands. An unknown status gives nothing."""
    status = state["status"]
    if status == "active" and latest_invoice_failed(state, facts):
        status = "past_due"
    if status in ("active", "trialing"):
        period_end = (derived.current_period_end or paid_through) + leeway
        ends = min(period_end, derived.cancel_at) if derived.cancel_at is not None else period_end
        return replace(derived, status=status, grants_access=True, available_until=ends)
    if status == "past_due" and terms.grace_days:
        until = paid_through + terms.grace_days * DAY
        ends = min(until, derived.cancel_at) if derived.cancel_at is not None else until
        return replace(derived, status=status, status_reason="past_due", grants_access=True, available_until=ends)
    if status in ("past_due", "unpaid"):
        return replace(derived, status="past_due", status_reason="past_due")
    return replace(derived, status="suspended", status_reason="paused" if status == "paused" else "payment_pending")


def former_item_state(subscription: Fact, price: str, facts: Sequence[Fact], terms: Terms) -> EntitlementState:
    """A product that the subscription had and no longer has."""
    seen = {fact.state["price"]: fact.state["seen_at"] for fact in facts if fact.object == "subscription_price"}
    replaced_at = min((at for at in seen.values() if at > seen[price]), default=subscription.state["ended_at"])
    return EntitlementState(
        source_id=subscription.stripe_id,
        product_id=terms.product_id,
        price=price,
        status="canceled",
        status_reason="canceled",
        starts_at=first_use_of(price, facts) or subscription.state["created"],
        canceled_at=replaced_at,
    )


def latest_invoice_failed(state: State, facts: Sequence[Fact]) -> bool:
    """A failed try to collect the newest invoice counts before Stripe's change of status has reached us."""
    return any(
        fact.state.get("failed_at") is not None and fact.state.get("status") not in CLOSED_STATUSES
        for fact in facts
        if fact.object == "invoice" and fact.stripe_id == state["latest_invoice"]
    )


def is_over(subscription: Fact, facts: Sequence[Fact]) -> bool:
    """Whether the subscription has ended for good, by itself or with its customer."""
    return subscription.state["status"] in ENDED or customer_is_deleted(facts)


def customer_is_deleted(facts: Sequence[Fact]) -> bool:
    return any(fact.state.get("is_deleted") for fact in facts if fact.object == "customer")


def customer_deleted_at(facts: Sequence[Fact]) -> int | None:
    return next((fact.state.get("deleted_at") for fact in facts if fact.object == "customer"), None)


__all__: Any = ["EntitlementState", "Purchase", "derive_purchases", "derive_subscription", "is_over"]
