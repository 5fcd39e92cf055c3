"""How units are taken: by one statement where PostgreSQL has our function, by four statements everywhere else.

Both lock the subject's packs in drain order, take all or nothing, and leave the decision to the database: the rows
are locked, the UPDATE takes only what is there, and the unique index on the key lets one request through. Nothing but
speed differs; the tests of usage run on both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db import IntegrityError, connections, models, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from licenzy_django import clock
from licenzy_django.access import cache
from licenzy_django.ledger import entries, packs
from licenzy_django.models import LedgerEntry, Pack, Reservation
from licenzy_django.models.availability import has_units
from licenzy_django.models.units import usable_packs, with_units_sold
from licenzy_django.models.usage import MOST_UNITS
from licenzy_django.outbound import outbox, usage_events
from licenzy_django.usage import postgres, thresholds
from licenzy_django.usage.thresholds import Heard

Row = TypeVar("Row", bound=models.Model)
Part = tuple[Pack, int]


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """What is asked for.

    Attributes:
        unit: empty means the product's, or the only one.
        product_code: empty means of any pack.
        actions: what the units are for, with the rates, as the ledger keeps it.
    """

    subject_ref: str
    mode: str
    unit: str
    product_code: str
    units: int
    idempotency_key: str
    fingerprint: str
    at: datetime
    actions: dict[str, dict[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Units set aside, and what is left to use."""

    reservation: Reservation
    usage_remaining: int


def consume(request: UsageRequest) -> int | None:
    """Take the units and return what is left, or change nothing and return None.

    None means one of: too few units, several kinds of them and none is named, the key was used before, or a
    reservation has expired and was not yet reclaimed.
    """
    using = packs.writer()
    if not postgres.is_there(using):
        return consume_portably(request)
    arguments = (
        request.subject_ref,
        request.mode,
        request.unit,
        request.product_code,
        request.units,
        request.idempotency_key,
        request.fingerprint,
        request.at,
        None if request.actions is None else json.dumps(request.actions),
    )
    # Without a listener the one statement is a transaction by itself: BEGIN and COMMIT would cost half as much again.
    are_received = thresholds.are_received()
    taken = None if are_received else postgres.call(using, *arguments, False)
    if taken is None or taken.wants_use or taken.wants_thresholds:
        with transaction.atomic(using=using, savepoint=False):
            taken = postgres.call(using, *arguments, True)
            if taken.remaining is not None:
                heard = Heard(bool(taken.wants_use), are_received or bool(taken.wants_thresholds))
                publish(request, heard, request.units, taken.remaining, taken.unit)
    if taken.is_emptied and taken.remaining is not None:
        cache.changed(request.subject_ref, request.mode)
    return taken.remaining


def publish(used: UsageRequest | Reservation, heard: Heard, units: int, left: int, unit: str) -> None:
    """Publish that units were used, and which thresholds that reached, in the transaction that uses them."""
    subject_ref = used.subject_ref if isinstance(used, UsageRequest) else used.subject.subject_ref
    at = clock.moment(used.at if isinstance(used, UsageRequest) else used.closed_at)
    if heard.use:
        publish_use(used, subject_ref, units, left, unit, at)
    if heard.thresholds:
        thresholds.announce(subject_ref, used.mode, unit, at)


def publish_use(
    used: UsageRequest | Reservation, subject_ref: str, units: int, left: int, unit: str, at: datetime
) -> None:
    event = usage_events.usage_consumed(
        subject_ref,
        units,
        mode=used.mode,
        unit=unit,
        usage_remaining=left,
        product_code=used.product_code or None,
        at=at,
    )
    outbox.publish(used.mode, [event])


# --- the portable way -------------------------------------------------------------------------------------------------


def consume_portably(request: UsageRequest) -> int | None:
    try:
        with transaction.atomic(using=packs.writer()):
            return taken(request, LedgerEntry.Kind.CONSUME)
    except IntegrityError:
        # Another request with this key was first, and it is undone with the rest.
        return None


def reserve(request: UsageRequest, expires_at: datetime) -> Held | None:
    """Set the units aside, or change nothing and return None, as ``consume`` does."""
    try:
        with transaction.atomic(using=packs.writer()):
            reservation = Reservation(
                mode=request.mode,
                product_code=request.product_code,
                units=request.units,
                expires_at=expires_at,
                created_at=request.at,
            )
            left = taken(request, LedgerEntry.Kind.RESERVE, reservation)
            return None if left is None else Held(reservation, left)
    except IntegrityError:
        return None


