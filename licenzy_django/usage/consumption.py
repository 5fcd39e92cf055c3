"""Use units: consume, or reserve, confirm and release. All or nothing, once per key, never below zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from asgiref.sync import sync_to_async

from licenzy_django import clock
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import IdempotencyKeyInUse, InvalidRequest, ReservationClosed
from licenzy_django.identity import subject_ref_of
from licenzy_django.ledger import entries, packs
from licenzy_django.ledger.entries import DayOfUse
from licenzy_django.models import LedgerEntry, Reservation
from licenzy_django.models.units import MAX_UNITS, is_whole, only_unit, refuse_unknown_unit
from licenzy_django.usage import allocation, reservations
from licenzy_django.usage.requests import (
    DEFAULT_TTL_SECONDS,
    MAX_TTL_SECONDS,
    TRIES,
    answer_before,
    answer_of,
    consumed_by,
    request_for_actions,
    usage_request,
)

NEVER_THERE = "Units were there at every look and gone at every try."


@dataclass(frozen=True, slots=True)
class Used:
    """Units that were used, and what is left over the packs that the call was about.

    ``replayed`` means that this is the first answer again and nothing was done.
    """

    consumed: int
    usage_remaining: int
    replayed: bool = False


@dataclass(slots=True)
class Reserved:
    """Units set aside. As a context manager it confirms what ``use`` counted, and releases all on an exception.

    ``with usage.reserve(user, 100, idempotency_key=key) as reserved: reserved.use(work())``

    A replay is an answer, not a permission to work again: entering it is refused.
    """

    reservation_id: str
    reserved: int
    usage_remaining: int
    expires_at: datetime
    mode: str
    replayed: bool = False
    used: int = field(default=0, init=False)
    is_entered: bool = field(default=False, init=False)

    def use(self, units: int) -> None:
        """Count units as used, on top of those before. Raises InvalidRequest for more than were reserved."""
        if not is_whole(units) or not 0 <= self.used + units <= self.reserved:
            raise InvalidRequest(fields={"units": [f"Only {self.reserved} were reserved."]})
        self.used += units

    def __enter__(self) -> Self:
        """Raises IdempotencyKeyInUse if somebody works under this key already, or did and died before the end."""
        if self.replayed or self.is_entered:
            raise IdempotencyKeyInUse()
        self.is_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises ReservationClosed if the work took longer than the reservation lasted."""
        if kind is None:
            confirm(self.reservation_id, self.used, mode=self.mode)
            return
        try:
            release(self.reservation_id, mode=self.mode)
        except ReservationClosed:
            return

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await sync_to_async(self.__exit__)(kind, error, trace)


def consume(
    subject: Any,
    units: int | None = None,
    *,
    idempotency_key: str,
    actions: Mapping[str, int] | None = None,
    unit: str = "",
    mode: str | None = None,
    product_code: str = "",
    at: datetime | None = None,
) -> Used:
    """Use units of a subject's packs: the one that expires first is used first, then the older one.

    Args:
        subject: a ``subject_ref``, a request or a user.
        units: 1 to 1,000,000,000.
        actions: in place of units, how often each action was done: what it costs the setting ``RATES`` says. The key
            stands for the actions, so a repetition gives the first answer even where the rates have changed.
        idempotency_key: the same key with the same arguments gives the first answer again and uses nothing.
        unit: which kind of units; may be left out where only one is sold, with a product, or with actions of one unit.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        product_code: only packs of this product, or windows of this subscription.
        at: another moment than now.

    Raises:
        InsufficientUsage: nothing was used, and the key may be used again.
        IdempotencyKeyReused: the key was used with other arguments.
        UnitRequired: several units are sold, and none was named.
        ProductNotFound, InvalidRequest, IdempotencyKeyMissing, IdempotencyKeyInvalid: nothing was used.
    """
    if (units is None) == (actions is None):
        raise InvalidRequest(fields={"units": ["Give either units or actions."]})
    asked = (idempotency_key, mode, unit, product_code, at)
    if actions is None:
        request = usage_request(subject, units, *asked)
    else:
        request = request_for_actions(subject, actions, *asked)

    for _ in range(TRIES):
        left = allocation.consume(request) if request.units else None
        if left is not None:
            return Used(request.units, left)
        if first := answer_before(request, LedgerEntry.Kind.CONSUME):
            return Used(consumed_by(first, request), answer_of(first), replayed=True)
    raise RuntimeError(NEVER_THERE)


