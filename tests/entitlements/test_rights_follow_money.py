"""Contract section 5, "Rights follow money": what is paid, for which time, by money that still stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import access, sync
from licenzy_django.models import StripeEvent, Subject
from licenzy_django.testing import StripeDouble
from tests.histories import EVERYTHING, REF, History, chain, day, handled, newest, paid, refund, sub, undone
from tests.money_histories import (
    MONEY_HISTORIES,
    credit_everything,
    declined_upgrade,
    imported,
    known_customer,
    monthly_by_invoice,
    seats,
    ten_seats_by_invoice,
    upgrade,
)

pytestmark = [pytest.mark.logic, pytest.mark.sells(**EVERYTHING)]

Outcome = dict[str, tuple[str, bool, str | None, int]]
NEWEST = "2026-10-28.endive"
OTHERS = ("2024-06-20", "2025-08-27.basil", None)
SHAPES = (*OTHERS, NEWEST)


def on(quantity: int = 1) -> tuple[str, bool, None, int]:
    return ("active", True, None, quantity)


def pending(quantity: int = 1) -> tuple[str, bool, str, int]:
    return ("suspended", False, "payment_pending", quantity)


def off(reason: str, quantity: int = 1) -> tuple[str, bool, str, int]:
    return ("past_due", False, reason, quantity)


GONE = ("canceled", False, "canceled", 1)
PRO, MAX = "PRO_MONTHLY", "MAX_MONTHLY"
PRO_STAYS, MAX_IS_ON = {PRO: on()}, {PRO: GONE, MAX: on()}

OUTCOMES: dict[str, Outcome] = {
    "declined upgrade": PRO_STAYS,
    "upgrade that asks for 3-D Secure": PRO_STAYS,
    "declined upgrade that is paid later": MAX_IS_ON,
    "declined upgrade that runs out": PRO_STAYS,
    "declined upgrade that is voided": PRO_STAYS,
    "upgrade that is paid": MAX_IS_ON,
    "upgrade that is not paid": {PRO: on(), MAX: pending()},
    "upgrade that is paid late": MAX_IS_ON,
    "upgrade that is not paid and voided": {PRO: on(), MAX: pending()},
    "upgrade that is charged back": {PRO: on(), MAX: off("disputed")},
    "upgrade that is charged back and won": MAX_IS_ON,
    "upgrade that is charged back and lost": {PRO: on(), MAX: off("disputed")},
    "upgrade that is refunded": {PRO: on(), MAX: off("refunded")},
    "refunded month, then an upgrade that is paid": MAX_IS_ON,
    "upgrade and the month under it refunded": {PRO: GONE, MAX: off("refunded")},
    "downgrade with credit": {MAX: GONE, PRO: on()},
    "unpaid first invoice, then fewer seats by credit": {"SEATS": pending(9)},
    "more seats, billed with the renewal": {"SEATS": on(5)},
    "more seats, paid at once": {"SEATS": on(5)},
    "more seats, billed at once and not paid": {"SEATS": on(2)},
    "fewer seats, credited at once": {"SEATS": on(2)},
    "fewer seats by credit after the month was refunded": {"SEATS": off("refunded", 2)},
    "renewal that unpaid credit pays": {"SEATS": pending()},
    "renewal that earned credit pays": {"SEATS": on()},
    "renewal paid by credit whose payment is charged back": {"SEATS": off("disputed")},
    "imported without proration": PRO_STAYS,
    "imported, renewal is a draft": PRO_STAYS,
    "imported, renewal is paid": PRO_STAYS,
    "imported, renewal fails": {PRO: off("past_due")},
    "imported, and something else is billed at once": PRO_STAYS,
    "imported, then an upgrade that is not paid": {PRO: on(), MAX: pending()},
    "imported, then replaced and not paid": {PRO: on(), MAX: pending()},
    "imported, then replaced and paid": MAX_IS_ON,
    "imported, replaced without a bill, then more that is not paid": {PRO: GONE, MAX: on()},
    "price of zero that is replaced and not paid": {"BASIC": on(), MAX: pending()},
    "quote that is paid": PRO_STAYS,
    "quote that is not paid": {PRO: pending()},
    "prepaid year, the month beside it fails": {"PRO_YEARLY": on(), "SEATS": off("past_due")},
    "subscription of another price of the group beside it": {PRO: on(), MAX: on()},
    "everybody is moved to another price": MAX_IS_ON,
    "renewal written off as uncollectible": PRO_STAYS,
    "draft renewal that is voided": PRO_STAYS,
    "renewal that cannot be finalized": PRO_STAYS,
    "first invoice written off": {PRO: pending()},
    "out of band": PRO_STAYS,
    "below the least charge": {"CHEAP": on()},
    "invoice paid in parts": PRO_STAYS,
    "invoice of which a part is paid": {PRO: pending()},
    "one part of two is charged back": {PRO: off("disputed")},
    "one part of two is charged back and won": PRO_STAYS,
    "credit note that refunds everything": {PRO: off("refunded")},
    "credit note that gives everything to the balance": {PRO: off("refunded")},
    "credit note outside of Stripe": {PRO: off("refunded")},
    "credit note over a part": PRO_STAYS,
    "credit note over an open invoice": {PRO: pending()},
    "credit note over a part of an open invoice, the rest is paid": PRO_STAYS,
    "session that Stripe no longer has": PRO_STAYS,
}


def outcome(stripe: StripeDouble) -> Outcome:
    views = access.entitlements_of(REF, at=stripe.now)
    return {
        view.product_code: (view.status, view.available, view.reason, view.quantity)
        for view in views
        if view.kind == "subscription"
    }


def test_every_history_of_money_has_an_expected_outcome() -> None:
    assert [history.name for history in MONEY_HISTORIES] == list(OUTCOMES)


def check_outcome(history: History, stripe: StripeDouble, shapes: Sequence[str | None]) -> None:
    history.prelude(stripe)
    history.tail(stripe)
    events = handled(stripe.take_events())

    for shape in shapes:
        with undone():
            assert set(stripe.deliver(events, api_version=shape)) == {200}
            assert outcome(stripe) == OUTCOMES[history.name], shape
            assert sync.drift(Subject.objects.get()) == [], shape


@pytest.mark.parametrize("history", MONEY_HISTORIES, ids=str)
def test_outcome(history: History, stripe: StripeDouble) -> None:
    check_outcome(history, stripe, [NEWEST])


@pytest.mark.slow
@pytest.mark.parametrize("history", MONEY_HISTORIES, ids=str)
def test_outcome_in_every_other_shape_that_stripe_renders(history: History, stripe: StripeDouble) -> None:
    check_outcome(history, stripe, OTHERS)


# --- the faults M1 to M14, by name ------------------------------------------------------------------------------------


@pytest.fixture(params=SHAPES, ids=str)
def deliver(request: pytest.FixtureRequest, stripe: StripeDouble) -> Any:
    """Delivers what is on its way, in each shape that Stripe renders."""
    return lambda: stripe.deliver(api_version=request.param)


def test_m1_a_declined_upgrade_leaves_the_plan_that_is_paid(stripe: StripeDouble, deliver: Any) -> None:
    paid(PRO)(stripe)
    deliver()
    stripe.simulator.advance(86_400)
    declined_upgrade(stripe)
    deliver()
    assert (sub(stripe)["status"], newest(stripe, "invoice")["status"]) == ("active", "open")
    assert outcome(stripe) == PRO_STAYS

    stripe.simulator.advance(timedelta(hours=24))
    deliver()

    assert newest(stripe, "invoice")["status"] == "void"
    assert outcome(stripe) == PRO_STAYS


def test_m2_credit_for_seats_that_nobody_paid_is_no_money(stripe: StripeDouble, deliver: Any) -> None:
    known_customer(stripe)
    ten_seats_by_invoice(stripe)
    deliver()
    assert outcome(stripe) == {"SEATS": pending(10)}

    chain(day(1), seats(9, billed="always_invoice"))(stripe)
    deliver()

    credit = newest(stripe, "invoice")
    assert (credit["status"], credit["amount_paid"], credit["total"] < 0) == ("paid", 0, True)
    assert outcome(stripe) == {"SEATS": pending(9)}


def test_m2_nor_is_the_balance_that_it_filled(stripe: StripeDouble, deliver: Any) -> None:
    chain(known_customer, ten_seats_by_invoice, day(1), seats(1, billed="always_invoice"))(stripe)
    stripe.simulator.renew(sub(stripe))
    deliver()

    renewal = newest(stripe, "invoice")
    assert (renewal["status"], renewal["amount_paid"], renewal["total"]) == ("paid", 0, 500)
    assert outcome(stripe) == {"SEATS": pending()}


def test_m3_an_upgrade_that_is_charged_back_ends_and_the_plan_under_it_comes_back(
    stripe: StripeDouble, deliver: Any
) -> None:
    chain(paid(PRO), day(1), upgrade)(stripe)
    deliver()
    end = access.entitlements_of(REF)[0].current_period_end
    dispute = stripe.simulator.dispute(newest(stripe, "payment_intent"))
    deliver()

    assert outcome(stripe) == {PRO: on(), MAX: off("disputed")}
    assert end is not None
    assert access.check(REF, PRO, at=end - timedelta(seconds=1))
    assert not access.check(REF, PRO, at=end + timedelta(hours=24)), "its end, and the leeway for silence"

    stripe.simulator.close_dispute(dispute["id"], "won")
    deliver()
    assert outcome(stripe) == MAX_IS_ON


def test_m4_who_pays_again_after_a_refund_is_on_again(stripe: StripeDouble, deliver: Any) -> None:
    chain(paid(PRO), day(1), refund)(stripe)
    deliver()
    assert outcome(stripe) == {PRO: off("refunded")}

    chain(day(1), upgrade)(stripe)
    deliver()

    assert newest(stripe, "invoice")["amount_paid"] > 0
    assert outcome(stripe) == MAX_IS_ON


def test_m5_a_start_for_which_stripe_makes_no_invoice_is_on_until_its_renewal_fails(
    stripe: StripeDouble, deliver: Any
) -> None:
    known_customer(stripe)
    deliver()
    imported(stripe)
    deliver()
    assert sub(stripe)["latest_invoice"] is None
    assert outcome(stripe) == PRO_STAYS

    stripe.simulator.roll_period(sub(stripe))
    deliver()
    assert newest(stripe, "invoice")["status"] == "draft"
    assert outcome(stripe) == PRO_STAYS

    stripe.simulator.fail_invoice(newest(stripe, "invoice"))
    deliver()
    assert outcome(stripe) == {PRO: off("past_due")}

    stripe.simulator.recover(sub(stripe))
    deliver()
    assert outcome(stripe) == PRO_STAYS


def test_m5_a_start_that_an_invoice_bills_is_not_free_though_a_snapshot_was_older(stripe: StripeDouble) -> None:
    known_customer(stripe)
    monthly_by_invoice(stripe)
    events = handled(stripe.take_events())
    (created,) = [event for event in events if event["type"] == "customer.subscription.created"]
    created["data"]["object"]["latest_invoice"] = None

    stripe.deliver(events)

    assert outcome(stripe) == {PRO: pending()}


def test_m6_an_invoice_whose_lines_alone_name_the_subscription_pays_for_it(stripe: StripeDouble, deliver: Any) -> None:
    known_customer(stripe)
    stripe.simulator.accept_quote(newest(stripe, "customer")["id"], [("price_pro_monthly", 1)])
    deliver()

    assert newest(stripe, "invoice")["parent"]["type"] == "quote_details"
    assert outcome(stripe) == PRO_STAYS
    assert not StripeEvent.objects.filter(outcome="an invoice without a subscription").exists()


def test_m7_an_unpaid_month_takes_nothing_from_the_prepaid_year_beside_it(stripe: StripeDouble, deliver: Any) -> None:
    paid("PRO_YEARLY")(stripe)
    stripe.simulator.advance(86_400)
    stripe.simulator.add_item(sub(stripe), "price_seats", quantity=3, proration_behavior="always_invoice")
    deliver()
    stripe.simulator.renew(sub(stripe), paid=False)
    deliver()

    assert sub(stripe)["status"] == "past_due"
    assert outcome(stripe) == {"PRO_YEARLY": on(), "SEATS": off("past_due", 3)}


def test_m8_a_price_that_counts_as_a_product_is_that_product_when_subscribers_are_moved_to_it(
    stripe: StripeDouble, deliver: Any
) -> None:
    session = stripe.buy(REF, PRO)
    new = {"id": "price_2027", "currency": "eur", "unit_amount": 2100, "product_name": PRO}
    stripe.simulator.create_price({**new, "recurring": {"interval": "month"}})
    product = access.check(REF).entitlement.product  # type: ignore[union-attr]
    product.stripe_price_id = "price_2027"
    product.save()

    stripe.simulator.move_price("price_pro_monthly", "price_2027")
    deliver()
    assert outcome(stripe) == PRO_STAYS

    stripe.simulator.renew(session["subscription"])
    deliver()
    assert outcome(stripe) == PRO_STAYS


@pytest.mark.parametrize("code", [PRO, "WEEK_PASS"])
def test_m14_a_session_that_stripe_no_longer_has_proves_what_its_event_says(
    stripe: StripeDouble, deliver: Any, code: str
) -> None:
    paid(code)(stripe)
    stripe.simulator.forget("checkout.session", newest(stripe, "checkout.session"))

    assert set(deliver()) == {200}
    assert access.check(REF, code)


@pytest.mark.parametrize("code", [PRO, "WEEK_PASS"])
def test_m14_a_dispute_that_names_only_its_charge_finds_what_it_is_about(
    stripe: StripeDouble, deliver: Any, code: str
) -> None:
    paid(code)(stripe)
    deliver()
    stripe.simulator.dispute(newest(stripe, "payment_intent"))
    events = handled(stripe.take_events())
    for event in events:
        if event["data"]["object"]["object"] == "dispute":
            event["data"]["object"]["payment_intent"] = None
    stripe.simulator.find("dispute", newest(stripe, "dispute")["id"])["payment_intent"] = None

    stripe.deliver([event for event in events if event["data"]["object"]["object"] == "dispute"])

    refused = access.check(REF, code)
    assert (bool(refused), refused.reason) == (False, "disputed")


def test_a_part_of_an_invoice_proves_nothing_until_the_whole_is_paid(stripe: StripeDouble, deliver: Any) -> None:
    known_customer(stripe)
    monthly_by_invoice(stripe)
    stripe.simulator.pay_part(newest(stripe, "invoice"), 1899)
    deliver()
    assert outcome(stripe) == {PRO: pending()}

    stripe.simulator.pay_invoice(newest(stripe, "invoice"))
    deliver()
    assert outcome(stripe) == PRO_STAYS


def test_an_unpaid_change_is_there_from_its_next_paid_renewal_on(stripe: StripeDouble, deliver: Any) -> None:
    chain(paid("SEATS", quantity=2), day(1), seats(5, billed="always_invoice", is_paid=False))(stripe)
    stripe.simulator.write_off_invoice(newest(stripe, "invoice"), "void")
    deliver()
    assert outcome(stripe) == {"SEATS": on(2)}

    stripe.simulator.renew(sub(stripe))
    deliver()
    assert outcome(stripe) == {"SEATS": on(5)}


@pytest.mark.parametrize(
    ("credit", "expected"),
    [
        (credit_everything(out_of_band_amount=1900), {PRO: off("refunded")}),
        (credit_everything(credit_amount=1900), {PRO: off("refunded")}),
        (credit_everything(amount=1900, credit_amount=900, refund_amount=1000), {PRO: off("refunded")}),
        (credit_everything(amount=1000, refund_amount=1000), PRO_STAYS),
    ],
    ids=["outside", "to the balance", "both ways", "a part, refunded"],
)
def test_how_much_a_credit_note_gave_back_is_asked_where_its_event_does_not_say(
    credit: Any, expected: Outcome, stripe: StripeDouble, deliver: Any
) -> None:
    paid(PRO)(stripe)
    deliver()
    credit(stripe)
    deliver()
    assert outcome(stripe) == expected
