"""What money and operators do to packs, with the ledger they leave."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from licenzy_django import access, usage
from licenzy_django.exceptions import IdempotencyKeyReused, InsufficientUsage, InvalidRequest
from licenzy_django.models import Entitlement, EntitlementChange, LedgerEntry, OutboundEvent, Pack
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble
from tests.shelf import Shelf

pytestmark = [pytest.mark.usefixtures("way_of_taking_units"), pytest.mark.usefixtures("balanced_books")]


@pytest.fixture
def pack_of_100(stripe_double: StripeDouble) -> dict[str, Any]:
    """The session that bought it."""
    stripe_double.sell("CREDITS", kind="usage_pack", units=100)
    return stripe_double.buy("user_1", "CREDITS")


def ledger() -> list[tuple[str, int, int]]:
    return list(LedgerEntry.objects.order_by("pk").values_list("kind", "units", "balance_after"))


def consume(units: int, key: str = "k") -> usage.Used:
    return usage.consume("user_1", units, idempotency_key=key)


def test_a_purchase_is_a_grant_in_the_ledger(stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack", units=100)

    stripe_double.buy("user_1", "CREDITS", quantity=3)

    assert ledger() == [("grant", 300, 300)]
    row = LedgerEntry.objects.get()
    assert (row.source, row.reason) == ("stripe", "checkout_finalized")


def test_the_same_webhook_again_grants_nothing_more(stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack", units=100)
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "CREDITS"))

    stripe_double.deliver(times=3)

    assert ledger() == [("grant", 100, 100)]


def test_the_older_pack_is_used_first_whichever_webhook_came_first(stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack", units=100)
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "CREDITS"))
    events_of_the_older = stripe_double.take_events()
    stripe_double.advance(days=1)
    stripe_double.buy("user_1", "CREDITS")
    stripe_double.deliver(events_of_the_older)

    consume(10)

    by_age = Pack.objects.order_by("starts_at").values_list("units_remaining", flat=True)
    assert list(by_age) == [90, 100]


def test_a_refund_voids_its_own_pack_and_what_was_consumed_stays(
    stripe_double: StripeDouble, pack_of_100: dict[str, Any]
) -> None:
    stripe_double.buy("user_1", "CREDITS")
    consume(30)

    stripe_double.refund(pack_of_100)

    first, second = Entitlement.objects.order_by("pk")
    assert (first.pack.units_consumed, first.pack.units_voided, first.pack.units_remaining) == (30, 70, 0)
    assert second.units_remaining == 100
    assert ledger()[-1] == ("void", 70, 0)
    assert usage.remaining("user_1") == 100


def test_a_refund_that_fails_later_gives_back_what_was_left(
    stripe_double: StripeDouble, pack_of_100: dict[str, Any]
) -> None:
    consume(30)
    refund = stripe_double.refund(pack_of_100)

    stripe_double.simulator.fail_refund(refund["id"])
    stripe_double.deliver()

    assert ledger()[-2:] == [("void", 70, 0), ("restore", 70, 70)]
    assert usage.remaining("user_1") == 70


def test_a_dispute_suspends_its_pack_until_it_is_won(stripe_double: StripeDouble, pack_of_100: dict[str, Any]) -> None:
    dispute = stripe_double.dispute(pack_of_100)
    with pytest.raises(InsufficientUsage):
        consume(1)

    stripe_double.simulator.close_dispute(dispute["id"], "won")
    stripe_double.deliver()

    assert consume(1).usage_remaining == 99


def test_an_adjustment_gives_or_takes_and_names_who_and_why(
    stripe_double: StripeDouble, pack_of_100: dict[str, Any]
) -> None:
    operator = get_user_model().objects.create_user("olga")
    pack = Entitlement.objects.get()

    usage.adjust(pack, 50, actor=operator, reason="they waited long")
    usage.adjust(pack, -20, actor=operator, reason="too generous")

    assert ledger()[1:] == [("adjust", 50, 150), ("adjust", -20, 130)]
    row = LedgerEntry.objects.first()
    assert row is not None
    assert (row.actor, row.source) == (operator, "portal")
    change = EntitlementChange.objects.first()
    assert change is not None
    assert (change.actor, change.note) == (operator, "too generous")


def test_an_adjustment_outlives_what_stripe_says_later(
    stripe_double: StripeDouble, pack_of_100: dict[str, Any]
) -> None:
    usage.adjust(Entitlement.objects.get(), 50, actor=None, reason="a gift")
    consume(10)

    refund = stripe_double.refund(pack_of_100)
    stripe_double.simulator.fail_refund(refund["id"])
    stripe_double.deliver()

    assert usage.remaining("user_1") == 140


def test_an_adjustment_never_takes_more_than_is_left(stripe_double: StripeDouble, pack_of_100: dict[str, Any]) -> None:
    consume(30)

    with pytest.raises(InsufficientUsage) as refusal:
        usage.adjust(Entitlement.objects.get(), -71, actor=None, reason="a mistake")

    assert refusal.value.usage_remaining == 70
    assert usage.adjust(Entitlement.objects.get(), -70, actor=None, reason="a mistake").units_remaining == 0


def test_an_adjustment_of_a_void_pack_counts_when_it_is_restored(
    stripe_double: StripeDouble, pack_of_100: dict[str, Any]
) -> None:
    refund = stripe_double.refund(pack_of_100)

    adjusted = usage.adjust(Entitlement.objects.get(), -40, actor=None, reason="they used some elsewhere")
    assert (adjusted.pack.units_voided, adjusted.pack.units_remaining) == (60, 0)
    assert not access.check("user_1")

    stripe_double.simulator.fail_refund(refund["id"])
    stripe_double.deliver()
    assert usage.remaining("user_1") == 60


def test_a_window_is_adjusted_too_and_its_subscription_keeps_who_and_why(shelf: Shelf) -> None:
    operator = get_user_model().objects.create_user("olga")
    plan = shelf.plan()
    window = shelf.window(plan, 1000, used=100)

    adjusted = usage.adjust(window, 50, actor=operator, reason="they waited long", request_id="form-1")
    usage.adjust(window, 50, actor=operator, reason="they waited long", request_id="form-1")

    assert (adjusted.pk, adjusted.units_granted, adjusted.units_remaining) == (window.pk, 1050, 950)
    assert usage.remaining("user_1") == 950
    row = LedgerEntry.objects.latest("pk")
    assert (row.pack, row.kind, row.units, row.balance_after, row.actor) == (window, "adjust", 50, 950, operator)
    change = EntitlementChange.objects.latest("pk")
    assert (change.entitlement, change.actor, change.note) == (plan, operator, "they waited long")
    assert (change.before["units_granted"], change.after["units_granted"]) == (1000, 1050)
    plan.refresh_from_db()
    assert plan.pack is None


def test_no_more_is_taken_from_a_window_than_is_left(shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000, used=100)

    with pytest.raises(InsufficientUsage) as refusal:
        usage.adjust(window, -901, actor=None, reason="a mistake")

    assert refusal.value.usage_remaining == 900
    assert usage.adjust(window, -900, actor=None, reason="a mistake").units_remaining == 0


def test_who_listens_is_told_that_a_window_was_adjusted(shelf: Shelf) -> None:
    endpoints.create("test", "https://hooks.example.com/")
    window = shelf.window(shelf.plan(), 1000)

    usage.adjust(window, 50, actor=None, reason="a gift")

    [event] = OutboundEvent.objects.filter(payload__reason="manual_adjust")
    assert (event.type, event.payload["usage_granted"]) == ("entitlement.updated", 1050)


def test_a_form_that_is_sent_twice_adjusts_once(stripe_double: StripeDouble, pack_of_100: dict[str, Any]) -> None:
    pack = Entitlement.objects.get()
    for _ in range(2):
        usage.adjust(pack, 50, actor=None, reason="a gift", request_id="form-1")

    assert usage.remaining("user_1") == 150
    with pytest.raises(IdempotencyKeyReused):
        usage.adjust(pack, 51, actor=None, reason="a gift", request_id="form-1")


@pytest.mark.parametrize(("units", "reason"), [(0, "why"), (1.5, "why"), (True, "why"), (10**12, "why"), (1, " ")])
def test_an_adjustment_needs_units_and_a_reason(shelf: Shelf, units: object, reason: str) -> None:
    pack = shelf.give(10)

    with pytest.raises(InvalidRequest):
        usage.adjust(pack, units, actor=None, reason=reason)  # type: ignore[arg-type]


def test_only_packs_have_units(stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO", kind="subscription")
    stripe_double.buy("user_1", "PRO")

    with pytest.raises(InvalidRequest):
        usage.adjust(Entitlement.objects.get(), 5, actor=None, reason="a gift")
    with pytest.raises(InsufficientUsage):
        consume(1)


def test_use_by_day_counts_what_was_consumed_and_confirmed(shelf: Shelf) -> None:
    shelf.give(100)
    consume(5)
    shelf.double.advance(days=2)
    consume(7, "k2")
    with usage.reserve("user_1", 20, idempotency_key="k3") as reserved:
        reserved.use(4)

    days = usage.by_day("user_1", days=30)

    assert len(days) == 30
    assert [day.units for day in days[-3:]] == [5, 0, 11]
    assert days[-1].day == shelf.double.now.date()
