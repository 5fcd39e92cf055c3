"""Units of a consumption come back to the packs that they came from: once, and only what was taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command

from licenzy_django import access, operators, usage
from licenzy_django.exceptions import (
    ConsumptionNotFound,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidRequest,
)
from licenzy_django.models import LedgerEntry, OutboundEndpoint, OutboundEvent
from tests.shelf import Shelf
from tests.usage.steps import columns, reserve


@pytest.fixture(autouse=True)
def books_stay_balanced(db: None) -> Iterator[None]:
    yield
    call_command("licenzy_doctor", only=["books"])


def refund(
    consumption: str | int = "k", units: int | None = None, key: str = "r", reason: str = "it failed", **more: object
) -> usage.Refunded:
    return usage.refund(consumption, units, reason=reason, idempotency_key=key, **more)  # type: ignore[arg-type]


def rows_of(kind: str) -> list[LedgerEntry]:
    return list(LedgerEntry.objects.filter(kind=kind).order_by("pk"))


def listen(*events: str) -> None:
    OutboundEndpoint.objects.create(mode="test", url="https://example.com/hook", events=list(events), secret="whsec_x")


# --- how much, and where to -------------------------------------------------------------------------------------------


def test_all_of_a_consume_comes_back(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")

    assert refund() == usage.Refunded(100, 1000)

    assert columns(pack) == (0, 0, 0, 1000)
    (row,) = rows_of("refund")
    assert (row.units, row.balance_after, row.reason, row.source) == (100, 1000, "it failed", "runtime")
    assert row.consumption == rows_of("consume")[0]


def test_some_of_it_comes_back_and_then_the_rest(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")

    assert refund(units=30, key="r1") == usage.Refunded(30, 930)
    assert refund(key="r2") == usage.Refunded(70, 1000)

    assert columns(pack) == (0, 0, 0, 1000)


def test_what_was_taken_last_comes_back_first(shelf: Shelf) -> None:
    sizes = {10: 1, 20: 2, 30: 3}
    packs = [shelf.give(size, until=shelf.double.now + timedelta(days=days)) for size, days in sizes.items()]
    usage.consume("user_1", 45, idempotency_key="k")

    assert refund(units=20, key="r1").refunded == 20
    assert [columns(pack)[3] for pack in packs] == [0, 5, 30]
    assert refund(units=20, key="r2").refunded == 20
    assert [columns(pack)[3] for pack in packs] == [5, 20, 30]
    assert refund(key="r3") == usage.Refunded(5, 60)
    assert [columns(pack)[3] for pack in packs] == [10, 20, 30]


def test_a_confirmed_reservation_is_given_back_by_the_key_of_the_reserve(shelf: Shelf) -> None:
    first, second = shelf.give(10, until=shelf.double.now + timedelta(days=1)), shelf.give(90)
    held = reserve(60, idempotency_key="k")
    usage.confirm(held.reservation_id, 40)

    assert refund(units=35, key="r1") == usage.Refunded(35, 95)
    assert (columns(first), columns(second)) == ((5, 0, 0, 5), (0, 0, 0, 90))
    assert refund(key="r2") == usage.Refunded(5, 100)


def test_of_a_reservation_that_used_nothing_nothing_comes_back(shelf: Shelf) -> None:
    shelf.give(100)
    usage.confirm(reserve(60, idempotency_key="k").reservation_id, 0)

    assert refund() == usage.Refunded(0, 100)


@pytest.mark.parametrize("number", [0, 1])
def test_a_row_of_the_ledger_stands_for_the_whole_consumption(shelf: Shelf, number: int) -> None:
    shelf.give(10, until=shelf.double.now + timedelta(days=1))
    shelf.give(90)
    usage.consume("user_1", 40, idempotency_key="k")

    assert refund(rows_of("consume")[number].pk) == usage.Refunded(40, 100)


def test_a_row_that_names_no_key_stands_for_itself(shelf: Shelf) -> None:
    shelf.give(10, until=shelf.double.now + timedelta(days=1))
    shelf.give(90)
    usage.consume("user_1", 40, idempotency_key="k")
    LedgerEntry.objects.filter(kind="consume").update(part_of=None)

    assert refund(rows_of("consume")[1].pk) == usage.Refunded(30, 90)


@pytest.mark.parametrize("number", [0, 1])
def test_so_does_a_row_of_a_confirmation(shelf: Shelf, number: int) -> None:
    shelf.give(10, until=shelf.double.now + timedelta(days=1))
    shelf.give(90)
    usage.confirm(reserve(40, idempotency_key="k").reservation_id, 40)

    assert refund(rows_of("confirm")[number].pk) == usage.Refunded(40, 100)


def test_two_consumptions_at_one_moment_are_not_mixed_up(shelf: Shelf) -> None:
    for code in ("CREDITS", "TOKENS"):
        shelf.give(10, code=code, until=shelf.double.now + timedelta(days=1))
        shelf.give(90, code=code)
    at = shelf.double.now
    usage.consume("user_1", 15, product_code="CREDITS", idempotency_key="k", at=at)
    usage.consume("user_1", 16, product_code="TOKENS", idempotency_key="other", at=at)

    assert refund().refunded == 15
    assert refund("other", key="r2").refunded == 16


def test_a_key_of_both_names_the_consume(shelf: Shelf) -> None:
    shelf.give(100)
    usage.confirm(reserve(10, idempotency_key="k").reservation_id, 10)
    usage.consume("user_1", 20, idempotency_key="k")

    assert refund() == usage.Refunded(20, 90)


def test_what_came_back_can_be_used_and_given_back_again(shelf: Shelf) -> None:
    shelf.give(100)
    usage.consume("user_1", 100, idempotency_key="k")
    assert not access.check("user_1")

    refund()

    assert access.check("user_1")
    assert usage.consume("user_1", 100, idempotency_key="again").usage_remaining == 0
    assert refund("again", key="r2") == usage.Refunded(100, 100)
    with pytest.raises(InvalidRequest, match="not valid"):
        refund("again", units=101, key="r3")


def test_async_code_gives_back_too(shelf: Shelf) -> None:
    shelf.give(100)
    usage.consume("user_1", 100, idempotency_key="k")

    assert async_to_sync(usage.arefund)("k", reason="it failed", idempotency_key="r").refunded == 100


# --- once -------------------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_first_answer_again(shelf: Shelf) -> None:
    shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    refund(units=30)
    usage.consume("user_1", 500, idempotency_key="more")

    assert refund(units=30) == usage.Refunded(30, 930, replayed=True)

    assert usage.remaining("user_1") == 430


def test_a_key_of_another_request_is_refused(shelf: Shelf) -> None:
    shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    usage.consume("user_1", 100, idempotency_key="k2")
    refund(units=30)

    for other in ({"units": 31}, {"units": None}, {"units": 30, "reason": "another"}):
        with pytest.raises(IdempotencyKeyReused):
            refund(**other)  # type: ignore[arg-type]
    with pytest.raises(IdempotencyKeyReused):
        refund("k2", units=30)

    assert usage.remaining("user_1") == 830


def test_what_came_back_in_whole_comes_back_no_more(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    refund(units=60, key="r1")
    refund(key="r2")

    assert refund(key="r3") == usage.Refunded(0, 1000)
    assert refund(units=60, key="r4") == usage.Refunded(0, 1000)

    assert columns(pack) == (0, 0, 0, 1000)


def test_an_answer_of_0_is_kept_under_its_key(shelf: Shelf) -> None:
    shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    refund(key="r1")
    assert refund(key="r2") == usage.Refunded(0, 1000)
    usage.consume("user_1", 300, idempotency_key="more")

    assert refund(key="r2") == usage.Refunded(0, 1000, replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        refund("more", key="r2")


def test_more_than_is_left_is_refused_and_says_how_many_are(shelf: Shelf) -> None:
    shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    refund(units=60, key="r1")

    with pytest.raises(InvalidRequest) as refused:
        refund(units=41, key="r2")

    assert refused.value.extra["fields"] == {"units": ["Only 40 of the 100 units are left to be given back."]}
    assert refund(units=40, key="r2") == usage.Refunded(40, 1000)


# --- what does not count any more -------------------------------------------------------------------------------------


def test_units_of_a_void_pack_are_void_until_it_is_restored(shelf: Shelf) -> None:
    pack = shelf.give(1000)
    usage.consume("user_1", 100, idempotency_key="k")
    operators.revoke(pack, actor=None, reason="chance")

    assert refund(units=30) == usage.Refunded(0, 0)
    assert columns(pack) == (70, 0, 930, 0)
    assert [(row.units, row.balance_after) for row in rows_of("refund") + rows_of("void")[1:]] == [(30, 30), (30, 0)]

    operators.restore(pack, actor=None, reason="chance")
    assert columns(pack) == (70, 0, 0, 930)
    assert refund(units=30) == usage.Refunded(0, 0, replayed=True)
    assert refund(key="r2") == usage.Refunded(70, 1000)


def test_units_of_a_pack_that_is_over_come_back_to_it_and_are_over_with_it(shelf: Shelf) -> None:
    pack = shelf.give(10, until=shelf.double.now + timedelta(days=1))
    other = shelf.give(90)
    usage.consume("user_1", 30, idempotency_key="k")
    shelf.double.advance(timedelta(days=1))

    assert refund(units=25, key="r1") == usage.Refunded(20, 90)
    assert (columns(pack), columns(other)) == ((5, 0, 0, 5), (0, 0, 0, 90))
    assert refund(key="r2") == usage.Refunded(0, 90)
    assert columns(pack) == (0, 0, 0, 10)


def test_units_that_are_reserved_meanwhile_stay_so(shelf: Shelf) -> None:
    pack = shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")
    reserve(40)

    assert refund(units=10) == usage.Refunded(10, 10)

    assert columns(pack) == (50, 40, 0, 10)


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["nothing", "", "x" * 300, "\0", "\N{SNOWMAN}", 0, 2**70, -1])
def test_what_was_never_consumed_is_not_found(shelf: Shelf, unknown: str | int) -> None:
    shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")

    with pytest.raises(ConsumptionNotFound):
        refund(unknown)


def test_nor_is_a_grant_or_a_reservation_that_used_nothing_yet(shelf: Shelf) -> None:
    shelf.give(100)
    reserve(10, idempotency_key="a")
    reserve(10, idempotency_key="b", ttl_seconds=60)
    usage.release(reserve(10, idempotency_key="c").reservation_id)
    shelf.double.advance(seconds=60)
    usage.consume("user_1", 1, idempotency_key="k")

    for consumption in ("a", "b", "c", rows_of("grant")[0].pk, rows_of("reserve")[0].pk):
        with pytest.raises(ConsumptionNotFound):
            refund(consumption)


def test_nor_is_one_of_the_other_mode(shelf: Shelf) -> None:
    shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")

    for consumption in ("k", rows_of("consume")[0].pk):
        with pytest.raises(ConsumptionNotFound):
            refund(consumption, mode="live")


@pytest.mark.parametrize("units", [0, -1, 10**9 + 1, True, 1.0, "5"])
def test_units_must_be_a_whole_number(shelf: Shelf, units: int) -> None:
    shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")

    with pytest.raises(InvalidRequest) as refused:
        refund(units=units)

    assert refused.value.extra["fields"].keys() == {"units"}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\0b"])
def test_a_refund_says_why(shelf: Shelf, reason: str) -> None:
    shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")

    with pytest.raises(InvalidRequest) as refused:
        refund(reason=reason)

    assert refused.value.extra["fields"].keys() == {"reason"}


def test_a_refund_has_a_key(shelf: Shelf) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        refund(key="")
    with pytest.raises(IdempotencyKeyInvalid):
        refund(key="x" * 256)


# --- who hears of it --------------------------------------------------------------------------------------------------


def test_the_entitlements_that_have_units_again_are_told_once(shelf: Shelf) -> None:
    gone = shelf.give(10, until=shelf.double.now + timedelta(days=1))
    first, second = (shelf.give(units, until=shelf.double.now + timedelta(days=9)) for units in (20, 70))
    usage.consume("user_1", 50, idempotency_key="k")
    shelf.double.advance(timedelta(days=1))
    listen("entitlement.updated", "usage.consumed")

    for _ in range(2):
        refund()

    told = [event.payload for event in OutboundEvent.objects.order_by("pk")]
    assert [(one["entitlement_id"], one["usage_remaining"]) for one in told] == [
        (first.public_id, 20),
        (second.public_id, 70),
    ]
    assert gone.public_id not in str(told)
    assert {(one["reason"], one["source"]) for one in told} == {("usage_refunded", "runtime")}
    assert {one["updated_at"] for one in told} == {shelf.double.now.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_what_an_operator_gives_back_names_the_operator(shelf: Shelf, admin_user: object) -> None:
    shelf.give(100)
    usage.consume("user_1", 60, idempotency_key="k")
    listen()

    refund(actor=admin_user)

    (row,) = rows_of("refund")
    assert (row.actor, row.source) == (admin_user, "portal")
    assert OutboundEvent.objects.get().payload["actor_user_id"] == str(admin_user.pk)  # type: ignore[attr-defined]


def test_use_by_day_falls_on_the_day_of_the_use(shelf: Shelf) -> None:
    shelf.give(10)
    shelf.give(990)
    usage.consume("user_1", 100, idempotency_key="k")
    held = reserve(50, idempotency_key="h", ttl_seconds=86_400)
    shelf.double.advance(timedelta(days=1) - timedelta(seconds=1))
    usage.confirm(held.reservation_id, 50)
    usage.consume("user_1", 7, idempotency_key="k2")
    shelf.double.advance(timedelta(days=1))

    refund(units=95, key="r1")
    refund("h", units=20, key="r2")

    assert [day.units for day in usage.by_day("user_1", days=3)] == [5, 37, 0]
    assert [day.units for day in usage.by_day("user_1", days=1)] == [0]


def test_units_of_one_kind_come_back_to_that_kind(shelf: Shelf) -> None:
    shelf.give(100)
    shelf.double.sell("SMS", kind="usage_pack", unit="sms")
    shelf.give(50, code="SMS")
    usage.consume("user_1", 40, unit="sms", idempotency_key="k")

    assert refund() == usage.Refunded(40, 50)
    assert usage.remaining("user_1", unit="credits") == 100


def test_units_of_a_window_come_back_to_it_and_its_subscription_is_told(shelf: Shelf) -> None:
    shelf.double.sell("PRO", units=1000, units_every="month")
    shelf.double.buy("user_1", "PRO")
    usage.consume("user_1", 1000, idempotency_key="k")
    listen("entitlement.updated")

    assert refund(units=300) == usage.Refunded(300, 300)

    (told,) = [event.payload for event in OutboundEvent.objects.all()]
    assert (told["product_code"], told["usage_remaining"]) == ("PRO", 300)
