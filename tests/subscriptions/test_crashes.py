"""Whatever dies between us and Stripe, the same key ends in exactly one change, as a twin made it undisturbed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from licenzy_django.exceptions import ChangeExpired, IdempotencyKeyInUse, StripeUnavailable
from licenzy_django.models import SubscriptionChange
from licenzy_django.subscriptions import requests, steps
from licenzy_django.testing import StripeDouble
from tests.subscriptions.scenarios import EACH, SOLD, Scenario, asked_for, begun, cancel, change, seen

pytestmark = [pytest.mark.slow, pytest.mark.sells(**SOLD)]

each = pytest.mark.parametrize("scenario", EACH.values(), ids=EACH)
MOST_ASKED = 5
"""Of a change, different questions to Stripe: each loses its answer for somebody else."""
PLACES = [
    "claim", "freeze", "one", "keep_schedule", "finish", "process",
]  # fmt: skip


class KilledError(BaseException):
    """Stands for a process that is gone: nothing of ours may catch it and carry on."""


@each
@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_any_answer_may_be_lost(stripe: StripeDouble, scenario: Scenario, fault: str) -> None:
    begun(stripe, scenario, "twin", *(f"ada-{number}" for number in range(MOST_ASKED)))
    asked = asked_for(stripe, lambda: scenario.act("twin", "twin"))
    assert len(asked) <= MOST_ASKED
    expected = seen(stripe, "twin")
    assert any(method != "GET" for method, _ in asked)

    for number, (method, path) in enumerate(asked):
        subject = f"ada-{number}"
        stripe.faults.add(method, path, fault, times=3)
        with suppress(StripeUnavailable):
            scenario.act(subject, subject)
            pytest.fail(f"{method} {path} was not asked")
        stripe.faults.clear()
        stripe.deliver()

        scenario.act(subject, subject)

        assert seen(stripe, subject) == expected, (method, path)


@each
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_anywhere_is_carried_on_from(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, scenario: Scenario, place: str, when: str
) -> None:
    begun(stripe, scenario, "twin", "ada")
    scenario.act("twin", "twin")
    expected = seen(stripe, "twin")

    killed = die(monkeypatch, place, when, lambda: scenario.act("ada", "ada"))
    if not killed:
        assert place == "keep_schedule"
        return
    stripe.deliver()
    if SubscriptionChange.objects.filter(subject__subject_ref="ada", status="created").exists():
        with pytest.raises(IdempotencyKeyInUse):
            scenario.act("ada", "ada")
        stripe.advance(requests.LEASE)
    scenario.act("ada", "ada")

    assert seen(stripe, "ada") == expected


def die(monkeypatch: pytest.MonkeyPatch, place: str, when: str, act: Callable[[], Any]) -> bool:
    """Whether the process died there. What a dying process would still do, it does not."""
    module = steps if place in ("one", "keep_schedule") else requests
    original: Callable[..., Any] = getattr(module, place)
    with monkeypatch.context() as dying:

        def dies(*args: Any, **kwargs: Any) -> Any:
            if when == "after":
                original(*args, **kwargs)
            for name in ("update", "drop"):
                dying.setattr(requests, name, lambda *args, **kwargs: False)
            raise KilledError

        dying.setattr(module, place, dies)
        try:
            act()
        except KilledError:
            return True
    return False


@pytest.mark.parametrize(("place", "when"), [("one", "after"), ("finish", "before")])
def test_another_key_gives_up_what_died_and_the_first_key_says_so(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, place: str, when: str
) -> None:
    begun(stripe, EACH["upgrade"], "ada")
    assert die(monkeypatch, place, when, lambda: change()("ada", "first"))
    with pytest.raises(IdempotencyKeyInUse):
        change("", quantity=2)("ada", "second")
    stripe.advance(requests.LEASE)
    stripe.deliver()

    done = change("", code="MAX", quantity=2)("ada", "second")

    assert done.status == "changed"
    for _ in range(2):
        with pytest.raises(ChangeExpired):
            change()("ada", "first")
    assert seen(stripe, "ada")["items"] == [("price_max", 2)]


def test_a_half_made_schedule_is_found_and_released_by_the_next_change(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``from_subscription`` was answered, and nobody kept the answer: the schedule has neither phases nor a name."""
    begun(stripe, EACH["upgrade"], "ada")
    assert die(monkeypatch, "keep_schedule", "before", lambda: change(when="period_end")("ada", "first"))
    stripe.advance(requests.LEASE)

    assert change()("ada", "second").status == "changed"

    after = seen(stripe, "ada")
    assert (after["items"], after["is scheduled"]) == ([("price_max", 1)], False)
    with pytest.raises(ChangeExpired):
        change(when="period_end")("ada", "first")


def test_a_lost_answer_is_not_asked_for_once_stripe_may_have_forgotten_the_key(stripe: StripeDouble) -> None:
    begun(stripe, EACH["cancel"], "ada")
    stripe.faults.add("POST", "/v1/subscriptions/*", "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        cancel()("ada", "first")
    stripe.advance(hours=23, seconds=1)
    before = len(stripe.requests)

    with pytest.raises(ChangeExpired):
        cancel()("ada", "first")

    assert len(stripe.requests) == before
