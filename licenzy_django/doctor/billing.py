"""What is billed and not as it should be."""

from __future__ import annotations

from collections.abc import Iterator

from licenzy_django.checkout.plan_groups import paid_twice
from licenzy_django.checkout.trials import second_trials
from licenzy_django.doctor.finding import Finding
from licenzy_django.entitlements.unknown_prices import unknown_price_counts
from licenzy_django.models import Mode


def prices_are_known() -> Iterator[Finding]:
    for mode in Mode.values:
        for price, count in unknown_price_counts(mode):
            yield Finding(
                f"No product has the price {price} ({mode}), and {count} subscriptions are billed for it: it gives "
                "nothing.",
                "Put it into the product's other_price_ids, then: manage.py licenzy_catalog load FILE",
            )


def nobody_pays_twice() -> Iterator[Finding]:
    for mode in Mode.values:
        for double in paid_twice(mode):
            yield Finding(
                f"{double} ({mode}): both renew.",
                f"Cancel {double.too_many} at Stripe, or whichever the customer does not want, and refund its invoice.",
            )


def nobody_has_a_second_trial() -> Iterator[Finding]:
    for mode in Mode.values:
        for trial in second_trials(mode):
            yield Finding(
                f"{trial} ({mode}).",
                f"It runs on. To charge at once, end the trial of {trial.second.subscription_id} at Stripe.",
            )
