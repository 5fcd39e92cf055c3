"""The laws, on random histories: bought, renewed, refunded, disputed …, told in any order, several times, with drops
and with crashes at every commit boundary. ``make test-laws`` runs the long profile."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from licenzy_django import sync, testing
from licenzy_django.access.availability import availability_of
from licenzy_django.entitlements import history
from licenzy_django.exceptions import AlreadySubscribed
from licenzy_django.models import CheckoutAttempt, Entitlement, Subject
from licenzy_django.simulator import Simulator
from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.stripe import client, facts
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble, stripe_double_in_memory
from tests.histories import forget_what_stripe_told, handled, state

pytestmark = pytest.mark.logic

Json = dict[str, Any]

# In parts, so that every core has some; each part of the long profile has a seed of its own.
HISTORIES = int(os.environ.get("LICENZY_LAW_HISTORIES", "0"))
FIRST_SEED = int(os.environ.get("LICENZY_LAW_SEED", "0"))
A_PART = 250 if HISTORIES else 50
PARTS = -(-HISTORIES // A_PART) or 4
PROFILE = settings(
    max_examples=A_PART,
    stateful_step_count=16 if HISTORIES else 12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

REFS = ("user_1", "org:acme/eu")
SUBSCRIPTIONS = ("PRO_MONTHLY", "PRO_YEARLY", "SEATS")
PRODUCTS = (*SUBSCRIPTIONS, "TRIAL", "WEEK_PASS", "CREDITS")
PRICES = {
    "PRO_MONTHLY": {"unit_amount": 1900, "recurring": {"interval": "month"}},
    "PRO_YEARLY": {"unit_amount": 19_000, "recurring": {"interval": "year"}},
    "SEATS": {"unit_amount": 500, "recurring": {"interval": "month"}},
    "TRIAL": {"unit_amount": 900, "recurring": {"interval": "month"}},
    "WEEK_PASS": {"unit_amount": 700},
    "CREDITS": {"unit_amount": 1000},
}


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


class Story(RuleBasedStateMachine):
    """Things happen at Stripe; some of what it tells arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.get_connection().savepoint()
        self.stripe = StripeDouble(Simulator())
        testing.running.append(self.stripe)
        client.build_client.cache_clear()
        for code, price in PRICES.items():
            name = f"price_{code.lower()}"
            self.stripe.simulator.create_price({"id": name, "currency": "eur", "product_name": code, **price})
        self.pending: list[Json] = []
        self.told: list[Json] = []
        self.tried: dict[str, Json] = {}

    # --- at Stripe ----------------------------------------------------------------------------------------------------

    def act(self, verb: str, kind: str, which: int, *args: Any, **given: Any) -> None:
        things = self.stripe.simulator.all(kind)
        if things:
            self.do(getattr(self.stripe.simulator, verb), things[which % len(things)]["id"], *args, **given)

    def do(self, verb: Callable[..., Any], *args: Any, **given: Any) -> None:
        try:
            verb(*args, **given)
        except RefusalError:
            return
        finally:
            news = handled(self.stripe.take_events())
            self.pending += news
            self.told += news

    @initialize(ref=st.sampled_from(REFS), code=st.sampled_from(PRODUCTS))
    def begin(self, ref: str, code: str) -> None:
        self.buy(ref, code, 1, lost=False)

    @rule(ref=st.sampled_from(REFS), code=st.sampled_from(PRODUCTS), quantity=st.integers(1, 3), lost=st.booleans())
    def buy(self, ref: str, code: str, quantity: int, lost: bool) -> None:
        try:
            session = self.stripe.checkout(ref, code, quantity=quantity)
        except AlreadySubscribed:
            return
        if lost:
            CheckoutAttempt.objects.filter(stripe_session_id=session["id"]).update(stripe_session_id="")
        self.do(self.stripe.simulator.pay, session["id"])

    @rule(ref=st.sampled_from(REFS), settles=st.sampled_from(["settle_bank", "bounce_bank", "expire"]))
    def buy_slowly(self, ref: str, settles: str) -> None:
        session = self.stripe.checkout(ref, "WEEK_PASS")
        if settles != "expire":
            self.do(self.stripe.simulator.pay_by_bank, session["id"])
        self.do(getattr(self.stripe.simulator, settles), session["id"])

    @rule(which=st.integers(0, 3), paid=st.booleans())
    def renew(self, which: int, paid: bool) -> None:
        self.act("renew", "subscription", which, paid=paid)

    @rule(
        which=st.integers(0, 3),
        verb=st.sampled_from(
            [
                "recover",
                "cancel",
                "cancel_at_period_end",
                "uncancel",
                "pause",
                "resume",
                "pause_collection",
                "roll_period",
                "end_trial",
                "apply_update",
                "expire_update",
            ]
        ),
    )
    def change(self, which: int, verb: str) -> None:
        self.act(verb, "subscription", which)

    @rule(
        which=st.integers(0, 3),
        code=st.sampled_from(SUBSCRIPTIONS),
        verb=st.sampled_from(["swap_price", "add_item", "replace_item", "propose_update"]),
    )
    def change_items(self, which: int, code: str, verb: str) -> None:
        price = f"price_{code.lower()}"
        if verb == "propose_update":
            self.act(verb, "subscription", which, price=price)
        else:
            self.act(verb, "subscription", which, price)

    @rule(which=st.integers(0, 3), code=st.sampled_from(SUBSCRIPTIONS), paid=st.booleans())
    def change_the_plan_at_once(self, which: int, code: str, paid: bool) -> None:
        self.act("swap_price", "subscription", which, f"price_{code.lower()}", invoice_now=True, paid=paid)

    @rule(which=st.integers(0, 3), status=st.sampled_from(["void", "uncollectible"]))
    def write_off(self, which: int, status: str) -> None:
        self.act("write_off_invoice", "invoice", which, status)

    @rule(which=st.integers(0, 3), quantity=st.integers(1, 9))
    def change_seats(self, which: int, quantity: int) -> None:
        self.act("set_quantity", "subscription", which, quantity)

    @rule(
        which=st.integers(0, 5),
        amount=st.sampled_from([None, None, 100]),
        status=st.sampled_from(["succeeded", "pending"]),
    )
    def refund(self, which: int, amount: int | None, status: str) -> None:
        self.act("refund", "payment_intent", which, amount=amount, status=status)

    @rule(which=st.integers(0, 3))
    def fail_refund(self, which: int) -> None:
        self.act("fail_refund", "refund", which)

    @rule(
        which=st.integers(0, 5),
        status=st.sampled_from(["needs_response", "warning_needs_response", "lost", "brand_new"]),
    )
    def dispute(self, which: int, status: str) -> None:
        self.act("dispute", "payment_intent", which, status=status)

    @rule(which=st.integers(0, 3), status=st.sampled_from(["won", "lost"]))
    def close_dispute(self, which: int, status: str) -> None:
        self.act("close_dispute", "dispute", which, status)

    @rule(which=st.integers(0, 3), verb=st.sampled_from(["update_dispute", "win_dispute_late"]))
    def move_dispute(self, which: int, verb: str) -> None:
        self.act(verb, "dispute", which, *(["needs_response"] if verb == "update_dispute" else []))

    @rule(which=st.integers(0, 1))
    def delete_customer(self, which: int) -> None:
        self.act("delete_customer", "customer", which)

    @rule(days=st.integers(1, 40))
    def time_goes_by(self, days: int) -> None:
        self.do(self.stripe.simulator.advance, days * 86_400)

    # --- at our door --------------------------------------------------------------------------------------------------

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
        self.tried[event["id"]] = event
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
        self.tried[event["id"]] = event
        assert self.stripe.deliver([event], api_version=version) == [200]
        self.no_money_no_access()

    def no_money_no_access(self) -> None:
        """Law 1: whatever is on rests on a confirmation that arrived, and that Stripe would still give."""
        for row in Entitlement.objects.filter(grants_access=True).select_related("product"):
            if availability_of(row, self.stripe.now).available:
                assert self.is_confirmed(row.source_id), row.source_id

    def is_confirmed(self, source_id: str) -> bool:
        for event in self.tried.values():
            thing = event["data"]["object"]
            is_paid_session = thing["object"] == "checkout.session" and thing["payment_status"] != "unpaid"
            if is_paid_session and source_id in (thing["id"], thing["subscription"]):
                return True
            # A refund that comes first asks Stripe for the invoice that it belongs to, and learns that it was paid.
            if source_id.startswith("sub_") and thing["object"] in ("invoice", "refund", "charge", "dispute"):
                return any(
                    invoice["parent"]["subscription_details"]["subscription"] == source_id
                    for invoice in self.stripe.simulator.all("invoice", status="paid")
                )
        return False

    def teardown(self) -> None:
        try:
            while self.pending:
                self.deliver(self.pending.pop(0))
            Books(self.stripe).agree()
            shuffled = state()
            forget_what_stripe_told()
            self.tried = {}
            for event in self.told:
                self.deliver(event)
            assert shuffled == state()
            for subject in Subject.objects.all():
                assert sync.drift(subject) == []
        finally:
            transaction.get_connection().savepoint_rollback(self.savepoint)
            testing.running.remove(self.stripe)


