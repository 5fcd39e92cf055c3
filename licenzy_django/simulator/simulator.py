"""The simulated Stripe as tests and pages use it: every verb, one a line.

What a verb is given first is the id, or any version, of what it acts on. Those about money:

- ``swap_price(subscription, price, item=, quantity=)``, ``set_quantity(subscription, quantity, item=)``,
  ``add_item(subscription, price, quantity=)``, ``remove_item(subscription, item=)``,
  ``replace_item(subscription, price)`` and
  ``change(subscription, [{"id", "price", "quantity", "deleted"}, …])`` all take the terms of ``change_rules.Terms``:
  ``proration_behavior="none" | "create_prorations" | "always_invoice"``,
  ``payment_behavior="allow_incomplete" | "pending_if_incomplete" | "error_if_incomplete"``, ``paid=True``,
  ``requires_action=False`` (3-D Secure), ``billing_cycle_anchor="now" | "unchanged"``, ``proration_date=``.
- ``propose_update(subscription, price=, quantity=)``: an upgrade whose card is declined, so it waits; then
  ``apply_update`` (it is paid), ``expire_update``, or ``write_off_invoice`` of its invoice with ``"void"``.
- ``create_schedule(subscription)``, ``update_schedule(schedule, {"phases": [{"items", "start_date", "end_date"}, …],
  "end_behavior": "release" | "cancel"})``, ``release_schedule``, ``cancel_schedule``.
- ``subscribe(customer, [(price, quantity)], billing_cycle_anchor=, proration_behavior=, backdate_start_date=,
  billing_mode="flexible" | "classic", trial_days=, by_invoice=False, days_until_due=30, paid=True, status=)``,
  ``accept_quote(customer, [(price, quantity)])``, ``hand_made_invoice(customer, price, subscription=, period=)``,
  ``bill_by_hand(subscription, price)``.
- ``finalize_invoice``, ``fail_finalization``, ``pay_invoice(invoice, out_of_band=)``, ``pay_part(invoice, amount)``,
  ``fail_invoice(invoice, requires_action=)``, ``write_off_invoice(invoice, "void" | "uncollectible")``.
- ``credit_invoice(invoice, amount=, refund_amount=, credit_amount=, out_of_band_amount=)``, ``void_credit_note(note)``.
- ``create_customer({"balance": -500})``: below zero is credit.
- ``move_price(price, to)``: every subscription of a price gets another one without billing; ``forget(kind, ref)``: test
  data that was deleted at Stripe, 404 from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec

from . import clocks, delivery, timeline
from .json_tree import Json, ShownEvent, public, whole
from .rendering import render
from .resources import (
    billing,
    by_hand,
    catalog,
    change_verbs,
    changes,
    coupons,
    credit_notes,
    customers,
    disputes,
    invoices,
    payments,
    pending_updates,
    portal,
    promotion_codes,
    refunds,
    schedules,
    session_discounts,
    session_optional,
    sessions,
    subscriptions,
    trials,
)
from .stores import Store
from .stores.memory import MemoryStore
from .world import DAY, Ref, World

P = ParamSpec("P")


def _on(kind: str, act: Callable[Concatenate[World, Json, P], Json]) -> Callable[Concatenate[World, Ref, P], Json]:
    """The verb ``act`` on a thing named by its id or by any version of it; answers with a copy of the result."""

    def verb(self: World, ref: Ref, /, *args: P.args, **kwargs: P.kwargs) -> Json:
        with self.unit():
            thing = self.find(kind, ref)
            with self.on_clock_of(thing):
                return public(act(self, thing, *args, **kwargs))

    verb.__doc__, verb.__name__ = act.__doc__, act.__name__
    return verb


def _new(act: Callable[Concatenate[World, P], Json]) -> Callable[Concatenate[World, P], Json]:
    def verb(self: World, /, *args: P.args, **kwargs: P.kwargs) -> Json:
        with self.unit():
            return public(act(self, *args, **kwargs))

    verb.__doc__, verb.__name__ = act.__doc__, act.__name__
    return verb


def _delete_customer(world: World, customer: Json) -> Json:
    """Cancels what runs at once, then deletes."""
    for subscription in world.store.all("subscription", customer=customer["id"]):
        if subscription["status"] not in subscriptions.ENDED:
            subscriptions.cancel(world, subscription)
    return customers.mark_deleted(world, customer)


class Simulator(World):
    """A Stripe account in one mode. ``Simulator()`` lives in memory, with a clock that only ``advance`` moves."""

    def __init__(
        self, store: Store | None = None, *, after_retries: str = "cancel", page_base: Callable[[], str] | None = None
    ) -> None:
        super().__init__(store or MemoryStore(), after_retries=after_retries, page_base=page_base)
        self._taken = 0

    # Customers and what is sold
    create_customer = _new(customers.create)
    set_card = _on("customer", customers.set_card)
    delete_customer = _on("customer", _delete_customer)
    create_product = _new(catalog.create_product)
    create_price = _new(catalog.create_price)
    move_price = _on("price", by_hand.move_price)
    create_coupon = _new(coupons.create)
    delete_coupon = _on("coupon", coupons.delete)
    create_promotion_code = _new(promotion_codes.create)

    # The hosted page
    create_session = _new(sessions.create)
    set_session_quantity = _on("checkout.session", sessions.set_quantity)
    choose_optional_item = _on("checkout.session", session_optional.choose)
    apply_promotion_code = _on("checkout.session", session_discounts.apply_promotion_code)
    remove_promotion_code = _on("checkout.session", session_discounts.remove_promotion_code)
    pay = _on("checkout.session", sessions.pay)
    pay_by_bank = _on("checkout.session", sessions.pay_by_bank)
    settle_bank = _on("checkout.session", sessions.settle_bank)
    bounce_bank = _on("checkout.session", sessions.bounce_bank)
    decline = _on("checkout.session", sessions.decline)
    expire = _on("checkout.session", sessions.expire)
    create_portal_session = _new(portal.create_session)

    # Invoices
    subscribe = _new(by_hand.subscribe)
    accept_quote = _new(by_hand.accept_quote)
    roll_period = _on("subscription", schedules.roll_period)
    renew = _on("subscription", schedules.renew)
    retry = _on("subscription", billing.retry)
    recover = _on("subscription", billing.recover)
    bill_by_hand = _on("subscription", by_hand.bill_by_hand)
    hand_made_invoice = _new(by_hand.hand_made_invoice)
    finalize_invoice = _on("invoice", billing.finalize)
    fail_finalization = _on("invoice", invoices.fail_finalization)
    pay_invoice = _on("invoice", billing.pay_invoice)
    pay_part = _on("invoice", billing.pay_part)
    fail_invoice = _on("invoice", billing.fail_invoice)
    write_off_invoice = _on("invoice", billing.write_off)

    # Subscriptions
    cancel = _on("subscription", subscriptions.cancel)
    cancel_at_period_end = _on("subscription", subscriptions.cancel_at_period_end)
    cancel_at = _on("subscription", subscriptions.cancel_at)
    uncancel = _on("subscription", subscriptions.uncancel)
    pause = _on("subscription", subscriptions.pause)
    resume = _on("subscription", trials.resume)
    pause_collection = _on("subscription", subscriptions.pause_collection)
    unpause_collection = _on("subscription", subscriptions.unpause_collection)
    end_trial = _on("subscription", trials.end_trial)
    expire_incomplete = _on("subscription", subscriptions.expire_incomplete)
    change = _on("subscription", changes.update)
    swap_price = _on("subscription", change_verbs.swap_price)
    replace_item = _on("subscription", change_verbs.replace_item)
    add_item = _on("subscription", change_verbs.add_item)
    remove_item = _on("subscription", change_verbs.remove_item)
    set_quantity = _on("subscription", change_verbs.set_quantity)
    propose_update = _on("subscription", change_verbs.propose)
    apply_update = _on("subscription", change_verbs.apply_pending)
    expire_update = _on("subscription", pending_updates.expire)

    create_schedule = _on("subscription", schedules.create)
    update_schedule = _on("subscription_schedule", schedules.update)
    release_schedule = _on("subscription_schedule", schedules.release)
    cancel_schedule = _on("subscription_schedule", schedules.cancel)

    # Money that goes back
    credit_invoice = _on("invoice", credit_notes.create)
    void_credit_note = _on("credit_note", credit_notes.void)
    refund = _new(refunds.create)
    settle_refund = _on("refund", refunds.settle)
    fail_refund = _on("refund", refunds.fail)
    cancel_refund = _on("refund", refunds.cancel)
    dispute = _new(disputes.create)
    update_dispute = _on("dispute", disputes.update)
    close_dispute = _on("dispute", disputes.close)
    win_dispute_late = _on("dispute", disputes.win_late)

    create_webhook_endpoint = _new(portal.create_endpoint)

    @property
    def live(self) -> Simulator:
        """The live world of the same account; its clock is the same, its things are its own."""
        return self.sibling(True)

    def sibling(self, livemode: bool) -> Simulator:
        """The world of that mode of the same account."""
        store = self.store.sibling(livemode)
        return Simulator(store, after_retries=self.after_retries, page_base=self.page_base)

    @property
    def today(self) -> datetime:
        """The time of this world, aware, in UTC."""
        return datetime.fromtimestamp(self.now, UTC)

    def advance(self, by: timedelta | int) -> datetime:
        """Moves the clock (an int is seconds) and performs what falls due, in order."""
        with self.unit():
            timeline.advance(self, by)
        return self.today

    def advance_test_clock(self, ref: Ref, to: int) -> Json:
        """Moves a test clock, and with it all that belongs to its customers."""
        with self.unit():
            clock = self.find(clocks.KIND, ref)
            with self.on_clock_of(clock):
                return public(clocks.advance(self, clock, to))

    def forget(self, kind: str, ref: Ref) -> Json:
        """The seller deleted test data: no event is sent, and asking for the object is 404 from now on."""
        with self.unit():
            return by_hand.forget(self, kind, ref)

    def get(self, kind: str, ref: Ref) -> Json:
        """A copy of an object as Stripe would answer it."""
        return public(self.find(kind, ref))

    def all(self, kind: str, **where: Any) -> list[Json]:
        """Copies of all objects of a kind, oldest first; ``where`` compares top-level fields."""
        return [public(thing) for thing in self.store.all(kind, **where)]

    def newest(self, kind: str, limit: int) -> list[Json]:
        """Copies of the last objects of a kind, newest first."""
        return [public(thing) for thing in self.store.newest(kind, limit)]

    def payment_of(self, ref: Ref) -> Json:
        """The payment intent behind a payment intent, charge, session, invoice or subscription."""
        return public(payments.intent_of(self, ref))

    def trial_days(self, session: Ref) -> int:
        """How long the trial is that this session would begin."""
        end = subscriptions.trial_end(self, self.find("checkout.session", session)["_wanted"]["subscription_data"])
        return -(-(end - self.now) // DAY) if end else 0

    def load_prices(self, prices: list[Json]) -> list[Json]:
        """Creates prices as the setting LICENZY_SIMULATOR["PRICES"] describes them."""
        return [self.create_price(price) for price in prices]

    def events(self, *types: str) -> list[Json]:
        """Everything that was told so far, oldest first, optionally of these types only."""
        return [ShownEvent(event) for event in self.store.all("event") if not types or event["type"] in types]

    def take_events(self) -> list[Json]:
        """What was told since the last time this was asked."""
        told = self.store.all("event")
        fresh, self._taken = told[self._taken :], len(told)
        return [ShownEvent(event) for event in fresh]

    def event(self, event_type: str, kind: str, ref: Ref) -> Json:
        """An event of our own making, with the object as it is now: to be delivered late or never."""
        with self.unit():
            return ShownEvent(self.emit(event_type, self.find(kind, ref)))

    def deliver(
        self, events: list[Json] | None = None, *, post: delivery.Post | None = None, secrets: list[str] | None = None,
        api_version: str | None = "",
    ) -> list[int]:  # fmt: skip
        """Signs and posts the events (default: those not taken yet); answers with the statuses. See ``delivery``."""
        return delivery.deliver(
            self.store, self.take_events() if events is None else events,
            post=post, secrets=secrets, api_version=api_version,
        )  # fmt: skip

    def render(self, event: Mapping[str, Any], api_version: str | None) -> Json:
        return render(whole(event), api_version)
