"""Laws 5 and 6 on random histories, of one kind of units and of two, against a ledger in plain Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from licenzy_django import access, operators, usage
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from tests.shelf import Shelf
from tests.usage.plain_ledger import PlainHold, PlainLedger, PlainPack

pytestmark = pytest.mark.slow

SUBJECTS = st.sampled_from(["user_1", "org:acme/eu"])
CODES = st.sampled_from(["", "", "CREDITS", "TOKENS", "SMS"])
KINDS = st.sampled_from([None, None, 0, 1])
UNITS = st.integers(1, 25)
# Mostly new ones, some of them used again.
KEYS = st.integers(0, 60).map(str)
WHICH = st.integers(0, 9)
# In parts, so that every core has some.
A_PART = 15
PARTS = max(2, int(os.environ.get("LICENZY_LAW_HISTORIES", "0")) // A_PART)

shelves: list[Shelf] = []


def outcome(act: Callable[[], Any]) -> Any:
    """What an act answers, or the code of its error."""
    try:
        return act()
    except LicenzyError as refusal:
        return refusal.code


def left_after(answer: Any) -> Any:
    return answer if isinstance(answer, str) else answer.usage_remaining


class Units(RuleBasedStateMachine):
    """Everything that moves units, done to the database and to the plain ledger."""

    units_of = {"CREDITS": "credits", "TOKENS": "credits", "SMS": "credits"}

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.get_connection().savepoint()
        self.shelf = shelves[-1]
        self.plain = PlainLedger(self.shelf.double.now, tuple(sorted(set(self.units_of.values()))))
        self.rows: list[Entitlement] = []
        self.ids: list[tuple[str, PlainHold]] = []
        self.holds: dict[str, PlainHold] = {}
        self.give("user_1", 60, "CREDITS", None)
        self.give("user_1", 30, "TOKENS", 90)
        self.give("org:acme/eu", 40, "CREDITS", 500)
        self.give("user_1", 20, "SMS", 200)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            call_command("licenzy_doctor", only=["books"])
            transaction.get_connection().savepoint_rollback(self.savepoint)

    # --- packs --------------------------------------------------------------------------------------------------------

    @rule(
        subject=SUBJECTS,
        units=UNITS,
        code=st.sampled_from(["CREDITS", "TOKENS", "SMS"]),
        seconds=st.sampled_from([None, 90, 500]),
    )
    def give(self, subject: str, units: int, code: str, seconds: int | None) -> None:
        until = None if seconds is None else self.plain.now + timedelta(seconds=seconds)
        self.rows.append(self.shelf.give(units, to=subject, until=until, code=code))
        number, unit = len(self.plain.packs), self.units_of[code]
        self.plain.packs.append(PlainPack(number, subject, code, until, units, unit=unit))

    @rule(which=WHICH, units=st.integers(-40, 40).filter(bool))
    def adjust(self, which: int, units: int) -> None:
        if self.rows:
            row, pack = self.rows[which % len(self.rows)], self.plain.packs[which % len(self.rows)]
            is_enough = self.plain.unused(pack) + units >= 0
            adjusted = outcome(lambda: usage.adjust(row, units, actor=None, reason="chance"))
            assert (adjusted == "insufficient_usage") is not is_enough
            pack.granted += units if is_enough else 0

    @rule(which=WHICH, is_revoked=st.booleans())
    def revoke_or_restore(self, which: int, is_revoked: bool) -> None:
        if self.rows:
            act = operators.revoke if is_revoked else operators.restore
            act(self.rows[which % len(self.rows)], actor=None, reason="chance")
            self.plain.packs[which % len(self.rows)].is_revoked = is_revoked

    @rule(seconds=st.sampled_from([1, 30, 60, 100]))
    def time_passes(self, seconds: int) -> None:
        self.plain.now = self.shelf.double.advance(seconds=seconds)

    # --- use ----------------------------------------------------------------------------------------------------------

    @rule(subject=SUBJECTS, units=UNITS, code=CODES, kind=KINDS, key=KEYS)
    def consume(self, subject: str, units: int, code: str, kind: int | None, key: str) -> None:
        named = self.named(kind)
        request, meant = (subject, units, code, named), self.plain.unit_of(code, named)
        expected: Any = self.expected("consume", key, request)
        if expected is None and meant is None:
            expected = "unit_required"
        elif expected is None:
            expected = self.plain.consume(subject, units, code, meant or "", key)
            expected = "insufficient_usage" if expected is None else expected
        used = outcome(lambda: usage.consume(subject, units, unit=named, product_code=code, idempotency_key=key))
        assert left_after(used) == expected
        if not isinstance(used, str):
            self.plain.keys.setdefault(("consume", key), (request, expected))

    @rule(subject=SUBJECTS, units=UNITS, code=CODES, kind=KINDS, key=KEYS, ttl_seconds=st.sampled_from([20, 60, 200]))
    def reserve(self, subject: str, units: int, code: str, kind: int | None, key: str, ttl_seconds: int) -> None:
        named = self.named(kind)
        request, meant = (subject, units, code, named, ttl_seconds), self.plain.unit_of(code, named)
        expected: Any = self.expected("reserve", key, request)
        hold = None
        if isinstance(expected, int) and not self.plain.is_open(self.holds[key]):
            expected = "reservation_closed"
        if expected is None and meant is None:
            expected = "unit_required"
        elif expected is None:
            hold = self.plain.reserve(subject, units, code, meant or "", ttl_seconds)
            expected = "insufficient_usage" if hold is None else self.plain.remaining(subject, code, meant or "")
        given: dict[str, Any] = {"unit": named, "product_code": code, "ttl_seconds": ttl_seconds}
        held = outcome(lambda: usage.reserve(subject, units, **given, idempotency_key=key))
        assert left_after(held) == expected
        if not isinstance(held, str):
            self.plain.keys.setdefault(("reserve", key), (request, expected))
        if hold is not None:
            assert held.expires_at == hold.expires_at
            self.ids.append((held.reservation_id, hold))
            self.holds[key] = hold

    def named(self, kind: int | None) -> str:
        """The unit that a call names; empty: none."""
        return "" if kind is None else self.plain.kinds[kind % len(self.plain.kinds)]

    def expected(self, operation: str, key: str, request: object) -> object:
        """The first answer of a key that was used before, or the error; None for a key that is free."""
        if (operation, key) not in self.plain.keys:
            return None
        first, answer = self.plain.keys[operation, key]
        return answer if first == request else "idempotency_key_reused"

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, percent=st.sampled_from([0, 50, 100, 100, 110]))
    def confirm(self, which: int, percent: int) -> None:
        reservation_id, hold = self.ids[which % len(self.ids)]
        units = hold.units * percent // 100
        expected = self.plain.end(hold, units)
        assert left_after(outcome(lambda: usage.confirm(reservation_id, units))) == expected

    @precondition(lambda self: self.ids)
    @rule(which=WHICH)
    def release(self, which: int) -> None:
        reservation_id, hold = self.ids[which % len(self.ids)]
        expected = self.plain.end(hold, None)
        assert left_after(outcome(lambda: usage.release(reservation_id))) == expected

    @precondition(lambda self: self.plain.keys)
    @rule(which=st.integers(0, 40), units=st.none() | st.integers(1, 12), key=KEYS)
    def refund(self, which: int, units: int | None, key: str) -> None:
        consumption = [key for _, key in self.plain.keys][which % len(self.plain.keys)]
        request = (consumption, units)
        hold = self.holds.get(consumption)
        use = self.plain.uses.get(consumption) or (hold.use if hold is not None else None)
        expected: Any = self.expected("refund", key, request)
        if use is None:
            expected = "consumption_not_found"
        elif expected is None:
            expected = self.plain.refund(use, units)
        given = outcome(lambda: usage.refund(consumption, units, reason="chance", idempotency_key=key))
        assert (given if isinstance(given, str) else (given.refunded, given.usage_remaining)) == expected
        if not isinstance(given, str):
            self.plain.keys.setdefault(("refund", key), (request, expected))

    @precondition(lambda self: self.ids)
    @rule(which=WHICH)
    def one_lapses(self, which: int) -> None:
        _, hold = self.ids[which % len(self.ids)]
        if hold.expires_at > self.plain.now:
            self.plain.now = self.shelf.double.advance(hold.expires_at - self.plain.now)

    @rule(subject=SUBJECTS)
    def somebody_asks(self, subject: str) -> None:
        for unit in self.plain.kinds:
            left = self.plain.remaining(subject, unit=unit)
            assert bool(access.check(subject, unit=unit, units=max(left, 1))) == (left > 0)
            assert not access.check(subject, unit=unit, units=left + 1)
        left = self.plain.remaining(subject)
        assert bool(access.check(subject)) == (left > 0)
        if len(self.plain.kinds) == 1:
            assert usage.remaining(subject) == access.summary(subject).usage_remaining == left

    # --- what holds after every step ----------------------------------------------------------------------------------

    @invariant()
    def balances_are_those_of_the_plain_ledger(self) -> None:
        if not hasattr(self, "plain"):
            return
        for subject in ("user_1", "org:acme/eu"):
            for unit in self.plain.kinds:
                assert usage.remaining(subject, unit=unit) == self.plain.remaining(subject, unit=unit)
        for row, pack in zip(Pack.objects.order_by("pk"), self.plain.packs, strict=True):
            assert (row.units_granted, row.units_consumed) == (pack.granted, pack.consumed)
        keyed = LedgerEntry.objects.exclude(idempotency_key=None).count()
        assert keyed == len(self.plain.keys)


class TwoKinds(Units):
    """What is done with one kind of units never touches the other."""

    units_of = {"CREDITS": "credits", "TOKENS": "credits", "SMS": "sms"}


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("machine", [Units, TwoKinds])
def test_units_are_conserved_whatever_happens(shelf: Shelf, machine: type[Units], part: int) -> None:
    for code, unit in machine.units_of.items():
        shelf.product(code, unit)
    shelves.append(shelf)
    chosen = settings(
        max_examples=A_PART, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=chosen)
    shelves.pop()
