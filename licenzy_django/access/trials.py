"""Has this subject had a trial? What Stripe showed of its subscriptions decides, in whatever order it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from licenzy_django.conf import licenzy_settings
from licenzy_django.identity import subject_ref_of
from licenzy_django.models import Product, StripeFact


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial of one subscription, with the prices that the subscription had during it."""

    subscription_id: str
    started_at: int
    prices: frozenset[str]


def has_had_trial(subject: Any, *, mode: str | None = None) -> bool:
    """Whether a subscription of the subject ever had a trial: also one made by hand, or canceled on its first day.

    Args:
        subject: a ``subject_ref``, a request, a user, or None, who never had one.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
    """
    subject_ref = subject_ref_of(subject)
    return subject_ref is not None and bool(trials_of(subject_ref, mode or licenzy_settings().MODE))


def trials_of(subject_ref: str, mode: str) -> list[Trial]:
    """The first one first."""
    shown = StripeFact.objects.filter(mode=mode, subject__subject_ref=subject_ref, subject__mode=mode)
    return trials_in(shown.filter(object__in=["subscription", "trial"]))


def trials_in(shown: Iterable[StripeFact]) -> list[Trial]:
    """From facts of subscriptions and trials. Without a trial's own fact, what the subscription has now has to do."""
    trials: dict[str, Trial] = {}
    for fact in sorted(shown, key=lambda fact: fact.object):
        state, own = fact.state, trials.get(fact.subscription_id)
        is_own = fact.object == "trial"
        started_at = state["start"] if is_own else state.get("trial_start")
        if started_at is None:
            continue
        prices = frozenset(state["prices"] if is_own else (item["price"] for item in state["items"]))
        if is_own and not prices and own is not None:
            prices = own.prices
        trials[fact.subscription_id] = Trial(fact.subscription_id, started_at, prices)
    return sorted(trials.values(), key=lambda trial: (trial.started_at, trial.subscription_id))


def counts_for(trial: Trial, product: Product) -> bool:
    """Whether the setting ``TRIALS`` lets a trial stand in the way of one of this product."""
    allowed = licenzy_settings().TRIALS
    if allowed == "always":
        return False
    return allowed != "once_per_product" or product.prices.filter(stripe_price_id__in=trial.prices).exists()
