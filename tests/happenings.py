"""What can happen at Stripe, as the rules of a random history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from licenzy_django.exceptions import AlreadySubscribed
from licenzy_django.models import CheckoutAttempt
from licenzy_django.simulator import Simulator
from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.testing import StripeDouble
from tests.histories import handled

Json = dict[str, Any]

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
TERMS = st.sampled_from(
    [
        {"proration_behavior": "none"},
        {"proration_behavior": "create_prorations"},
        {"proration_behavior": "always_invoice"},
        {"proration_behavior": "always_invoice"},
        {"proration_behavior": "always_invoice", "paid": False},
    ]
)


class AtStripe(RuleBasedStateMachine):
    """Customers, banks and operators do things at Stripe. The events wait in ``pending``.

    Attributes:
        told: all events, in order.
        unbilled: subscriptions of which a change made no invoice of its own.
        proposed: invoices of changes that waited for their payment.
        imported: price and quantity with which a subscription began for which nothing was billed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stripe = StripeDouble(Simulator())
        for code, price in PRICES.items():
            name = f"price_{code.lower()}"
            self.stripe.simulator.create_price({"id": name, "currency": "eur", "product_name": code, **price})
        self.pending: list[Json] = []
        self.told: list[Json] = []
        self.unbilled: set[str] = set()
        self.proposed: set[str] = set()
        self.imported: dict[str, tuple[str, int]] = {}

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
        verb=st.sampled_from(["swap_price", "add_item", "replace_item"]),
        terms=TERMS,
    )
    def change_items(self, which: int, code: str, verb: str, terms: Json) -> None:
        with self.noting_unbilled_changes():
            self.act(verb, "subscription", which, f"price_{code.lower()}", **terms)

    @rule(which=st.integers(0, 3), code=st.sampled_from([None, *SUBSCRIPTIONS]), quantity=st.integers(1, 9),
          requires_action=st.booleans())  # fmt: skip
    def propose_update(self, which: int, code: str | None, quantity: int, requires_action: bool) -> None:
        """An upgrade whose card is declined."""
        price = f"price_{code.lower()}" if code else None
        with self.noting_unbilled_changes():
            self.act("propose_update", "subscription", which, price=price, quantity=quantity,
                     paid=requires_action, requires_action=requires_action)  # fmt: skip
        waiting = [each for each in self.stripe.simulator.all("subscription") if each["pending_update"]]
        self.proposed |= {subscription["latest_invoice"] for subscription in waiting}

    @contextmanager
    def noting_unbilled_changes(self) -> Iterator[None]:
        """A change that makes no invoice of its own was not billed, whatever was asked for: none is in a trial."""
        before = self.items_and_latest_invoices()
        yield
        for subscription_id, (items, latest) in self.items_and_latest_invoices().items():
            old_items, old_latest = before[subscription_id]
            if items != old_items and latest == old_latest:
                self.unbilled.add(subscription_id)

    def items_and_latest_invoices(self) -> dict[str, tuple[list[tuple[str, int]], str | None]]:
        return {
            subscription["id"]: (
                [(item["price"]["id"], item["quantity"]) for item in subscription["items"]["data"]],
                subscription["latest_invoice"],
            )
            for subscription in self.stripe.simulator.all("subscription")
        }

    @rule(
        which=st.integers(0, 1),
        code=st.sampled_from(SUBSCRIPTIONS),
        quantity=st.integers(1, 9),
        how=st.sampled_from(["by_invoice", "quote", "imported", "anchored", "classic", "unpaid"]),
    )
    def subscribe_by_hand(self, which: int, code: str, quantity: int, how: str) -> None:
        """In the Dashboard, for a customer of ours."""
        simulator = self.stripe.simulator
        customer = simulator.all("customer")[which % len(simulator.all("customer"))]["id"]
        prices = [(f"price_{code.lower()}", quantity)]
        before = {subscription["id"] for subscription in simulator.all("subscription")}
        anchor = simulator.now + 10 * 86_400
        given: Json = {
            "by_invoice": {"by_invoice": True},
            "imported": {"billing_cycle_anchor": anchor, "proration_behavior": "none"},
            "anchored": {"billing_cycle_anchor": anchor},
            "classic": {"billing_mode": "classic"},
            "unpaid": {"paid": False},
        }
        if how == "quote":
            self.do(simulator.accept_quote, customer, prices, paid=quantity != 1)
        else:
            self.do(simulator.subscribe, customer, prices, **given[how])
        for subscription in simulator.all("subscription"):
            if how == "imported" and subscription["id"] not in before:
                self.imported[subscription["id"]] = prices[0]

    @rule(which=st.integers(0, 7), verb=st.sampled_from(["pay_invoice", "fail_invoice", "finalize_invoice",
                                                         "fail_finalization", "pay_part", "out_of_band"]))  # fmt: skip
    def handle_an_invoice(self, which: int, verb: str) -> None:
        if verb == "out_of_band":
            self.act("pay_invoice", "invoice", which, out_of_band=True)
        else:
            self.act(verb, "invoice", which, *([100] if verb == "pay_part" else []))

    @rule(which=st.integers(0, 7), amount=st.sampled_from([None, None, 100]),
          way=st.sampled_from(["refund", "credit_amount", "out_of_band_amount"]))  # fmt: skip
    def credit_an_invoice(self, which: int, amount: int | None, way: str) -> None:
        """A credit note, over a part or over all that is left."""
        invoices = self.stripe.simulator.all("invoice")
        if invoices:
            total = invoices[which % len(invoices)]["total"] if amount is None else amount
            self.act("credit_invoice", "invoice", which, amount=amount, **({} if way == "refund" else {way: total}))

    @rule(which=st.integers(0, 1))
    def void_a_credit_note(self, which: int) -> None:
        self.act("void_credit_note", "credit_note", which)

    @rule(code=st.sampled_from(SUBSCRIPTIONS), to=st.sampled_from(SUBSCRIPTIONS))
    def move_a_price(self, code: str, to: str) -> None:
        with self.noting_unbilled_changes():
            self.do(self.stripe.simulator.move_price, f"price_{code.lower()}", f"price_{to.lower()}")

    @rule(which=st.integers(0, 1))
    def bill_something_else(self, which: int) -> None:
        self.act("bill_by_hand", "subscription", which, "price_credits")

    @rule(which=st.integers(0, 3), status=st.sampled_from(["void", "uncollectible"]))
    def write_off(self, which: int, status: str) -> None:
        self.act("write_off_invoice", "invoice", which, status)

    @rule(which=st.integers(0, 3), quantity=st.integers(1, 9), terms=TERMS)
    def change_seats(self, which: int, quantity: int, terms: Json) -> None:
        with self.noting_unbilled_changes():
            self.act("set_quantity", "subscription", which, quantity, **terms)

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
