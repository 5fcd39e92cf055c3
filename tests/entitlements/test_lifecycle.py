"""Contract section 5, a row at a time: what each Stripe fact does to entitlement and access."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from licenzy_django import access, sync
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, StripeEvent, Subject
from licenzy_django.testing import StripeDouble
from tests.backend import Backend
from tests.histories import (
    EVERYTHING,
    HISTORIES,
    REF,
    History,
    Json,
    delete_customer,
    handled,
    newest,
    sub,
    subscribe_by_invoice,
    undone,
)

pytestmark = [pytest.mark.logic, pytest.mark.sells(**EVERYTHING)]

Outcome = dict[str, tuple[str, bool, str | None]]
ON = ("active", True, None)
CANCELED = ("canceled", False, "canceled")
REFUNDED = ("canceled", False, "refunded")
DISPUTED = ("suspended", False, "disputed")
LOST = ("canceled", False, "disputed")
PAST_DUE = ("past_due", False, "past_due")

OUTCOMES: dict[str, Outcome] = {
    "purchase": {"WEEK_PASS": ON},
    "purchase and full refund": {"WEEK_PASS": REFUNDED},
    "purchase and partial refund": {"WEEK_PASS": ON},
    "purchase and two refunds that make a whole": {"WEEK_PASS": REFUNDED},
    "refund that fails": {"WEEK_PASS": ON},
    "refund that fails and is made again": {"CREDITS": REFUNDED},
    "purchase with refund and inquiry": {"CREDITS": REFUNDED},
    "dispute opened": {"WEEK_PASS": DISPUTED},
    "dispute won": {"WEEK_PASS": ON},
    "dispute lost": {"WEEK_PASS": LOST},
    "dispute lost at once": {"CREDITS": LOST},
    "late win": {"WEEK_PASS": ON},
    "inquiry that is closed": {"WEEK_PASS": ON},
    "inquiry that becomes a chargeback": {"WEEK_PASS": DISPUTED},
    "two disputes on one charge": {"WEEK_PASS": DISPUTED},
    "dispute of an unknown status": {"WEEK_PASS": DISPUTED},
    "bank debit that settles": {"WEEK_PASS": ON},
    "bank debit that bounces": {},
    "page that expires": {},
    "quantity changed on the page": {"CREDITS": ON},
    "two passes": {"WEEK_PASS": ON},
    "two passes, the first refunded": {"WEEK_PASS": ON},
    "two packs, one disputed": {"CREDITS_30_DAYS": ON},
    "first period": {"PRO_MONTHLY": ON},
    "trial": {"TRIAL": ("trialing", True, None)},
    "seats": {"SEATS": ON},
    "renewal": {"PRO_MONTHLY": ON},
    "renewal in its draft hour": {"PRO_MONTHLY": ON},
    "renewal that fails": {"PRO_MONTHLY": PAST_DUE},
    "renewal that fails, with grace": {"GRACE": ("past_due", True, None)},
    "renewal that fails and recovers": {"PRO_MONTHLY": ON},
    "renewal that is written off": {"PRO_MONTHLY": ON},
    "trial that ends": {"TRIAL": ON},
    "swap to yearly": {"PRO_MONTHLY": CANCELED, "PRO_YEARLY": ON},
    "swap and back": {"SEATS": ON, "GRACE": CANCELED},
    "item added and removed": {"PRO_MONTHLY": ON, "SEATS": CANCELED},
    "more seats": {"SEATS": ON},
    "update that waits for its payment": {"SEATS": CANCELED, "GRACE": ON},
    "update that is never paid": {"SEATS": ON},
    "cancel at period end, portal": {"PRO_MONTHLY": ON},
    "cancel at period end, classic": {"PRO_MONTHLY": ON},
    "cancel now": {"PRO_MONTHLY": CANCELED},
    "pause and resume": {"PRO_MONTHLY": ON},
    "paused": {"PRO_MONTHLY": ("suspended", False, "paused")},
    "collection paused": {"PRO_MONTHLY": ON},
    "current period refunded": {"PRO_MONTHLY": ("past_due", False, "refunded")},
    "first period refunded at once": {"PRO_MONTHLY": ("past_due", False, "refunded")},
    "current period refunded, next one clean": {"PRO_MONTHLY": ON},
    "current period disputed and won": {"PRO_MONTHLY": ON},
    "refund of a period, after a clean renewal": {"PRO_MONTHLY": ON},
    "swap to monthly after the year was refunded": {"PRO_MONTHLY": ON, "PRO_YEARLY": CANCELED},
    "swap to monthly that is refunded": {"PRO_MONTHLY": ("past_due", False, "refunded"), "PRO_YEARLY": ON},
    "refund of a period, after more seats were paid": {"SEATS": ("past_due", False, "refunded")},
    "renewal with more lines than an event carries": {"SEATS": ON},
    "refund of a renewal with more lines than an event carries": {"SEATS": ("past_due", False, "refunded")},
    "something else is paid on an unpaid subscription": {
        "WEEK_PASS": ON,
        "PRO_MONTHLY": ("suspended", False, "payment_pending"),
    },
    "subscription by invoice that is paid": {"WEEK_PASS": ON, "PRO_MONTHLY": ON},
    "no seats": {"SEATS": ("suspended", False, "canceled")},
    "no seats and some again": {"SEATS": ON},
    "customer deleted": {"PRO_MONTHLY": CANCELED, "WEEK_PASS": ON},
    "two subscriptions to one product": {"PRO_MONTHLY": ON},
}


def best(stripe: StripeDouble) -> Outcome:
    """Of each product the row that is worth most."""
    views = sorted(access.entitlements_of(REF, at=stripe.now), key=lambda view: view.available)
    return {view.product_code: (view.status, view.available, view.reason) for view in views}


def test_every_history_has_an_expected_outcome() -> None:
    assert {history.name for history in HISTORIES} == OUTCOMES.keys()


def check_outcome(history: History, stripe: StripeDouble, versions: Sequence[str | None]) -> None:
    history.prelude(stripe)
    history.tail(stripe)
    events = handled(stripe.take_events())

    for version in versions:
        with undone():
            assert set(stripe.deliver(events, api_version=version)) == {200}
            assert best(stripe) == OUTCOMES[history.name], version


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_outcome(history: History, stripe: StripeDouble) -> None:
    check_outcome(history, stripe, ["2026-10-28.endive"])


@pytest.mark.slow
@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_outcome_in_every_other_shape_that_stripe_renders(history: History, stripe: StripeDouble) -> None:
    check_outcome(history, stripe, ["2024-06-20", "2025-08-27.basil", None])


def test_an_unpaid_session_waits_and_a_bounced_one_fails(stripe: StripeDouble) -> None:
    session = stripe.simulator.pay_by_bank(stripe.checkout(REF, "WEEK_PASS"))
    stripe.deliver()
    assert CheckoutAttempt.objects.get().status == "pending_payment"
    assert not access.check(REF)

    stripe.simulator.bounce_bank(session)
    stripe.deliver()

    attempt = CheckoutAttempt.objects.get()
    assert (attempt.status, attempt.failure_reason) == ("failed", "payment_failed")
    assert not Entitlement.objects.exists()


def test_an_expired_page_fails_its_attempt(stripe: StripeDouble) -> None:
    stripe.simulator.expire(stripe.checkout(REF, "WEEK_PASS"))
    stripe.deliver()

    attempt = CheckoutAttempt.objects.get()
    assert (attempt.status, attempt.failure_reason) == ("failed", "expired")


def test_an_inquiry_changes_nothing(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "WEEK_PASS")
    stripe.dispute(session, status="warning_under_review")

    assert access.check(REF)


def test_passes_are_stacked_end_to_end(stripe: StripeDouble) -> None:
    stripe.buy(REF, "WEEK_PASS")
    stripe.advance(days=2)
    stripe.buy(REF, "WEEK_PASS")

    second, first = access.entitlements_of(REF)
    assert second.starts_at == first.expires_at
    assert (second.available, second.reason) == (False, "not_started")
    assert first.expires_at is not None
    assert access.check(REF, at=first.expires_at + timedelta(days=6))
    assert not access.check(REF, at=first.expires_at + timedelta(days=7))


def test_what_was_paid_for_without_a_sane_end_is_on_all_the_same(stripe: StripeDouble, backend: Backend) -> None:
    page = stripe.checkout(REF, "WEEK_PASS")
    attempt = CheckoutAttempt.objects.get()
    attempt.terms["duration_days"] = 3_000_000
    attempt.save()

    stripe.pay(page)

    assert access.check(REF)
    assert backend.entitlements(REF)["entitlements"][0]["expires_at"] == "9999-12-31T00:00:00Z"
    assert not StripeEvent.objects.filter(status="failed").exists()


def test_a_refunded_pass_makes_room_for_the_next_one_at_once(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "WEEK_PASS")
    stripe.buy(REF, "WEEK_PASS")
    stripe.advance(days=1)
    refund = stripe.simulator.refund(session, status="pending")
    stripe.deliver()
    second = access.entitlements_of(REF)[0]
    assert (second.available, second.starts_at) == (True, stripe.now)

    stripe.simulator.fail_refund(refund)
    stripe.deliver()

    second, first = access.entitlements_of(REF)
    assert first.available
    assert second.starts_at == first.expires_at


def test_packs_add_up_and_their_quantity_is_stripes(stripe: StripeDouble) -> None:
    stripe.buy(REF, "CREDITS")
    session = stripe.checkout(REF, "CREDITS", quantity=2)
    stripe.simulator.pay(stripe.simulator.set_session_quantity(session, 5))
    stripe.deliver()

    assert access.summary(REF).usage_remaining == 600


def test_a_refund_voids_its_own_pack_and_a_failed_refund_gives_it_back(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "CREDITS")
    stripe.buy(REF, "CREDITS")
    refund = stripe.simulator.refund(session, status="pending")
    stripe.deliver()
    assert access.summary(REF).usage_remaining == 100

    stripe.simulator.fail_refund(refund)
    stripe.deliver()

    assert access.summary(REF).usage_remaining == 200


@pytest.mark.parametrize("way", ["flexible", "classic"])
def test_a_cancelled_subscription_ends_by_the_clock_alone(stripe: StripeDouble, way: str) -> None:
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.cancel_at_period_end(session["subscription"], way=way)
    stripe.deliver()

    (view,) = access.entitlements_of(REF)
    assert (view.status, view.available) == ("active", True)
    assert view.cancel_at is not None
    assert access.check(REF, at=view.cancel_at - timedelta(seconds=1))
    (after,) = access.entitlements_of(REF, at=view.cancel_at)
    assert (after.status, after.available, after.reason) == ("canceled", False, "canceled")


def test_items_of_different_rhythm_are_cancelled_together_at_the_last_period_end(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.add_item(sub(stripe), "price_pro_yearly")
    stripe.simulator.find("subscription", sub(stripe)["id"])["cancel_at_period_end"] = True
    stripe.deliver()

    last = max(item["current_period_end"] for item in sub(stripe)["items"]["data"])
    views = access.entitlements_of(REF)
    assert {view.cancel_at.timestamp() for view in views if view.cancel_at} == {last}
    (monthly,) = [view for view in views if view.product_code == "PRO_MONTHLY"]
    assert monthly.current_period_end is not None
    assert access.check(REF, "PRO_MONTHLY", at=monthly.current_period_end)
    assert not access.check(REF, "PRO_MONTHLY", at=monthly.current_period_end + timedelta(days=1))


def test_a_period_without_an_end_gives_no_access_without_end(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    paid_until = access.entitlements_of(REF)[0].current_period_end
    live = stripe.simulator.find("subscription", sub(stripe)["id"])
    live["items"]["data"][0] |= {"current_period_start": None, "current_period_end": None}
    event = stripe.simulator.event("customer.subscription.updated", "subscription", live["id"])
    assert paid_until is not None

    assert stripe.deliver([event]) == [200]

    assert access.check(REF, at=paid_until + timedelta(hours=23))
    assert not access.check(REF, at=paid_until + timedelta(hours=24))


def test_a_subscription_with_no_seats_is_off_and_not_over(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS", quantity=2)
    stripe.simulator.set_quantity(sub(stripe), 0)
    stripe.deliver()
    assert access.entitlements_of(REF)[0].status == "suspended"

    stripe.cancel(sub(stripe))

    assert best(stripe) == {"SEATS": CANCELED}


def test_a_renewal_without_news_stays_on_for_the_leeway_only(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    end = access.entitlements_of(REF)[0].current_period_end
    assert end is not None

    assert access.check(REF, at=end + timedelta(hours=23, minutes=59))
    late = access.check(REF, at=end + timedelta(hours=24))
    assert (bool(late), late.reason) == (False, "expired")


def test_grace_ends_by_the_clock(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "GRACE")
    paid_until = access.entitlements_of(REF)[0].current_period_end
    stripe.renew(session, paid=False)
    assert paid_until is not None

    assert access.check(REF, at=paid_until + timedelta(days=5) - timedelta(seconds=1))
    late = access.check(REF, at=paid_until + timedelta(days=5))
    assert (bool(late), late.reason) == (False, "past_due")


def test_a_subscription_without_a_confirmed_payment_grants_nothing(stripe: StripeDouble) -> None:
    stripe.simulator.expire(stripe.checkout(REF, "PRO_MONTHLY"))
    subscribe_by_invoice(stripe)
    events = {event["type"]: event for event in stripe.take_events()}

    stripe.deliver([events["customer.subscription.created"]])
    (view,) = access.entitlements_of(REF)
    assert (view.status, view.available, view.reason) == ("suspended", False, "payment_pending")

    stripe.simulator.pay_invoice(newest(stripe, "invoice"))
    stripe.deliver()
    assert access.check(REF)


def test_paid_session_alone_turns_a_subscription_on(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    completed = [event for event in stripe.take_events() if event["type"] == "checkout.session.completed"]

    stripe.deliver(completed)

    assert access.check(REF)


def test_seats_follow_the_subscription(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "SEATS", quantity=2)
    stripe.simulator.set_quantity(session["subscription"], 7)
    stripe.deliver()

    assert [view.quantity for view in access.entitlements_of(REF)] == [7]


def test_after_its_customer_was_deleted_a_subject_can_buy_again(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    delete_customer(stripe)
    stripe.deliver()
    assert not access.check(REF)

    stripe.buy(REF, "PRO_MONTHLY")

    assert access.check(REF)


def test_a_price_that_left_the_catalog_keeps_what_it_was_sold_as(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO_MONTHLY")
    new = {"id": "price_new", "currency": "eur", "unit_amount": 1, "product_name": "New"}
    stripe.simulator.create_price({**new, "recurring": {"interval": "month"}})
    product = access.check(REF).entitlement.product  # type: ignore[union-attr]
    product.stripe_price_id = "price_new"
    product.save()

    stripe.renew(session)

    assert access.check(REF, "PRO_MONTHLY")


def test_a_strangers_purchase_grants_nobody_anything(stripe: StripeDouble) -> None:
    stripe.checkout(REF, "WEEK_PASS")
    attempt = CheckoutAttempt.objects.get()
    stranger = stripe.simulator.create_session(
        {
            "mode": "payment",
            "client_reference_id": attempt.public_id,
            "metadata": {"licenzy_attempt": attempt.public_id},
            "line_items": [{"price": "price_week_pass", "quantity": 1}],
            "success_url": "https://example.com",
        }
    )
    stripe.simulator.pay(stranger)

    assert set(stripe.deliver()) == {200}

    assert not access.check(REF)
    assert not Entitlement.objects.exists()


def test_our_metadata_on_another_customers_session_finds_no_attempt(stripe: StripeDouble) -> None:
    stripe.checkout(REF, "WEEK_PASS")
    CheckoutAttempt.objects.update(stripe_session_id="", checkout_url="")
    attempt = CheckoutAttempt.objects.get()
    stranger = stripe.simulator.create_session(
        {
            "mode": "payment",
            "customer": stripe.simulator.create_customer({})["id"],
            "metadata": {"licenzy_attempt": attempt.public_id},
            "line_items": [{"price": "price_week_pass", "quantity": 1}],
            "success_url": "https://example.com",
        }
    )
    stripe.simulator.pay(stranger)

    assert set(stripe.deliver()) == {200}

    assert not access.check(REF)
    attempt.refresh_from_db()
    assert (attempt.status, attempt.stripe_session_id) == ("created", "")


def test_every_change_has_a_history_row_with_its_event(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.renew(session, paid=False)
    stripe.cancel(sub(stripe))

    changes = list(EntitlementChange.objects.order_by("pk"))
    assert changes[0].before == {}
    assert all(change.stripe_event_id.startswith("evt_") and change.source == "stripe" for change in changes)
    assert changes[-1].after["status"] == "canceled"
    assert changes[-1].reason in ("subscription_deleted", "subscription_updated")
    replayed = [change.after for change in changes]
    row = Entitlement.objects.get()
    state = {name: value for after in replayed for name, value in after.items()}
    assert (state["status"], state["status_reason"]) == (row.status, row.status_reason)


def test_a_refunded_invoice_is_found_without_the_link_event(stripe: StripeDouble) -> None:
    """An endpoint without invoice_payment.paid: the refund asks Stripe which invoice its payment paid."""
    session = stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    stripe.deliver([event for event in stripe.take_events() if event["type"] != "invoice_payment.paid"])
    assert access.check(REF)

    stripe.refund(newest(stripe, "payment_intent"))

    assert session["subscription"]
    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "refunded")


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_refund_that_comes_before_its_invoice_fetches_it_however_often_that_fails(
    stripe: StripeDouble, is_interrupted: bool
) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    stripe.deliver(stripe.simulator.events("checkout.session.completed", "customer.subscription.created"))
    stripe.take_events()
    stripe.simulator.refund(newest(stripe, "payment_intent"))
    (refunded,) = [event for event in stripe.take_events() if event["type"] == "refund.created"]
    if is_interrupted:
        stripe.faults.add("GET", "/v1/invoices/*", "drop_before", times=3)
        assert stripe.deliver([refunded]) == [503]
        stripe.faults.clear()

    assert stripe.deliver([refunded]) == [200]

    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_a_refund_between_the_link_and_the_invoice_does_not_wait_for_it(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    stripe.deliver([event for event in stripe.take_events() if not event["type"].startswith("invoice.")])
    assert access.check(REF)

    stripe.refund(newest(stripe, "payment_intent"))

    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "refunded")


@pytest.mark.parametrize("order", [1, -1])
def test_a_refund_that_names_only_a_charge_finds_the_invoice_whose_first_try_failed(
    stripe: StripeDouble, order: int
) -> None:
    session = stripe.buy(REF, "PRO_MONTHLY")
    stripe.simulator.renew(session["subscription"], paid=False)
    stripe.simulator.recover(session["subscription"])
    stripe.deliver(stripe.take_events()[::order], api_version="2024-06-20")
    assert access.check(REF)
    stripe.simulator.refund(newest(stripe, "payment_intent"))
    (refunded,) = [event for event in stripe.take_events() if event["type"] == "refund.created"]
    refunded["data"]["object"]["payment_intent"] = None

    stripe.deliver([refunded], api_version="2024-06-20")

    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_a_paid_session_that_names_no_subscription_yet_is_no_purchase_without_end(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    (completed,) = stripe.simulator.events("checkout.session.completed")
    completed["data"]["object"]["subscription"] = None

    assert stripe.deliver([completed]) == [200]

    assert not access.check(REF)


def test_grace_counts_from_what_was_paid_also_while_the_first_invoice_is_unknown(stripe: StripeDouble) -> None:
    session = stripe.simulator.pay(stripe.checkout(REF, "GRACE"))
    stripe.deliver(stripe.simulator.events("checkout.session.completed"))
    stripe.take_events()
    paid_until = access.entitlements_of(REF)[0].current_period_end
    stripe.renew(session, paid=False)
    assert paid_until is not None

    assert access.check(REF)
    assert not access.check(REF, at=paid_until + timedelta(days=5))


def test_a_free_change_does_not_hide_the_refund_of_its_period(stripe: StripeDouble) -> None:
    stripe.sell("FREE", amount=0)
    stripe.buy(REF, "PRO_MONTHLY")
    paid = newest(stripe, "payment_intent")
    stripe.advance(days=3)
    stripe.simulator.swap_price(sub(stripe), "price_free", invoice_now=True)
    stripe.deliver()
    assert newest(stripe, "invoice")["amount_paid"] == 0

    stripe.refund(paid)

    refused = access.check(REF, "FREE")
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_grace_counts_from_the_last_payment_and_not_from_the_end_of_a_trial_cut_short(stripe: StripeDouble) -> None:
    stripe.sell("LONG_TRIAL", trial_days=90, grace_days=5)
    session = stripe.buy(REF, "LONG_TRIAL")
    stripe.advance(days=1)
    stripe.simulator.end_trial(sub(stripe), early=True)
    stripe.deliver()
    paid_until = access.entitlements_of(REF)[0].current_period_end
    assert paid_until is not None
    assert paid_until < stripe.now + timedelta(days=32)

    stripe.renew(session, paid=False)

    assert access.check(REF, at=paid_until + timedelta(days=5) - timedelta(seconds=1))
    assert not access.check(REF, at=paid_until + timedelta(days=5))


def test_more_seats_paid_while_the_renewal_is_not_do_not_prolong_the_grace(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "GRACE")
    paid_until = access.entitlements_of(REF)[0].current_period_end
    stripe.renew(session, paid=False)
    assert paid_until is not None

    add_a_seat_and_pay_for_it(stripe)

    assert access.check(REF)
    assert not access.check(REF, at=paid_until + timedelta(days=5))


def add_a_seat_and_pay_for_it(stripe: StripeDouble) -> None:
    """Of a subscription that stays past due, since the renewal is its latest invoice."""
    subscription = sub(stripe)
    stripe.simulator.swap_price(subscription, "price_grace", quantity=2, invoice_now=True)
    live = stripe.simulator.find("subscription", subscription["id"])
    live |= {"latest_invoice": subscription["latest_invoice"], "status": "past_due"}
    stripe.deliver()


def test_a_paid_checkout_counts_also_where_its_invoice_has_no_lines(stripe: StripeDouble) -> None:
    stripe.simulator.pay(stripe.checkout(REF, "PRO_MONTHLY"))
    events = stripe.take_events()
    for event in events:
        if event["data"]["object"]["object"] == "invoice":
            event["data"]["object"]["lines"] |= {"data": [], "total_count": 0}

    stripe.deliver(events)

    assert access.check(REF)
    stripe.refund(newest(stripe, "payment_intent"))
    assert not access.check(REF)


def test_an_item_that_replaced_another_rests_on_what_was_paid_for_it(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    paid = newest(stripe, "payment_intent")
    stripe.simulator.replace_item(sub(stripe), "price_seats")
    stripe.simulator.swap_price(sub(stripe), "price_grace")
    stripe.deliver()
    assert access.check(REF, "GRACE")

    stripe.refund(paid)

    refused = access.check(REF, "GRACE")
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_the_dispute_of_an_older_period_does_not_follow_the_price_to_a_new_item(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS")
    stripe.dispute(newest(stripe, "payment_intent"))
    stripe.advance(days=1)
    stripe.simulator.swap_price(sub(stripe), "price_pro_yearly")
    stripe.simulator.replace_item(sub(stripe), "price_seats")

    stripe.deliver()

    assert access.check(REF, "SEATS")


# --- several items, found by reviews ----------------------------------------------------------------------------------


def test_a_new_item_does_not_rest_on_what_a_former_one_paid_long_ago(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.advance(days=1)
    stripe.simulator.replace_item(sub(stripe), "price_seats")
    stripe.simulator.renew(sub(stripe))
    stripe.simulator.refund(newest(stripe, "payment_intent"))
    stripe.simulator.add_item(sub(stripe), "price_grace")

    stripe.deliver()

    assert not access.check(REF), "the only payment of this period went back"


def test_the_refund_of_a_former_item_locks_no_later_one_out(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.refund(newest(stripe, "payment_intent"))
    stripe.advance(days=1)
    stripe.simulator.replace_item(sub(stripe), "price_seats")
    for _ in range(3):
        stripe.simulator.renew(sub(stripe))
    stripe.simulator.add_item(sub(stripe), "price_grace")

    stripe.deliver()

    assert access.check(REF, "SEATS")
    assert access.check(REF, "GRACE")


def test_a_former_yearly_item_pays_for_its_successor_beside_a_monthly_one(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_YEARLY")
    year = newest(stripe, "payment_intent")
    yearly = sub(stripe)["items"]["data"][0]
    stripe.advance(days=1)
    stripe.simulator.add_item(sub(stripe), "price_pro_monthly")
    stripe.simulator.renew(sub(stripe))
    stripe.deliver()
    stripe.sell("OTHER_YEARLY", interval="year", amount=20_000)
    stripe.simulator.replace_item(sub(stripe), "price_other_yearly", item=yearly["id"])
    stripe.deliver()
    assert access.check(REF, "OTHER_YEARLY")

    stripe.refund(year)

    assert not access.check(REF, "OTHER_YEARLY")


def kept(events: list[Json], *objects: str) -> list[Json]:
    return [event for event in events if event["data"]["object"]["object"] in objects]


def seats_added(stripe: StripeDouble) -> Json:
    """Ten seats come in mid-period beside PRO_MONTHLY and are paid at once; returns their item."""
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.advance(days=1)
    stripe.simulator.add_item(sub(stripe), "price_seats", quantity=10, proration_behavior="always_invoice")
    item: Json = sub(stripe)["items"]["data"][-1]
    stripe.deliver()
    assert access.check(REF, "SEATS")
    return item


def test_one_seat_more_does_not_hide_the_refund_of_the_others(stripe: StripeDouble) -> None:
    item, ten = seats_added(stripe), newest(stripe, "payment_intent")
    stripe.advance(days=1)
    stripe.simulator.swap_price(sub(stripe), "price_seats", item=item["id"], quantity=11, invoice_now=True)
    stripe.deliver()
    stripe.advance(days=1)

    stripe.refund(ten)

    assert not access.check(REF, "SEATS")
    assert access.check(REF, "PRO_MONTHLY")


def test_one_seat_less_does_not_hide_the_dispute_of_the_others(stripe: StripeDouble) -> None:
    """The change makes an invoice of less than nothing, which counts as paid."""
    item = seats_added(stripe)
    stripe.dispute(newest(stripe, "payment_intent"))
    stripe.advance(days=1)
    stripe.simulator.swap_price(sub(stripe), "price_seats", item=item["id"], quantity=9, invoice_now=True)
    assert newest(stripe, "invoice")["total"] < 0
    stripe.deliver()

    assert not access.check(REF, "SEATS")


def test_a_proration_does_not_follow_the_price_to_an_item_that_is_added_later(stripe: StripeDouble) -> None:
    """Where Stripe writes it as an item of the invoice's own, it names a price and no item."""
    stripe.buy(REF, "PRO_MONTHLY")
    stripe.advance(days=1)
    stripe.simulator.add_item(sub(stripe), "price_seats")
    item = sub(stripe)["items"]["data"][-1]["id"]
    stripe.simulator.swap_price(sub(stripe), "price_seats", item=item, invoice_now=True)
    events = stripe.take_events()
    for line in (line for event in events for line in event["data"]["object"].get("lines", {}).get("data", [])):
        details = line["parent"]["subscription_item_details"]
        if details and details["proration"]:
            own = {"invoice_item": "ii_1", "proration": True, "subscription": details["subscription"]}
            line["parent"] = {"type": "invoice_item_details", "invoice_item_details": own}
    stripe.deliver(events)
    stripe.refund(newest(stripe, "payment_intent"))
    assert not access.check(REF, "SEATS")
    stripe.simulator.remove_item(sub(stripe), item=item)
    for _ in range(3):
        stripe.simulator.renew(sub(stripe))

    stripe.simulator.add_item(sub(stripe), "price_seats")
    stripe.deliver()

    assert access.check(REF, "SEATS")


