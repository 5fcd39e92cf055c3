"""Give units of a consumption back to the packs that they came from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum

from licenzy_django import clock
from licenzy_django.access import cache
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.rows import written
from licenzy_django.exceptions import (
    ConsumptionNotFound,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    InvalidRequest,
)
from licenzy_django.idempotency import fingerprint
from licenzy_django.idempotency import idempotency_key as checked_key
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Reservation, Source
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.units import MAX_UNITS, NOT_A_NUMBER_OF_UNITS, is_whole
from licenzy_django.outbound import outbox
from licenzy_django.usage import reservations
from licenzy_django.usage.requests import answer_of

Part = tuple[LedgerEntry, int]
Kind = LedgerEntry.Kind
MAX_REASON = 500
TAKEN = [Kind.CONSUME, Kind.CONFIRM]
"""The kinds of rows that took units for good."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """Units that were given back.

    Attributes:
        refunded: how many of them can be used again now.
        usage_remaining: what is left of their unit over all available packs.
        replayed: this is the first answer again, and nothing was done.
    """

    refunded: int
    usage_remaining: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What is asked for. ``units`` None means: all that has not been given back yet."""

    units: int | None
    reason: str
    actor: Any
    idempotency_key: str
    fingerprint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Consumption:
    """Rows of the ledger that belong together.

    Attributes:
        first: the row by which it was found.
        parts: the rows that took units, in the order in which they did; none where 0 units were confirmed.
    """

    first: LedgerEntry
    parts: Sequence[LedgerEntry]

    @property
    def units(self) -> int:
        return sum(part.units for part in self.parts)

    @property
    def pack_ids(self) -> set[int]:
        return {row.pack_id for row in (self.first, *self.parts)}


def refund(
    consumption: str | int,
    units: int | None = None,
    *,
    reason: str,
    idempotency_key: str,
    mode: str | None = None,
    actor: Any = None,
    at: datetime | None = None,
) -> Refunded:
    """Give units that were used back to the packs that they came from, what was taken last first.

    ``refunded`` counts what can be used again now. The books follow in any case: units of a pack that is over come back
    to that pack and are over with it, and those of a void one (refunded, disputed, revoked) are void, until it is
    restored. So none of them can be given back twice.

    Args:
        consumption: the Idempotency-Key of the ``consume``, or of the ``reserve`` that was confirmed; where both were
            called with it, the ``consume``. Or the id of a row in the ledger, which stands for the whole consumption.
        units: at most what has not been given back yet; None: all of that.
        reason: why, for the ledger; 1 to 500 characters.
        idempotency_key: the same key with the same arguments gives the first answer again and gives nothing back.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        actor: the operator, a user; None: the host's own code.
        at: another moment than now.

    Once all of it was given back, a refund with another key answers 0.

    Raises:
        ConsumptionNotFound: nothing was consumed so; a reservation that is still open, too.
        InvalidRequest: more units than are left to be given back, or no reason.
        IdempotencyKeyReused: the key was used with other arguments.
        IdempotencyKeyMissing, IdempotencyKeyInvalid: nothing was given back.
    """
    request = refund_request(consumption, units, reason, idempotency_key, actor, at)
    mode = mode or licenzy_settings().MODE
    found = consumption_of(consumption, mode)
    try:
        with transaction.atomic(using=packs.writer()):
            return refund_once(found, request)
    except IntegrityError:
        # A refund of another consumption with this key was first.
        entries.first_of_key(mode, Kind.REFUND, request.idempotency_key, request.fingerprint)
        raise


def refund_request(
    consumption: str | int, units: int | None, reason: str, idempotency_key: str, actor: Any, at: datetime | None
) -> RefundRequest:
    """The request, checked. Raises what ``refund`` raises for a wrong argument."""
    key, problems = checked_key(idempotency_key), {}
    if units is not None and (not is_whole(units) or not 1 <= units <= MAX_UNITS):
        problems["units"] = [NOT_A_NUMBER_OF_UNITS]
    if not reason.strip() or len(reason) > MAX_REASON or "\0" in reason:
        problems["reason"] = [f"Say why, in 1 to {MAX_REASON} characters."]
    if problems:
        raise InvalidRequest(fields=problems)
    meaning = fingerprint(consumption=consumption, units=units, reason=reason)
    return RefundRequest(units, reason, actor, key, meaning, clock.moment(at))


# --- what was consumed ------------------------------------------------------------------------------------------------


def consumption_of(named: str | int, mode: str) -> Consumption:
    """The rows of a consumption, by its key or the id of one of them. Raises ConsumptionNotFound."""
    rows = written(LedgerEntry).filter(mode=mode)
    first = first_with_key(named, rows) if isinstance(named, str) else rows.filter(pk=named, kind__in=TAKEN).first()
    if first is None:
        raise ConsumptionNotFound()
    if first.reservation_id is None:
        key = first.idempotency_key or first.part_of
        is_part = Q(idempotency_key=key) | Q(part_of=key) if key else Q(pk=first.pk)
        parts = rows.filter(is_part, kind=Kind.CONSUME)
    else:
        parts = rows.filter(reservation=first.reservation_id, kind=Kind.CONFIRM)
    return Consumption(first, list(parts.order_by("pk")))


def first_with_key(named: str, rows: QuerySet[LedgerEntry]) -> LedgerEntry | None:
    try:
        key = checked_key(named)
    except (IdempotencyKeyInvalid, IdempotencyKeyMissing):
        return None
    is_confirmed = Q(kind=Kind.RESERVE, reservation__status=Reservation.Status.CONFIRMED)
    return rows.filter(Q(kind=Kind.CONSUME) | is_confirmed, idempotency_key=key).order_by("kind").first()