def reserve(
    subject: Any,
    units: int,
    *,
    idempotency_key: str,
    ttl_seconds: int = DEFAULT_TTL_SECONDS,
    unit: str = "",
    mode: str | None = None,
    product_code: str = "",
    at: datetime | None = None,
) -> Reserved:
    """Set units aside for work whose cost is known only afterwards. Nobody else can use them meanwhile.

    Args:
        ttl_seconds: 1 to 86,400. What is not confirmed by then is free again, by the clock alone.

    The other arguments and the errors are those of ``consume``; and ReservationClosed for a key whose reservation was
    confirmed, released or has expired, so that the work is not done twice.
    """
    if not is_whole(ttl_seconds) or not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidRequest(fields={"ttl_seconds": ["This must be a whole number from 1 to 86,400."]})
    request = usage_request(subject, units, idempotency_key, mode, unit, product_code, at, ttl_seconds=ttl_seconds)

    for _ in range(TRIES):
        held = allocation.reserve(request, request.at + timedelta(seconds=ttl_seconds))
        if held is not None:
            return reserved_of(held.reservation, held.usage_remaining)
        if first := answer_before(request, LedgerEntry.Kind.RESERVE):
            return reserved_before(first, request.at)
    raise RuntimeError(NEVER_THERE)


def confirm(reservation_id: str, units: int, *, mode: str | None = None, at: datetime | None = None) -> Used:
    """Use 0 to all of the units of a reservation; the rest goes back. The same again gives the same answer.

    Raises:
        ReservationClosed: it was confirmed with another number, released, or has expired.
        ReservationNotFound, InvalidRequest: nothing was changed.
    """
    if not is_whole(units) or not 0 <= units <= MAX_UNITS:
        raise InvalidRequest(fields={"units": ["This must be a whole number from 0 to what was reserved."]})
    return ended(reservation_id, mode, at, units)


def release(reservation_id: str, *, mode: str | None = None, at: datetime | None = None) -> Used:
    """Give all units of a reservation back. Raises as ``confirm`` does."""
    return ended(reservation_id, mode, at, None)


def remaining(
    subject: Any, *, unit: str = "", mode: str | None = None, product_code: str = "", at: datetime | None = None
) -> int:
    """Units that a subject can use now, over all available packs. Raises UnitRequired, InvalidRequest."""
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        return 0
    mode = mode or licenzy_settings().MODE
    chosen = unit if unit or product_code else only_unit(mode, using=packs.writer())
    left = packs.remaining(subject_ref, mode, clock.moment(at), unit=chosen, product_code=product_code)
    if unit and not left:
        refuse_unknown_unit(unit, mode, using=packs.writer())
    return left


def by_day(
    subject: Any, *, unit: str = "", days: int = 30, mode: str | None = None, at: datetime | None = None
) -> list[DayOfUse]:
    """Units used on each of the last days in UTC, oldest first, today included.

    Raises UnitRequired, InvalidRequest.
    """
    subject_ref, mode, using = subject_ref_of(subject) or "", mode or licenzy_settings().MODE, packs.writer()
    if unit:
        refuse_unknown_unit(unit, mode, using=using)
    chosen = unit or only_unit(mode, using=using)
    return entries.use_by_day(subject_ref, mode, days=days, at=clock.moment(at), unit=chosen)


def reserved_of(reservation: Reservation, left: int, *, replayed: bool = False) -> Reserved:
    return Reserved(reservation.public_id, reservation.units, left, reservation.expires_at, reservation.mode, replayed)


def reserved_before(first: LedgerEntry, at: datetime) -> Reserved:
    """The first answer again. Raises ReservationClosed where the work must not begin once more."""
    if first.reservation is None or not first.reservation.is_open_at(at):
        raise ReservationClosed()
    return reserved_of(first.reservation, answer_of(first), replayed=True)


def ended(reservation_id: str, mode: str | None, at: datetime | None, units: int | None) -> Used:
    done = reservations.end(reservation_id, mode or licenzy_settings().MODE, clock.moment(at), units=units)
    return Used(units or 0, answer_of(done.reservation), done.replayed)


aconsume = sync_to_async(consume)
areserve = sync_to_async(reserve)
aconfirm = sync_to_async(confirm)
arelease = sync_to_async(release)
aremaining = sync_to_async(remaining)
