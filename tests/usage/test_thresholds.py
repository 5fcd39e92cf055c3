"""Other systems are told that units run out: once for each threshold, until a new window or pack begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from licenzy_django import usage
from licenzy_django.exceptions import InsufficientUsage
from licenzy_django.models import OutboundEndpoint, OutboundEvent, Pack, Subject
from licenzy_django.signals import usage_threshold_reached
from licenzy_django.usage.thresholds import newly_reached
from tests.shelf import ON_POSTGRESQL, Shelf
from tests.threads import in_threads


def listen(*events: str) -> None:
    OutboundEndpoint.objects.create(mode="test", url="https://example.com/hook", events=list(events), secret="whsec_x")


def use(units: int, **given: Any) -> usage.Used:
    return usage.consume("user_1", units, **({"idempotency_key": uuid4().hex} | given))


def told(unit: str = "credits") -> list[int]:
    """The thresholds that were announced."""
    events = OutboundEvent.objects.filter(type="usage.threshold_reached").order_by("pk")
    return [event.payload["threshold"] for event in events if event.payload["unit"] == unit]


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What a receiver of the signal was told."""
    calls: list[dict[str, Any]] = []

    def hear(sender: Any, signal: Any, **told: Any) -> None:
        assert sender is Subject
        calls.append(told)

    usage_threshold_reached.connect(hear)
    yield calls
    usage_threshold_reached.disconnect(hear)


