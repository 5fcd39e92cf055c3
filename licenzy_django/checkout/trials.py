"""Of trials a subject has as many as the setting ``TRIALS`` says, and one open page with a trial at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from licenzy_django.access.trials import Trial, counts_for, trials_in, trials_of
from licenzy_django.checkout.params import take_out_trial
from licenzy_django.conf import licenzy_settings
from licenzy_django.models import CheckoutAttempt, Product, StripeFact, Subject


def offer_trial(attempt: CheckoutAttempt, trial: bool | None) -> None:
    """Give a new attempt the product's trial, unless the request does without."""
    attempt.trial_days = (attempt.product.trial_days or 0) if trial is not False else 0
    attempt.trial_slot = slot_of_trial() if attempt.trial_days else ""


def slot_of_trial() -> str:
    """What two open pages with a trial may not share; empty if there may be many."""
    return "" if licenzy_settings().TRIALS in ("once_per_product", "always") else "trial"


def is_used_up(subject: Subject, product: Product) -> bool:
    """Whether the subject has had all trials that it may have of this product."""
    return any(counts_for(trial, product) for trial in trials_of(subject.subject_ref, subject.mode))


def drop_trial(attempt: CheckoutAttempt) -> None:
    """Let Stripe charge at once. The attempt is not written yet."""
    attempt.trial_days, attempt.trial_slot = 0, ""
    take_out_trial(attempt.stripe_params)


@dataclass(frozen=True, slots=True)
class SecondTrial:
    """A trial that runs though its subject had one before."""

    subject: Subject
    first: Trial
    second: Trial

    def __str__(self) -> str:
        return f"{self.subject} has a second trial: {self.second.subscription_id}, after {self.first.subscription_id}"


def second_trials(mode: str, *, subject: Subject | None = None, limit: int = 20) -> list[SecondTrial]:
    """Trials that run now and that the setting ``TRIALS`` would not have allowed."""
    if licenzy_settings().TRIALS == "always":
        return []
    trials = StripeFact.objects.filter(mode=mode, object="trial", subject__isnull=False)
    if subject is not None:
        trials = trials.filter(subject=subject)
    several = trials.order_by().values("subject").annotate(count=Count("pk")).filter(count__gt=1)
    subjects = Subject.objects.filter(pk__in=several.order_by("-subject").values_list("subject", flat=True)[:1000])
    found = (second for each in subjects.order_by("-pk") for second in seconds_of(each))
    return [second for second, _ in zip(found, range(limit), strict=False)]


def seconds_of(subject: Subject) -> Iterator[SecondTrial]:
    shown = list(StripeFact.objects.filter(subject=subject, object__in=["subscription", "trial"]))
    running = {fact.stripe_id for fact in shown if fact.state.get("status") == "trialing"}
    trials = trials_in(shown)
    for number, trial in enumerate(trials):
        if trial.subscription_id in running:
            before = next((each for each in trials[:number] if stands_in_the_way(each, trial)), None)
            if before is not None:
                yield SecondTrial(subject, before, trial)


def stands_in_the_way(first: Trial, second: Trial) -> bool:
    products = Product.objects.filter(prices__stripe_price_id__in=second.prices).distinct()
    return bool(slot_of_trial()) or any(counts_for(first, product) for product in products)