class Books:
    """What must have come out, read off Stripe's own books and not off ours: the policy of the contract once more, as
    far as a few lines can say it."""

    def __init__(self, stripe: StripeDouble) -> None:
        self.stripe, self.all = stripe, stripe.simulator.all

    def agree(self) -> None:
        for session in self.all("checkout.session", mode="payment"):
            if session["payment_status"] == "paid":
                [row] = Entitlement.objects.filter(source_id=session["id"])
                assert row.grants_access is not self.went_back(session["payment_intent"]), session["id"]
            else:
                assert not Entitlement.objects.filter(source_id=session["id"]).exists()
        for subscription in self.all("subscription"):
            on = {row.stripe_price_id for row in Entitlement.objects.filter(source_id=subscription["id"])
                  if availability_of(row, self.stripe.now).available}  # fmt: skip
            if self.must_be_off(subscription):
                assert on == set(), subscription["id"]
            elif self.must_be_on(subscription):
                assert on == {item["price"]["id"] for item in subscription["items"]["data"]}, subscription["id"]

    def went_back(self, payment_intent: str) -> bool:
        """Refunded in full, or disputed and not won; an inquiry is harmless, what we do not know is not."""
        standing = [
            refund["amount"]
            for refund in self.all("refund", payment_intent=payment_intent)
            if refund["status"] not in ("failed", "canceled")
        ]
        disputes = {dispute["status"] for dispute in self.all("dispute", payment_intent=payment_intent)}
        harmful = {status for status in disputes if status != "won" and not status.startswith("warning_")}
        return sum(standing) >= self.stripe.simulator.get("payment_intent", payment_intent)["amount"] or bool(harmful)

    def must_be_off(self, subscription: Json) -> bool:
        """Dead, or the money of its current period went back."""
        is_gone = bool(self.stripe.simulator.get("customer", subscription["customer"]).get("deleted"))
        is_over = subscription["status"] not in ("active", "trialing", "past_due")
        return is_gone or is_over or self.current_payments(subscription) == {True}

    def must_be_on(self, subscription: Json) -> bool:
        """Active, neither over nor cancelled by the clock, every invoice paid, the money of the period there."""
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        ends += [subscription["cancel_at"]] if subscription["cancel_at"] else []
        return (
            subscription["status"] in ("active", "trialing")
            and min(ends) > self.stripe.now.timestamp()
            and all(invoice["status"] == "paid" for invoice in self.invoices_of(subscription))
            and self.current_payments(subscription) == {False}
        )

    def current_payments(self, subscription: Json) -> set[bool]:
        """Whether they went back: the payments of whole periods (prorations are none) that began last.

        Of several items: of all invoices whose time is not over. Empty where nothing was paid yet.
        """
        if len(subscription["items"]["data"]) > 1:
            return {
                any(self.went_back(intent) for intent in self.payments_of(invoice["id"]))
                for invoice in self.invoices_of(subscription)
                if invoice["status"] == "paid"
                and any(line["period"]["end"] > self.stripe.now.timestamp() for line in invoice["lines"]["data"])
            }
        began = [
            (line["period"]["start"], invoice["id"])
            for invoice in self.invoices_of(subscription)
            for line in invoice["lines"]["data"]
            if invoice["status"] == "paid" and not line["parent"]["subscription_item_details"]["proration"]
        ]
        newest = {invoice_id for start, invoice_id in began if start == max(began)[0]}
        paid_by = [intent for invoice_id in newest for intent in self.payments_of(invoice_id)]
        return {self.went_back(intent) for intent in paid_by} if paid_by else {False for _ in newest}

    def payments_of(self, invoice_id: str) -> list[str]:
        return [payment["payment"]["payment_intent"] for payment in self.all("invoice_payment", invoice=invoice_id)]

    def invoices_of(self, subscription: Json) -> list[Json]:
        return [invoice for invoice in self.all("invoice") if subscription_of(invoice) == subscription["id"]]


def subscription_of(invoice: Json) -> str:
    subscription_id: str = invoice["parent"]["subscription_details"]["subscription"]
    return subscription_id


@pytest.fixture
def catalog(db: None) -> Iterator[None]:
    with stripe_double_in_memory() as stripe:
        for code in SUBSCRIPTIONS:
            stripe.sell(code)
        stripe.sell("TRIAL", trial_days=14)
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
    story: type[Story] = type("Story", (Story,), {})
    if HISTORIES:
        seed(FIRST_SEED + part)(story)
    run_state_machine_as_test(story, settings=PROFILE)