def test_each_threshold_is_told_when_it_is_reached(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")

    for units, so_far in ((79, []), (1, [80]), (10, [80]), (10, [80, 100])):
        use(units)
        assert told() == so_far


def test_both_are_told_if_one_consume_passes_them(shelf: Shelf) -> None:
    shelf.give(100)
    listen()

    use(100)

    assert told() == [80, 100]
    event = OutboundEvent.objects.filter(type="usage.threshold_reached").latest("pk")
    expected = {"subject_ref": "user_1", "mode": "test", "unit": "credits", "threshold": 100, "source": "runtime"}
    expected |= {"usage_remaining": 0, "usage_granted": 100, "usage_resets_at": None, "units": None}
    assert event.payload | expected == event.payload


def test_it_is_a_share_of_all_that_is_live(shelf: Shelf) -> None:
    shelf.give(100, until=shelf.double.now + timedelta(days=1))
    shelf.give(100)
    listen("usage.threshold_reached")

    use(159)
    assert told() == []
    use(1)
    assert told() == [80]


def test_the_event_says_when_the_units_reset(shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 100)
    listen("usage.threshold_reached")

    use(80)

    event = OutboundEvent.objects.get(type="usage.threshold_reached")
    assert window.ends_at is not None
    assert event.payload["usage_resets_at"] == window.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (event.payload["usage_remaining"], event.payload["usage_granted"]) == (20, 100)


def test_each_unit_is_counted_for_itself(shelf: Shelf) -> None:
    shelf.give(100)
    shelf.give(10, code="SMS_10", unit="sms")
    listen("usage.threshold_reached")

    use(9, unit="sms")
    use(80, unit="credits")

    assert (told("sms"), told("credits")) == ([80], [80])


# --- once -------------------------------------------------------------------------------------------------------------


def test_a_repetition_tells_nothing(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")

    for _ in range(3):
        use(85, idempotency_key="k")

    assert told() == [80]


def test_units_that_are_given_back_tell_nothing_again(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")

    for turn in range(2):
        use(85, idempotency_key=f"work-{turn}")
        usage.refund(f"work-{turn}", reason="it failed", idempotency_key=f"back-{turn}")
    assert told() == [80]
    use(100)

    assert told() == [80, 100]


def test_units_that_come_back_tell_nothing_again(shelf: Shelf) -> None:
    pack = shelf.give(100)
    listen("usage.threshold_reached")
    use(85)

    usage.adjust(pack, 100, actor=None, reason="an apology")
    use(100)

    assert told() == [80]


def test_a_new_pack_begins_anew(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")
    use(100)

    shelf.double.advance(days=1)
    shelf.give(100)
    use(59)
    assert told() == [80, 100]
    use(1)
    assert told() == [80, 100, 80]
    use(40)
    assert told() == [80, 100, 80, 100]


def test_a_new_window_begins_anew_by_the_clock(shelf: Shelf) -> None:
    plan = shelf.plan()
    shelf.window(plan, 100)
    shelf.window(plan, 100, day=30)
    listen("usage.threshold_reached")
    use(100)

    shelf.double.advance(days=30)
    use(79)
    assert told() == [80, 100]
    use(1)

    assert told() == [80, 100, 80]


def test_a_pack_that_ends_is_no_new_beginning(shelf: Shelf) -> None:
    """The newest one ends, and what is left has announced as much."""
    shelf.give(100)
    shelf.double.advance(days=1)
    shelf.give(100, until=shelf.double.now + timedelta(days=1))
    listen("usage.threshold_reached")
    use(170)
    assert told() == [80]

    shelf.double.advance(days=2)
    use(15)

    assert told() == [80]


# --- reservations, transactions, settings -----------------------------------------------------------------------------


def test_of_a_reservation_what_is_confirmed_counts(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")

    first = usage.reserve("user_1", 85, idempotency_key="a")
    assert told() == []
    usage.confirm(first.reservation_id, 79)
    assert told() == []
    second = usage.reserve("user_1", 21, idempotency_key="b")
    for _ in range(2):
        usage.confirm(second.reservation_id, 21)

    assert told() == [80, 100]


def test_what_a_host_takes_back_was_never_reached(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.threshold_reached")

    with transaction.atomic():
        use(90)
        transaction.set_rollback(True)
    assert told() == []
    use(90)

    assert told() == [80]


def test_a_receiver_is_told_after_the_commit(
    shelf: Shelf, heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """Without any endpoint too."""
    shelf.give(100)

    with django_capture_on_commit_callbacks(execute=True):
        use(100)
        assert heard == []

    told = {"subject_ref": "user_1", "mode": "test", "unit": "credits", "usage_remaining": 0, "usage_granted": 100}
    told |= {"usage_resets_at": None}
    assert heard == [told | {"threshold": 80}, told | {"threshold": 100}]
    assert not OutboundEvent.objects.exists()


@pytest.mark.parametrize(("thresholds", "expected"), [([], []), ([50], [50]), ((50, 80, 90), [50, 80, 90])])
def test_the_setting_says_which(shelf: Shelf, settings: Any, thresholds: Any, expected: list[int]) -> None:
    settings.LICENZY = {**settings.LICENZY, "USAGE_THRESHOLDS": thresholds}
    shelf.give(100)
    listen("usage.threshold_reached")

    use(95)

    assert told() == expected


def test_where_nobody_listens_nothing_is_remembered_and_it_costs_nothing(
    shelf: Shelf, way_of_taking_units: str
) -> None:
    shelf.give(100)
    listen("entitlement.updated")
    use(1)

    with CaptureQueriesContext(connection) as queries:
        use(98)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= (1 if way_of_taking_units == "one statement" else 4), statements
    assert not Pack.objects.exclude(announced_percent=None).exists()


def test_who_listens_to_use_alone_pays_for_no_thresholds(shelf: Shelf) -> None:
    shelf.give(100)
    listen("usage.consumed")

    use(100)

    assert told() == []
    assert not Pack.objects.exclude(announced_percent=None).exists()


def test_nothing_that_was_granted_reaches_nothing() -> None:
    assert newly_reached([], [80]) == []
    assert newly_reached([Pack(units_granted=10, units_voided=10)], [80]) == []


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite lets one write at a time.")
@pytest.mark.django_db(transaction=True)
def test_eight_at_once_tell_each_threshold_once(shelf: Shelf) -> None:
    """They consume and confirm, over a pack that is used up and the newest, and one that is not."""
    shelf.give(70)
    shelf.double.advance(seconds=5)
    shelf.give(10, until=shelf.double.now + timedelta(days=1))
    use(10)
    listen("usage.threshold_reached")
    held = [usage.reserve("user_1", 5, idempotency_key=f"held{number}") for number in range(4)]

    def act(number: int) -> None:
        if number < 4:
            usage.confirm(held[number].reservation_id, 5)
        for _ in range(4):
            with suppress(InsufficientUsage):
                use(3)

    in_threads(8, act)
    left = usage.remaining("user_1")
    if left:
        use(left)

    assert told() == [80, 100]
