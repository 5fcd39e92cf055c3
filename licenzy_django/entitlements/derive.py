"""What an entitlement row should say, and how that follows from one-time purchases. Pure: no clock, database or order.

All times are Unix seconds, UTC. A state says what the facts allow; whether it is available now is asked of the clock
at the moment of the question (``access.availability``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.entitlements.terms import Terms
from licenzy_django.models.kinds import Kind
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.session import Session

DAY = 86_400


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
    trial_ends_at: int | None = None
    changes_at: int | None = None
    changes_to: str = ""
    changes_quantity: int | None = None
    canceled_at: int | None = None
    not_before: int | None = None
    available_until: int | None = None
    units_granted: int = 0
    unit: str = ""
    """Of a pack that begins."""
    features: tuple[str, ...] | None = None
    """As sold; None means as they are."""
    limits: Mapping[str, Any] | None = None
    terms_at: int | None = None
    """When the paid line in force began: a subscription gives what the catalog said then."""


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
        return Session.of(self.session).paid_at

    @property
    def quantity(self) -> int:
        """As Stripe's line items have it, since the customer may change it on the page; other prices do not count."""
        return sum(quantity for price, quantity in Session.of(self.session).lines if price == self.price)


def derive_purchases(purchases: Iterable[Purchase], facts: Sequence[Fact]) -> list[EntitlementState]:
    """The states of one subject's purchases of one product: packs add up, passes are stacked end to end.

    Args:
        purchases: the sessions, in any order; unpaid ones give nothing.
        facts: the refunds, disputes and charges of their payments, in any order, and others.
    """
    paid = [(at, purchase) for purchase in purchases if (at := purchase.paid_at) is not None and purchase.quantity > 0]
    payments = Payments(facts)
    states: list[EntitlementState] = []
    free_from = 0
    for paid_at, purchase in sorted(paid, key=lambda each: (each[0], each[1].session.stripe_id)):
        reversal = payments.reversal_of_session(Session.of(purchase.session))
        derived = purchase_state(purchase, paid_at, reversal, free_from)
        states.append(derived)
        if Kind(purchase.terms.kind).rules.is_stacked:
            free_from = max(free_from, end_of_use(derived, reversal, purchase.revoked_at))
    return states


def purchase_state(purchase: Purchase, paid_at: int, reversal: Reversal | None, free_from: int) -> EntitlementState:
    terms = purchase.terms
    is_pass = Kind(terms.kind).rules.is_stacked
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
        unit=terms.unit,
        features=terms.features,
        limits=terms.limits,
    )
    if reversal is None:
        return derived
    status = "suspended" if reversal.is_open else "canceled"
    canceled_at = None if reversal.is_open else reversal.at
    return replace(derived, status=status, status_reason=reversal.reason, grants_access=False, canceled_at=canceled_at)


def end_of_use(derived: EntitlementState, reversal: Reversal | None, revoked_at: int | None) -> int:
    """When the next pass may begin: one makes room from the moment its money went back or an operator revoked it."""
    ends = [derived.expires_at, reversal.at if reversal else None, revoked_at]
    return min(at for at in ends if at is not None)
