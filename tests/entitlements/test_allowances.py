"""Units that come with a subscription, from Stripe's events to what can be used: the numbers of the contract."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db.models import F, QuerySet

from licenzy_django import access, operators, subscriptions, usage
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from licenzy_django.models.availability import is_on
from licenzy_django.testing import StripeDouble

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells(
        PRO={"amount": 1000, "units": 1000},
        MAX={"amount": 2000, "units": 2000},
        YEAR={"amount": 9600, "interval": "year", "units": 1000, "units_every": "month"},
        SEATS={"amount": 100, "units": 100},
        CREDITS={"kind": "usage_pack", "units": 50},
    ),
]
REF = "user_1"


def change(stripe: StripeDouble, code: str, to: str, key: str = "change", quantity: int | None = None) -> None:
    subscriptions.change(REF, code, to_product_code=to, when="now", idempotency_key=key, quantity=quantity)
    stripe.deliver()


def test_a_purchase_opens_a_window_and_a_renewal_the_next(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    assert usage.remaining(REF) == 1000
    usage.consume(REF, 400, idempotency_key="k")
    assert usage.remaining(REF) == 600

    stripe.advance(days=31)

    assert usage.remaining(REF) == 1000
    assert access.check(REF, "PRO")


def live(stripe: StripeDouble) -> QuerySet[Pack]:
    return Pack.objects.filter(is_on(stripe.now), units_granted__gt=0)


def advance_by_share(stripe: StripeDouble, share: float) -> None:
    """On into the running period of the only subscription."""
    [item] = stripe.simulator.all("subscription")[-1]["items"]["data"]
    length = item["current_period_end"] - item["current_period_start"]
    stripe.advance(seconds=item["current_period_start"] + round(length * share) - int(stripe.now.timestamp()))


@pytest.mark.parametrize(("share", "units"), [(14 / 28, 1500), (27 / 28, 1035)])
def test_an_upgrade_grants_what_it_paid_for(stripe: StripeDouble, share: float, units: int) -> None:
    stripe.buy(REF, "PRO")
    advance_by_share(stripe, share)

    change(stripe, "PRO", "MAX")

    assert usage.remaining(REF) == units
    assert live(stripe).count() == 1
    stripe.advance(days=31)
    assert usage.remaining(REF) == 2000


def test_up_and_down_and_up_creates_nothing(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    advance_by_share(stripe, 0.5)
    change(stripe, "PRO", "MAX", "1")
    change(stripe, "MAX", "PRO", "2")
    assert usage.remaining(REF) == 1000
    change(stripe, "PRO", "MAX", "3")

    assert usage.remaining(REF) == 1500


def test_month_to_year_in_mid_period(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    advance_by_share(stripe, 0.5)

    change(stripe, "PRO", "YEAR")

    assert usage.remaining(REF) == 1500
    windows = Pack.objects.exclude(units_granted=F("units_voided")).order_by("starts_at")
    # The last one is there in case that the renewal's payment takes a while.
    assert [pack.units_granted - pack.units_voided for pack in windows] == [500, *[1000] * 12, 1000]
    stripe.advance(days=62)
    assert usage.remaining(REF) == 1000


def test_seats_that_are_not_paid_grant_nothing(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS", quantity=5)
    advance_by_share(stripe, 0.5)
    change(stripe, "SEATS", "SEATS", "more", quantity=8)
    assert usage.remaining(REF) == 650


def test_a_refund_takes_what_is_left_and_nothing_else(stripe: StripeDouble) -> None:
    stripe.buy(REF, "CREDITS")
    session = stripe.buy(REF, "PRO")
    usage.consume(REF, 300, idempotency_key="k")
    assert usage.remaining(REF) == 750

    stripe.refund(session)

    assert usage.remaining(REF) == 50
    assert sorted(LedgerEntry.objects.filter(kind="void").values_list("units", flat=True)) == [700, 1000]


def test_a_renewal_that_is_not_paid_yet_is_there_for_the_leeway(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO")
    usage.consume(REF, 1000, idempotency_key="k")
    [item] = stripe.simulator.get("subscription", session["subscription"])["items"]["data"]
    with stripe.webhooks_held_back():
        stripe.advance(seconds=item["current_period_end"] - int(stripe.now.timestamp()) + 60)
        assert usage.remaining(REF) == 1000
        usage.consume(REF, 100, idempotency_key="k2")
        stripe.advance(days=2)
        assert usage.remaining(REF) == 0
    stripe.deliver()
    assert usage.remaining(REF) == 900
    assert live(stripe).count() == 1


def test_a_plan_shows_its_allowance_through_an_upgrade_and_a_renewal(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    usage.consume(REF, 400, idempotency_key="k")
    [plan] = access.entitlements_of(REF)
    assert (plan.usage_granted, plan.usage_remaining, plan.usage_resets_at) == (1000, 600, plan.current_period_end)

    advance_by_share(stripe, 14 / 28)
    change(stripe, "PRO", "MAX")

    plan, before = access.entitlements_of(REF)
    assert (plan.product_code, plan.usage_granted, plan.usage_remaining) == ("MAX", 1500, 1100)
    assert before.usage_granted is None
    assert plan.usage_resets_at == plan.current_period_end

    stripe.advance(days=31)

    plan = access.entitlements_of(REF)[0]
    assert (plan.usage_granted, plan.usage_remaining, plan.usage_rolled_over) == (2000, 2000, 0)
    assert plan.usage_resets_at == plan.current_period_end


@pytest.mark.sells(ROLLS={"amount": 1000, "units": 1000, "rollover_units": 1000})
def test_a_window_that_rolls_over_whole_still_says_when_it_resets(stripe: StripeDouble) -> None:
    stripe.buy(REF, "ROLLS")
    usage.consume(REF, 400, idempotency_key="k")
    [plan] = access.entitlements_of(REF)
    assert (plan.usage_remaining, plan.usage_rolled_over) == (600, 0)
    assert plan.usage_resets_at == plan.current_period_end

    stripe.advance(days=31)

    [plan] = access.entitlements_of(REF)
    assert (plan.usage_granted, plan.usage_remaining, plan.usage_rolled_over) == (2000, 1600, 600)
    assert plan.usage_resets_at == plan.current_period_end


def test_units_go_with_a_revocation_and_come_back_with_its_end(stripe: StripeDouble) -> None:
    stripe.buy(REF, "CREDITS")
    session = stripe.buy(REF, "PRO")
    usage.consume(REF, 300, idempotency_key="k")
    row = Entitlement.objects.get(product__code="PRO")

    operators.revoke(row, actor=None, reason="fraud")
    assert usage.remaining(REF) == 50
    stripe.renew(session)
    assert usage.remaining(REF) == 50

    operators.restore(row, actor=None, reason="a mistake")
    assert usage.remaining(REF) == 1050
    call_command("licenzy_doctor", only=["books"])


def test_what_comes_back_to_a_window_that_is_paid_for_no_longer_is_void(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    advance_by_share(stripe, 0.5)
    change(stripe, "PRO", "MAX")
    usage.consume(REF, 1200, idempotency_key="work")
    held = usage.reserve(REF, 200, idempotency_key="more")
    stripe.refund(stripe.simulator.all("payment_intent")[-1]["id"])
    assert usage.remaining(REF) == 0

    assert usage.release(held.reservation_id).usage_remaining == 0
    assert usage.refund("work", 150, reason="a mistake", idempotency_key="r1").refunded == 0
    assert usage.refund("work", 150, reason="a mistake", idempotency_key="r2").refunded == 100
    assert usage.remaining(REF) == 100
    call_command("licenzy_doctor", only=["books"])


def test_a_renewal_that_fails_takes_what_is_left_of_its_window(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "PRO")
    stripe.renew(session, paid=False)
    assert usage.remaining(REF) == 0

    stripe.simulator.recover(session["subscription"])
    stripe.deliver()

    assert usage.remaining(REF) == 1000
    call_command("licenzy_doctor", only=["books"])


def test_units_open_no_gate_by_themselves(stripe: StripeDouble) -> None:
    stripe.buy(REF, "PRO")
    subscriptions.cancel(REF, "PRO", when="now", idempotency_key="k")
    stripe.deliver()

    assert not access.check(REF)
    assert usage.remaining(REF) == 0
    assert [view.product_code for view in access.entitlements_of(REF)] == ["PRO"]
