"""What of a subscription is going to change, by its schedule. Pure. Times are Unix seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.subscription_states import TermsOf
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.schedule import Schedule
from licenzy_django.stripe.objects.subscription import Subscription

Amounts = dict[int | str, dict[str, int]]
"""By product, or by a price that no product has: how much of each price."""


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """What becomes of a product.

    Attributes:
        at: when.
        product_id: what takes its place, or itself with another quantity or price; None for nothing, or for a price
            that no product has.
        quantity: of what comes; 0 for nothing.
    """

    at: int
    product_id: int | None
    quantity: int


def scheduled_changes(
    subscription: Subscription, facts: Sequence[Fact], terms_of: TermsOf
) -> dict[int, ScheduledChange]:
    """The next change of each product that the subscription has.

    Args:
        facts: among others, the subscription's schedules, in any order. Only one of them can govern it.
    """
    schedule = schedule_in_force(facts)
    if schedule is None or subscription.is_over:
        return {}
    made_at = {item.price: item.created or subscription.created for item in subscription.items}
    now = amounts(((item.price, item.quantity) for item in subscription.items), made_at, subscription.created, terms_of)
    changes: dict[int, ScheduledChange] = {}
    for phase in schedule.phases_ahead:
        then = amounts(phase.items, made_at, phase.start, terms_of)
        changes = differences(now, then, phase.start) | changes
    if schedule.cancels_at is not None:
        changes = differences(now, {}, schedule.cancels_at) | changes
    return changes


def schedule_in_force(facts: Sequence[Fact]) -> Schedule | None:
    schedules = (Schedule.of(fact) for fact in facts if fact.object == "subscription_schedule")
    return max(
        (schedule for schedule in schedules if not schedule.is_over),
        key=lambda schedule: (schedule.created, schedule.id),
        default=None,
    )


def amounts(items: Iterable[tuple[str, int]], made_at: Mapping[str, int], at: int, terms_of: TermsOf) -> Amounts:
    """Args: ``made_at``: of the prices that the subscription has already; any other one counts from ``at``."""
    found: Amounts = defaultdict(lambda: defaultdict(int))
    for price, quantity in items:
        terms = terms_of(price, made_at.get(price, at))
        found[terms.product_id if terms else price][price] += quantity
    return found


def differences(now: Amounts, then: Amounts, at: int) -> dict[int, ScheduledChange]:
    """What goes makes way for what comes, one for one in the order of the items."""
    coming = iter([key for key in then if key not in now])
    changes = {}
    for key, prices in now.items():
        if then.get(key) == prices:
            continue
        after = key if key in then else next(coming, None)
        if isinstance(key, int):
            quantity = sum(then[after].values()) if after is not None else 0
            changes[key] = ScheduledChange(at, after if isinstance(after, int) else None, quantity)
    return changes


def with_what_is_scheduled(
    state: EntitlementState,
    subscription: Subscription,
    changes: Mapping[int, ScheduledChange],
    codes: Mapping[int, str],
) -> EntitlementState:
    """A state with the end of the trial that it is in, and with the next change.

    Args:
        codes: of products, by their keys.
    """
    trial_ends_at = subscription.trial_end if state.status == "trialing" else None
    change = changes.get(state.product_id) if state.status != "canceled" else None
    if change is None:
        return replace(state, trial_ends_at=trial_ends_at)
    return replace(
        state,
        trial_ends_at=trial_ends_at,
        changes_at=change.at,
        changes_to="" if change.product_id is None else codes[change.product_id],
        changes_quantity=change.quantity,
    )


def scheduled_prices(facts: Iterable[Fact]) -> set[str]:
    """Every price that a schedule names."""
    schedules = (fact for fact in facts if fact.object == "subscription_schedule")
    return {item["price"] for fact in schedules for phase in fact.state["phases"] for item in phase["items"]}