# --- giving back ------------------------------------------------------------------------------------------------------


def refund_once(consumption: Consumption, request: RefundRequest) -> Refunded:
    """Lock the packs, give back what is left of the consumption, and keep the rows, the first of them with the key.

    The lock comes first: who waits for it sees what others have given back, and finds a key that was used meanwhile.
    """
    first = consumption.first
    locked = {pack.pk: pack for pack in reservations.lock_packs(consumption.pack_ids)}
    before = entries.first_of_key(first.mode, Kind.REFUND, request.idempotency_key, request.fingerprint)
    if before is not None:
        return Refunded(before.units_refunded or 0, answer_of(before), replayed=True)
    usable: dict[int, int] = {}
    rows: list[LedgerEntry] = []
    for part, units in planned(consumption, request):
        pack = locked[part.pack_id]
        given = give_back(pack, part, units, request)
        voided = sum(row.units for row in given if row.kind == Kind.VOID)
        if units > voided and packs.can_be_used(pack, request.at):
            usable[pack.pk] = units - voided
        rows += given
    rows = rows or [nothing_left(locked[first.pack_id], first, request)]
    refunded = sum(usable.values())
    pack = rows[0].pack
    remaining = packs.remaining(pack.subject_ref, pack.mode, request.at, unit=pack.unit)
    rows[0].idempotency_key, rows[0].fingerprint = request.idempotency_key, request.fingerprint
    rows[0].usage_remaining, rows[0].units_refunded = remaining, refunded
    LedgerEntry.objects.bulk_create(rows)
    publish(first.mode, usable, request)
    return Refunded(refunded, remaining)


def planned(consumption: Consumption, request: RefundRequest) -> list[Part]:
    """How many units of which row to give back, what was taken last first. Belongs behind the packs' lock.

    Raises InvalidRequest for more than is left, unless nothing is.
    """
    given = given_back(consumption)
    taken = consumption.units
    left = taken - sum(given.values())
    missing = left if request.units is None else request.units
    if missing > taken or missing > left > 0:
        raise InvalidRequest(fields={"units": [f"Only {left} of the {taken} units are left to be given back."]})
    parts, missing = [], min(missing, left)
    for part in reversed(consumption.parts):
        units = min(missing, part.units - given.get(part.pk, 0))
        missing -= units
        if units:
            parts.append((part, units))
    return parts


def units_left(row: LedgerEntry) -> int:
    """How many units can still be given back of the consumption that a row belongs to. Raises ConsumptionNotFound."""
    consumption = consumption_of(row.pk, row.mode)
    return consumption.units - sum(given_back(consumption).values())


def given_back(consumption: Consumption) -> dict[int, int]:
    """How many units were given back already, by the key of the row that took them."""
    refunds = written(LedgerEntry).filter(kind=Kind.REFUND, consumption__in=[part.pk for part in consumption.parts])
    return dict(refunds.order_by().values_list("consumption").annotate(units=Sum("units")))


def give_back(pack: Pack, part: LedgerEntry, units: int, request: RefundRequest) -> list[LedgerEntry]:
    """Give units back to the locked pack that a row took them from, and save it. Returns the rows to keep."""
    before = pack.units_remaining
    voided = packs.refund(pack, units)
    pack.updated_at = request.at
    pack.save(update_fields=["units_consumed", "units_voided", "units_remaining", "updated_at"])
    if not before and pack.units_remaining:
        cache.changed(pack.subject_ref, pack.mode)
    movements = [(Kind.REFUND, units), (Kind.VOID, voided)]
    rows = entries.entries(pack, before, movements, **common(part, request))
    for row in rows:
        row.consumption = part if row.kind == Kind.REFUND else None
    return rows


def nothing_left(pack: Pack, first: LedgerEntry, request: RefundRequest) -> LedgerEntry:
    """The row that keeps the answer of a refund that gives nothing back."""
    return LedgerEntry(
        mode=pack.mode,
        subject_id=pack.subject_id,
        pack=pack,
        kind=Kind.REFUND,
        units=0,
        balance_after=pack.units_remaining,
        consumption=first,
        **common(first, request),
    )


def common(part: LedgerEntry, request: RefundRequest) -> dict[str, Any]:
    """What all rows of a refund say alike."""
    return {
        "reservation_id": part.reservation_id,
        "source": source_of(request),
        "actor": request.actor,
        "reason": request.reason,
        "created_at": request.at,
    }


def source_of(request: RefundRequest) -> str:
    return Source.RUNTIME if request.actor is None else Source.PORTAL


def publish(mode: str, pack_ids: Collection[int], request: RefundRequest) -> None:
    """Publish the entitlements that have units again, as those that an operator adjusts: others mirror the balance."""
    if not pack_ids or not outbox.listeners_of(mode).exists():
        return
    owners = written(Entitlement).filter(Q(pack__in=pack_ids) | Q(windows__in=pack_ids)).select_related("pack")
    changed = list(owners.distinct().order_by("pk"))
    for row in changed:
        # Said, and not saved: a rebuild locks entitlements before it locks packs.
        row.updated_at = request.at
    audit = AuditContext(reason="usage_refunded", source=source_of(request), actor=request.actor, note=request.reason)
    outbox.publish_entitlements(changed, audit=audit)


arefund = sync_to_async(refund)
