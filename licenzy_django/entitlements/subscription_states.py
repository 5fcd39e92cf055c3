"""What the entitlements of one subscription should say: paid time, within what Stripe's status allows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from licenzy_django.entitlements.derive import DAY, EntitlementState
from licenzy_django.entitlements.paid_time import LATE_START, Coverage, Evidence, PaidTime, Uncovered
from licenzy_django.entitlements.refunds import Payments
from licenzy_django.entitlements.terms import Terms
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice, is_complete
from licenzy_django.stripe.objects.session import Session
from licenzy_django.stripe.objects.subscription import RUNNING, FreeStart, Subscription

TermsOf = Callable[[str, int | None], Terms | None]
"""The terms of a price for an item that Stripe made at a moment; None where no product has that price."""

UNPAID = frozenset({"past_due", "unpaid"})


def derive_subscription(
    subscription: Fact, facts: Sequence[Fact], terms_of: TermsOf, *, leeway: int
) -> list[EntitlementState]:
    """The states of one subscription: one for each product that it has or had.

    Args:
        subscription: its newest known state.
        facts: its sessions and invoices, their payments, refunds, disputes, credit notes and charges, the prices it was
            seen with, and its customer; in any order.
        leeway: seconds for which it stays on after its period, while nothing newer has come.
    """
    evidence = evidence_of(subscription, facts)
    return Derivation(evidence, facts, terms_of, leeway).states()


def evidence_of(subscription: Fact, facts: Sequence[Fact]) -> Evidence:
    invoices = [fact for fact in facts if fact.object == "invoice"]
    seen = [fact.state for fact in facts if fact.object == "subscription_price"]
    free = [FreeStart.of(fact) for fact in facts if fact.object == "free_start"]
    started = (subscription.state["created"] or 0) + LATE_START
    at_the_start = [fact for fact in invoices if (fact.state.get("created") or 0) <= started]
    return Evidence(
        subscription=Subscription.of(subscription),
        invoices=[Invoice.of(fact) for fact in invoices if has_lines(fact)],
        sessions=[Session.of(fact) for fact in facts if fact.object == "checkout.session"],
        payments=Payments(facts),
        first_seen={(state["price"], state.get("quantity") or 0): state["seen_at"] for state in seen},
        free_start=next((start for start in free if not any(bills_start(fact, start) for fact in at_the_start)), None),
    )


def has_lines(invoice: Fact) -> bool:
    return invoice.state.get("lines") is not None and is_complete(invoice)


def bills_start(invoice: Fact, free: FreeStart) -> bool:
    """Whether it bills what began; an invoice whose lines are not known yet may."""
    began = {(price, quantity) for _, price, quantity in free.items}
    return not has_lines(invoice) or any((line.price, line.quantity) in began for line in Invoice.of(invoice).lines)


class Derivation:
    """From what is in force to the states of the products, under the status that Stripe gives the subscription."""

    def __init__(self, evidence: Evidence, facts: Sequence[Fact], terms_of: TermsOf, leeway: int) -> None:
        self.subscription = evidence.subscription
        self.first_seen = evidence.first_seen
        self.invoices = evidence.invoices
        self.customer_deleted_at = customer_deleted_at(facts)
        self.is_over = is_over(self.subscription, facts)
        self.paid_time = PaidTime(evidence)
        self.terms_of = terms_of
        self.leeway = leeway

    def states(self) -> list[EntitlementState]:
        by_product: dict[int, list[EntitlementState]] = defaultdict(list)
        for one in self.paid_time.in_force():
            for state in self.states_of(one):
                by_product[state.product_id].append(state)
        for state in self.former_states():
            by_product[state.product_id].append(state)
        return [together(states) for _, states in sorted(by_product.items())]

    def states_of(self, one: Coverage | Uncovered) -> Iterable[EntitlementState]:
        """Of what is in force, and of what Stripe reports in its place and is not paid yet."""
        item = one.item
        made_at = item.created or self.subscription.created
        if isinstance(one, Coverage) and not one.is_reported:
            in_force, reported = self.terms_of(one.price, made_at), self.terms_of(item.price, made_at)
            if in_force is not None:
                yield self.of_coverage(one, in_force)
            if reported is not None and (in_force is None or reported.product_id != in_force.product_id):
                yield self.of_unpaid(Uncovered(item, one.why_not_reported), reported)
            return
        terms = self.terms_of(item.price, made_at)
        if terms is not None:
            yield self.of_coverage(one, terms) if isinstance(one, Coverage) else self.of_unpaid(one, terms)

    def blank(self, one: Coverage | Uncovered, terms: Terms, price: str, quantity: int) -> EntitlementState:
        item, subscription = one.item, self.subscription
        return EntitlementState(
            source_id=subscription.id,
            product_id=terms.product_id,
            price=price,
            status="canceled",
            quantity=quantity,
            starts_at=self.first_use_of(price) or item.created or subscription.created,
            current_period_end=item.period_end,
            cancel_at=subscription.scheduled_end,
            canceled_at=subscription.canceled_at,
        )

    def of_coverage(self, one: Coverage, terms: Terms) -> EntitlementState:
        state = replace(self.blank(one, terms, one.price, one.quantity), terms_at=one.starts_at)
        if closed := self.closed(state):
            return closed
        if not one.quantity:
            # Nobody pays for it now, and no payment is awaited. It may be counted up again: not over for good.
            return replace(state, status="suspended", status_reason="canceled")
        status, grace = self.subscription.status, terms.grace_days * DAY
        if status in RUNNING:
            ends_at = (one.item.period_end or one.ends_at) if one.is_reported or not one.is_current else one.ends_at
            return self.on(state, status, ends_at + self.leeway)
        if status in UNPAID and one.is_current:
            return self.on(state, "active", one.ends_at + (grace if status == "past_due" else 0))
        if status == "past_due" and grace:
            return replace(self.on(state, "past_due", one.ends_at + grace), status_reason="past_due")
        if status in UNPAID:
            return replace(state, status="past_due", status_reason="past_due")
        return replace(state, status="suspended", status_reason="paused" if status == "paused" else "payment_pending")

    def of_unpaid(self, one: Uncovered, terms: Terms) -> EntitlementState:
        state = self.blank(one, terms, one.item.price, one.item.quantity)
        if closed := self.closed(state):
            return closed
        if not one.item.quantity:
            return replace(state, status="suspended", status_reason="canceled")
        if one.reason == "payment_pending":
            return replace(state, status="suspended", status_reason=one.reason)
        return replace(state, status="past_due", status_reason=one.reason)

    def closed(self, state: EntitlementState) -> EntitlementState | None:
        """The end of a subscription that is over for good, by itself or with its customer."""
        if not self.is_over:
            return None
        ended_at = self.subscription.canceled_at or self.subscription.ended_at or self.customer_deleted_at
        return replace(state, status_reason="canceled", canceled_at=ended_at)

    def on(self, state: EntitlementState, status: str, until: int) -> EntitlementState:
        until = until if state.cancel_at is None else min(until, state.cancel_at)
        return replace(state, status=status, grants_access=True, available_until=until)

    def former_states(self) -> Iterable[EntitlementState]:
        """Products that the subscription had and no longer has."""
        reported = {item.price for item in self.subscription.items}
        seen: dict[str, int] = {}
        for (price, _), at in self.first_seen.items():
            seen[price] = min(at, seen.get(price, at))
        for price in seen.keys() - reported:
            terms = self.terms_of(price, seen[price])
            if terms is not None:
                replaced_at = min((at for at in seen.values() if at > seen[price]), default=self.subscription.ended_at)
                yield EntitlementState(
                    source_id=self.subscription.id,
                    product_id=terms.product_id,
                    price=price,
                    status="canceled",
                    status_reason="canceled",
                    starts_at=self.first_use_of(price) or self.subscription.created,
                    canceled_at=replaced_at,
                )

    def first_use_of(self, price: str) -> int | None:
        lines = (line for invoice in self.invoices if invoice.is_paid for line in invoice.lines if line.price == price)
        return min((line.start for line in lines if line.start), default=None)


def together(states: Sequence[EntitlementState]) -> EntitlementState:
    """One state for a product that several items have: those that are on add up, or else the best says why not."""
    best = max(states, key=rank)
    granting = [state for state in states if state.grants_access]
    return replace(best, quantity=sum(state.quantity for state in granting)) if granting else best


def rank(state: EntitlementState) -> tuple[bool, bool, int, str]:
    return (state.grants_access, state.status != "canceled", state.available_until or 0, state.price)


def is_over(subscription: Subscription, facts: Sequence[Fact]) -> bool:
    """Whether the subscription has ended for good, by itself or with its customer."""
    return subscription.is_over or any(fact.state.get("is_deleted") for fact in facts if fact.object == "customer")


def customer_deleted_at(facts: Sequence[Fact]) -> int | None:
    return next((fact.state.get("deleted_at") for fact in facts if fact.object == "customer"), None)