def taken(request: UsageRequest, kind: LedgerEntry.Kind, reservation: Reservation | None = None) -> int | None:
    """Lock the packs, plan, take, and keep the ledger rows, the first of them with the key."""
    begin_writing(Pack.objects.all())
    heard = thresholds.heard_in(request.mode) if kind == LedgerEntry.Kind.CONSUME else Heard()
    if heard.thresholds:
        lock_live(request.subject_ref, request.mode, request.at)
    found = lock_available(request)
    parts = planned(found, request)
    if parts is None:
        return None
    left = min(sum(pack.units_remaining for pack in found) - request.units, MOST_UNITS)
    if reservation is not None:
        reservation.subject_id = parts[0][0].subject_id
        reservation.save(force_insert=True)
    if not move(parts, request.at, reservation):
        transaction.set_rollback(True, using=packs.writer())
        return None
    if any(pack.units_remaining == units for pack, units in parts):
        cache.changed(request.subject_ref, request.mode)
    rows = [row for pack, units in parts for row in rows_of_part(pack, units, kind, reservation, request.at)]
    rows[0].idempotency_key = request.idempotency_key
    rows[0].fingerprint = request.fingerprint
    rows[0].usage_remaining = left
    rows[0].actions = request.actions
    if kind == LedgerEntry.Kind.CONSUME:
        for row in rows[1:]:
            row.part_of = request.idempotency_key
    LedgerEntry.objects.bulk_create(rows)
    publish(request, heard, request.units, left, parts[0][0].unit)
    return left


def lock_available(request: UsageRequest) -> list[Pack]:
    """The packs that have units, or will have once an expired reservation is reclaimed; locked, in drain order.

    None at all where several units are sold and none is named.
    """
    codes = [request.product_code] if request.product_code else []
    rows = usable_packs(request.subject_ref, request.mode, request.at, unit=request.unit, product_codes=codes)
    rows = rows.filter(has_units(request.at))
    if request.unit or codes:
        return list(locked(rows).order_by(*packs.DRAIN_ORDER))
    found = locked(with_units_sold(rows, request.mode)).order_by(*packs.DRAIN_ORDER)
    return [pack for pack in found if pack.first_sold == pack.last_sold and pack.last_sold in (pack.unit, None)]


def lock_live(subject_ref: str, mode: str, at: datetime, also: Iterable[int] = ()) -> list[Pack]:
    """The packs from which units can be taken, those that are used up too, and others by their keys; locked, in drain
    order: what is announced rests on all of them."""
    live = usable_packs(subject_ref, mode, at).using(packs.writer()).values_list("pk", flat=True)
    begin_writing(Pack.objects.all())
    return list(packs.locked([*live, *also]).values())


def begin_writing(rows: QuerySet[Any]) -> None:
    """On SQLite whoever reads before writing may not write afterwards: take the lock first, by writing to no row."""
    connection = connections[packs.writer()]
    begins_with_the_lock = connection.settings_dict["OPTIONS"].get("transaction_mode") in ("IMMEDIATE", "EXCLUSIVE")
    if not connection.features.has_select_for_update and not begins_with_the_lock:
        rows.using(connection.alias).filter(pk=0).update(mode=F("mode"))


def locked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows, to be read under a lock. Belongs into a transaction."""
    begin_writing(rows)
    return rows.using(packs.writer()).select_for_update()


def planned(found: Sequence[Pack], request: UsageRequest) -> list[Part] | None:
    """How many units to take from which pack. None if there are too few, or if an expired reservation is in the way."""
    if any(pack.reserved_until is not None and pack.reserved_until <= request.at for pack in found):
        return None
    parts, missing = [], request.units
    for pack in found:
        if missing:
            parts.append((pack, min(missing, pack.units_remaining)))
            missing -= parts[-1][1]
    return None if missing else parts


def move(parts: Sequence[Part], at: datetime, reservation: Reservation | None) -> bool:
    """Take the parts from their packs in one UPDATE that takes only what is there."""
    units = Case(*(When(pk=pack.pk, then=Value(units)) for pack, units in parts), default=Value(0))
    to = "units_consumed" if reservation is None else "units_reserved"
    changes: dict[str, Any] = {"units_remaining": F("units_remaining") - units, to: F(to) + units, "updated_at": at}
    if reservation is not None:
        ends_at = Value(reservation.expires_at)
        sooner = Q(reserved_until=None) | Q(reserved_until__gt=reservation.expires_at)
        changes["reserved_until"] = Case(When(sooner, then=ends_at), default=F("reserved_until"))
    is_there = reduce(or_, (Q(pk=pack.pk, units_remaining__gte=units) for pack, units in parts))
    return Pack.objects.filter(is_there).update(**changes) == len(parts)


def rows_of_part(
    pack: Pack, units: int, kind: LedgerEntry.Kind, reservation: Reservation | None, at: datetime
) -> list[LedgerEntry]:
    before, pack.units_remaining = pack.units_remaining, pack.units_remaining - units
    return entries.entries(pack, before, [(kind, units)], reservation=reservation, created_at=at)