def test_a_month_bought_with_the_rest_of_a_disputed_year_is_not_paid(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO_YEARLY")
    stripe.advance(days=3)
    dispute = stripe.dispute(newest(stripe, "payment_intent"))
    stripe.advance(days=1)
    stripe.simulator.swap_price(sub(stripe), "price_pro_monthly", proration_behavior="always_invoice")
    assert (newest(stripe, "invoice")["amount_paid"], newest(stripe, "invoice")["status"]) == (0, "paid")
    stripe.deliver()
    refused = access.check(REF)
    assert (bool(refused), refused.reason) == (False, "disputed")

    stripe.close_dispute(dispute, won=True)

    assert access.check(REF, "PRO_MONTHLY")


def test_an_invoice_of_less_than_nothing_is_no_refund(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS", quantity=9)
    stripe.advance(days=1)
    stripe.simulator.set_quantity(sub(stripe), 1, prorated=True)
    renewal = stripe.simulator.renew(sub(stripe))
    assert (renewal["total"] < 0, renewal["amount_due"], renewal["amount_paid"]) == (True, 0, 0)
    events = stripe.take_events()
    for invoice in (event["data"]["object"] for event in events if event["type"].startswith("invoice.")):
        invoice["amount_paid"] = -3364  # not what Stripe says, and no reason to fail for ever

    assert set(stripe.deliver(events)) == {200}

    assert access.check(REF, "SEATS")


def refresh(page: Json) -> None:
    sync.refresh_checkout(page["id"], REF, mode="test")


def repair(page: Json) -> None:
    sync.repair(Subject.objects.get())


@pytest.mark.parametrize("looks", [refresh, repair], ids=lambda looks: looks.__name__)
def test_what_a_page_would_have_cost_while_it_was_open_is_forgotten(
    stripe: StripeDouble, looks: Callable[[Json], object]
) -> None:
    page = stripe.checkout(REF, "CREDITS", quantity=5)
    looks(page)
    stripe.pay(stripe.simulator.set_session_quantity(page, 1))
    assert access.check(REF)

    stripe.refund(newest(stripe, "payment_intent"))

    assert not access.check(REF)


@pytest.mark.parametrize("looks", [refresh, repair], ids=lambda looks: looks.__name__)
def test_a_partial_refund_of_more_packs_than_the_page_began_with(
    stripe: StripeDouble, looks: Callable[[Json], object]
) -> None:
    page = stripe.checkout(REF, "CREDITS_30_DAYS")
    looks(page)
    stripe.pay(stripe.simulator.set_session_quantity(page, 12))

    stripe.refund(newest(stripe, "payment_intent"), 900)

    assert access.check(REF)


def test_an_answer_that_is_kept_while_its_session_is_looked_for(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = stripe.checkout(REF, "WEEK_PASS")
    CheckoutAttempt.objects.update(stripe_session_id="")
    stripe.simulator.pay(page)
    fetch = QuerySet._fetch_all  # type: ignore[attr-defined]

    def then_the_answer_is_kept(rows: Any) -> None:
        fetch(rows)
        if rows.model is CheckoutAttempt:
            monkeypatch.undo()
            CheckoutAttempt.objects.update(stripe_session_id=page["id"])

    monkeypatch.setattr(QuerySet, "_fetch_all", then_the_answer_is_kept)
    stripe.deliver()

    assert access.check(REF, "WEEK_PASS")
