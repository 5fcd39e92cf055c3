"""The laws, on random histories: bought, renewed, refunded, disputed …, told in any order, several times, with drops
and with crashes at every commit boundary. ``make test-laws`` runs the long profile."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from licenzy_django import subscriptions, sync, testing
from licenzy_django.access.availability import availability_of
from licenzy_django.entitlements import history
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Entitlement, Pack, StripeFact, Subject
from licenzy_django.models.availability import is_on
from licenzy_django.stripe import client, facts
from licenzy_django.subscriptions.rules import NOW, PERIOD_END
from licenzy_django.sync import inbox
from licenzy_django.testing import stripe_double_in_memory
from tests.books import INCLUDED, Books, invoices_of, subscription_of, was_paid
from tests.happenings import REFS, SUBSCRIPTIONS, AtStripe
from tests.histories import forget_what_stripe_told, state

pytestmark = pytest.mark.logic

Json = dict[str, Any]

# In parts, so that every core has some; each part of the long profile has a seed of its own.
HISTORIES = int(os.environ.get("LICENZY_LAW_HISTORIES", "0"))
FIRST_SEED = int(os.environ.get("LICENZY_LAW_SEED", "0"))
A_PART = min(250, -(-HISTORIES // 4)) or 10
PARTS = -(-HISTORIES // A_PART) or 4
PROFILE = settings(
    max_examples=A_PART,
    stateful_step_count=16 if HISTORIES else 12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

JUDGED: Counter[str] = Counter()
"""How often the second opinion did not abstain."""


class CrashError(BaseException):
    """The process dies here. A BaseException, so that no handler of ours can tidy up."""


@contextmanager
def dying_at(boundary: int) -> Iterator[None]:
    """Die just before or just after the n-th step that commits, or that Stripe is asked in."""
    left = [boundary]

    def breakable(step: Callable[..., Any]) -> Callable[..., Any]:
        def broken(*args: Any, **kwargs: Any) -> Any:
            for moment in ("before", "after"):
                left[0] -= 1
                if left[0] == 0 and moment == "before":
                    raise CrashError
                if moment == "before":
                    answer = step(*args, **kwargs)
            if left[0] == 0:
                raise CrashError
            return answer

        return broken

    steps = [
        (inbox, "receive"), (facts, "save"), (facts, "save_newest"), (client, "ask"),
        (history, "write"), (inbox, "finish"),
    ]  # fmt: skip
    with ExitStack() as stack:
        for module, name in steps:
            stack.enter_context(patch.object(module, name, breakable(getattr(module, name))))
        yield


def unless_refused(act: Callable[[], object]) -> None:
    with suppress(LicenzyError):
        act()


class Story(AtStripe):
    """Things happen at Stripe; some of what it tells arrives."""

    def __init__(self) -> None:
        self.savepoint = transaction.get_connection().savepoint()
        super().__init__()
        testing.running.append(self.stripe)
        client.build_client.cache_clear()
        self.confirmed: set[str] = set()

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 50), keep=st.booleans())
    def one_arrives(self, which: int, keep: bool) -> None:
        """One of those that are on their way; ``keep`` lets it come once more."""
        event = self.pending[which % len(self.pending)]
        if not keep:
            self.pending.remove(event)
        self.deliver(event)

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 50), boundary=st.integers(1, 16))
    def one_arrives_and_we_die(self, which: int, boundary: int) -> None:
        event = self.pending[which % len(self.pending)]
        self.note_what_it_confirms(event)
        try:
            with dying_at(boundary):
                self.stripe.deliver([event])
        except CrashError:
            pass
        self.no_money_no_access()

    @precondition(lambda self: self.pending)
    @rule()
    def all_arrive(self) -> None:
        while self.pending:
            self.deliver(self.pending.pop())

    @rule(which=st.integers(0, 50), version=st.sampled_from(["2024-06-20", "2025-08-27.basil", None]))
    def an_old_one_comes_again(self, which: int, version: str | None) -> None:
        if self.told:
            self.deliver(self.told[which % len(self.told)], version)

    def deliver(self, event: Json, version: str | None = "2026-10-28.endive") -> None:
        self.note_what_it_confirms(event)
        assert self.stripe.deliver([event], api_version=version) == [200]
        self.no_money_no_access()

    def no_money_no_access(self) -> None:
        """Law 1: whatever is on rests on a confirmation that arrived, and that Stripe would still give."""
        for row in Entitlement.objects.filter(grants_access=True).select_related("product"):
            if availability_of(row, self.stripe.now).available:
                assert row.source_id in self.confirmed, row.source_id
        live = Pack.objects.filter(is_on(self.stripe.now), units_remaining__gt=0).exclude(window_key="")
        for source_id, window_key in live.values_list("source_id", "window_key"):
            assert source_id in self.confirmed, (source_id, window_key)

    def note_what_it_confirms(self, event: Json) -> None:
        """A session confirms by its own words; all else by what Stripe answers now about the subscription behind it."""
        thing = event["data"]["object"]
        if thing["object"] == "checkout.session" and thing["payment_status"] != "unpaid":
            self.confirmed |= {thing["id"], thing["subscription"]}
        for subscription_id in self.subscriptions_behind(thing):
            invoices = invoices_of(self.stripe, subscription_id)
            if subscription_id in self.imported or any(map(was_paid, invoices)):
                self.confirmed.add(subscription_id)

    def subscriptions_behind(self, thing: Json) -> set[str]:
        """Which subscriptions an object of Stripe's is about: itself, by its invoice, or by its payment's invoices."""
        if thing["object"] == "subscription":
            return {thing["id"]}
        if thing["object"] == "invoice":
            return {subscription_of(thing)} - {""}
        invoice_ids = {thing["invoice"]} if thing.get("invoice") else set()
        if thing.get("payment_intent"):
            payments = self.stripe.simulator.all("invoice_payment")
            invoice_ids |= {
                payment["invoice"]
                for payment in payments
                if payment["payment"]["payment_intent"] == thing["payment_intent"]
            }
        invoices = [self.stripe.simulator.get("invoice", invoice_id) for invoice_id in invoice_ids]
        return {subscription_of(invoice) for invoice in invoices} - {""}

    def teardown(self) -> None:
        try:
            while self.pending:
                self.deliver(self.pending.pop(0))
            books = Books(self.stripe, unbilled=self.unbilled, proposed=self.proposed, imported=self.imported)
            JUDGED.update(books.agree())
            shuffled = state()
            forget_what_stripe_told()
            self.confirmed = set()
            for event in self.told:
                self.deliver(event)
            assert shuffled == state()
            for subject in Subject.objects.all():
                assert sync.drift(subject) == []
        finally:
            transaction.get_connection().savepoint_rollback(self.savepoint)
            testing.running.remove(self.stripe)


class StoryWithOurVerbs(Story):
    """The long profile: subscriptions are changed, canceled and resumed by our own verbs too."""

    @rule(
        ref=st.sampled_from(REFS),
        verb=st.sampled_from(["change", "change", "cancel", "resume"]),
        code=st.sampled_from(SUBSCRIPTIONS),
        to=st.sampled_from(["", *SUBSCRIPTIONS]),
        quantity=st.sampled_from([None, 1, 2, 5]),
        when=st.sampled_from([NOW, PERIOD_END]),
        has_card=st.booleans(),
    )
    def we_are_asked(
        self, ref: str, verb: str, code: str, to: str, quantity: int | None, when: str, has_card: bool
    ) -> None:
        """A change, a cancellation or the way back by our own verbs: what Stripe answers counts at once."""
        wanted: Json = {"change": {"to_product_code": to, "quantity": quantity, "when": when}, "cancel": {"when": when}}
        act = partial(getattr(subscriptions, verb), ref, code, idempotency_key=uuid4().hex, **wanted.get(verb, {}))
        for customer in self.stripe.simulator.all("customer"):
            self.do(self.stripe.simulator.set_card, customer["id"], has_card)
        with self.noting_unbilled_changes():
            self.do(unless_refused, act)
        for subscription in self.stripe.simulator.all("subscription"):
            self.proposed |= {subscription["latest_invoice"]} if subscription["pending_update"] else set()
            if StripeFact.objects.filter(stripe_id=subscription["id"]).exists():
                self.note_what_it_confirms({"data": {"object": subscription}})
        self.no_money_no_access()


@pytest.fixture
def catalog(db: None) -> Iterator[None]:
    with stripe_double_in_memory() as stripe:
        for code in SUBSCRIPTIONS:
            stripe.sell(code, **INCLUDED.get(code, {}))
        stripe.sell("TRIAL", trial_days=14, units=500, trial_units=20)
        stripe.sell("WEEK_PASS", kind="time_pass")
        stripe.sell("CREDITS", kind="usage_pack")
        yield


@pytest.fixture
def quiet_collector() -> Iterator[None]:
    """A tenth of the time went to looking for garbage among all that a test session has imported."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("catalog", "quiet_collector")
@pytest.mark.parametrize("part", range(PARTS))
def test_the_laws_hold_for_random_histories(part: int) -> None:
    """Seeded, so that a run can be repeated: ``make test`` guards what is known, ``make test-laws SEED=…`` explores."""
    story: type[Story] = type("Story", (StoryWithOurVerbs if HISTORIES else Story,), {})
    seed(FIRST_SEED + part)(story)
    run_state_machine_as_test(story, settings=PROFILE)
