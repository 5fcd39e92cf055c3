"""Cancel a subscription, and take a cancellation or a scheduled change back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from licenzy_django import clock
from licenzy_django.exceptions import InvalidRequest, NotChangeable
from licenzy_django.subscriptions import at_stripe, params, requests, rules, steps
from licenzy_django.subscriptions.asked import problems_of_when
from licenzy_django.subscriptions.at_stripe import Fetched
from licenzy_django.subscriptions.owned import Owned
from licenzy_django.subscriptions.requests import Decision, perform
from licenzy_django.subscriptions.rules import NOW, PERIOD_END


@dataclass(frozen=True, slots=True)
class Canceled:
    """Attributes:
    status: ``canceled``, or ``scheduled`` for the end of the period.
    replayed: this request had been answered before.
    """

    status: str
    effective_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """Attributes:
    status: the subscription's at Stripe: ``active``, ``trialing``, ``past_due`` …
    replayed: this request had been answered before.
    """

    status: str
    replayed: bool = False


def cancel(
    subject: Any, product_code: str, *, idempotency_key: str, when: str = PERIOD_END, mode: str | None = None
) -> Canceled:
    """End a subscription. Of an add-on only its item ends. A change that is scheduled is taken back.

    Nothing is given back: refund the payment at Stripe for that. What is to end already stays as it is.

    Args:
        subject: whose: a ref, a request or a user.
        product_code: what the subject has.
        idempotency_key: the same key with the same arguments gives the same answer.
        when: ``period_end``, or ``now``.
        mode: ``test`` or ``live``; by default the setting ``MODE``.

    Raises: what ``change`` raises, but for what is about prices and previews.
    """
    if problems := problems_of_when(when, optional=False):
        raise InvalidRequest(fields=problems)
    request = requests.asked_for("cancel", subject, product_code, mode, idempotency_key, when=when)
    done = perform(request, lambda subscription: end_of(subscription, when))
    if done.change.effective_at is None:
        raise RuntimeError("A cancellation has its end, however it was decided.")
    return Canceled(done.change.outcome, done.change.effective_at, done.replayed)


def end_of(subscription: Owned, when: str) -> Decision:
    is_item = subscription.product.is_add_on and len(subscription.known.items) > 1
    if when == PERIOD_END and (ends_at := known_end(subscription, is_item=is_item)):
        return Decision([], "scheduled", int(ends_at.timestamp()))
    fetched = at_stripe.fetch(subscription)
    if fetched.subscription["status"] == "incomplete":
        raise NotChangeable("The first payment of this subscription has not arrived yet.")
    first = steps.release(fetched.schedule_id)
    name, now = subscription.subscription_id, int(clock.now().timestamp())
    if is_item and len(fetched.items) > 1:
        return Decision([*first, *removal(fetched, name, when)], *answer_of(fetched, when, now))
    if when == NOW:
        return Decision([*first, *steps.cancel(name)], *answer_of(fetched, when, now))
    ending = {"cancel_at_period_end": True, "expand": ["latest_invoice"]}
    return Decision([*first, *steps.update(name, ending)], *answer_of(fetched, when, now))


def known_end(subscription: Owned, *, is_item: bool) -> datetime | None:
    """When it is to end, as far as we know; None if that still has to be asked for."""
    scheduled = subscription.scheduled_change(clock.now())
    if scheduled is None:
        return subscription.ends_at
    is_same = is_item and scheduled.verb == "cancel" and scheduled.product_id == subscription.product.pk
    return scheduled.effective_at if is_same else None


def removal(fetched: Fetched, subscription_id: str, when: str) -> list[steps.Step]:
    """One item of several ends."""
    item = fetched.item
    if when == NOW:
        return steps.update(subscription_id, params.removal_params(item.id))
    after = rules.without(fetched.items, item.id)
    return [*steps.void(fetched.waiting), *steps.schedule(subscription_id, fetched.items, after)]


def answer_of(fetched: Fetched, when: str, now: int) -> tuple[str, int]:
    return ("canceled", now) if when == NOW else ("scheduled", fetched.period[1])


def resume(subject: Any, product_code: str, *, idempotency_key: str, mode: str | None = None) -> Resumed:
    """Take back a scheduled change, or a cancellation in whichever of Stripe's two ways it was set.

    What goes on already stays as it is.

    Args:
        subject: whose: a ref, a request or a user.
        product_code: what the subject has.
        idempotency_key: the same key with the same arguments gives the same answer.
        mode: ``test`` or ``live``; by default the setting ``MODE``.

    Raises: what ``cancel`` raises.
    """
    request = requests.asked_for("resume", subject, product_code, mode, idempotency_key)
    done = perform(request, going_on)
    return Resumed(done.change.outcome, done.replayed)


def going_on(subscription: Owned) -> Decision:
    known = subscription.known
    is_ending = known.cancel_at is not None or known.cancel_at_period_end
    if not is_ending and subscription.scheduled_change(clock.now()) is None:
        return Decision([], known.status)
    fetched = at_stripe.fetch(subscription)
    found = fetched.subscription
    is_set = found.get("cancel_at") or found.get("cancel_at_period_end")
    undone = steps.update(subscription.subscription_id, params.resume_params(found)) if is_set else []
    released = steps.release(fetched.schedule_id) if is_set or fetched.is_scheduled else []
    return Decision([*released, *undone], found["status"])
