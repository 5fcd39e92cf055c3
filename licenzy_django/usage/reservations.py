"""Units set aside: how a reservation ends by confirm or release."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from licenzy_django.access import cache
from licenzy_django.exceptions import InvalidRequest, ReservationClosed, ReservationNotFound
from licenzy_django.ledger import entries, packs
from licenzy_django.models import LedgerEntry, Pack, Reservation
from licenzy_django.usage import allocation, thresholds
from licenzy_django.usage.thresholds import Heard

Kind = LedgerEntry.Kind
Status = Reservation.Status
UNITS = ("units_consumed", "units_reserved", "units_voided", "units_remaining")


@dataclass(frozen=True, slots=True)
class Ended:
    """``replayed``: it had ended so before, and nothing was changed."""

    reservation: Reservation
    replayed: bool = False


def end(reservation_id: str, mode: str, at: datetime, *, units: int | None) -> Ended:
    """Confirm the units, or release them all if None. The same once more changes nothing.

    Raises:
        ReservationNotFound, ReservationClosed: nothing was changed.
        InvalidRequest: more units than were reserved.
    """
    with transaction.atomic(using=packs.writer()):
        reservation = allocation.locked(Reservation.objects.filter(public_id=reservation_id, mode=mode)).first()
        if reservation is None:
            raise ReservationNotFound()
        status = Status.RELEASED if units is None else Status.CONFIRMED
        if (reservation.status, reservation.units_confirmed) == (status, units):
            return Ended(reservation, replayed=True)
        if not reservation.is_open_at(at):
            raise ReservationClosed()
        if units is not None and units > reservation.units:
            raise InvalidRequest(fields={"units": [f"Only {reservation.units} were reserved."]})
        close(reservation, status, units, at)
    return Ended(reservation)


def close(reservation: Reservation, status: Status, units: int | None, at: datetime) -> None:
    """End an open, locked reservation, keep the answer, and publish what was used. Belongs into a transaction."""
    held = dict(held_by(reservation).values_list("pack_id", "units"))
    heard, subject_ref = thresholds.heard_in(reservation.mode) if units else Heard(), reservation.subject.subject_ref
    if heard.thresholds:
        locked_packs = [
            pack for pack in allocation.lock_live(subject_ref, reservation.mode, at, held) if pack.pk in held
        ]
    else:
        locked_packs = lock_packs(held)
    reservation.status, reservation.units_confirmed, reservation.closed_at = status, units, at
    unused, rows = units or 0, []
    for pack in locked_packs:
        used = min(unused, held[pack.pk])
        unused -= used
        was_empty, before = not pack.units_remaining, pack.units_remaining
        voided = packs.give_back(pack, held[pack.pk], consumed=used)
        movements = [
            (Kind.CONFIRM, used),
            (Kind.RELEASE, held[pack.pk] - used),
            (Kind.VOID, voided),
        ]
        rows += entries.entries(pack, before, movements, reservation=reservation, created_at=at)
        save(pack, at, [reservation.pk], is_turned=was_empty or not pack.units_remaining)
    LedgerEntry.objects.bulk_create(rows)
    unit = locked_packs[0].unit
    left = packs.remaining(subject_ref, reservation.mode, at, unit=unit, product_code=reservation.product_code)
    reservation.usage_remaining = left
    reservation.save(update_fields=["status", "units_confirmed", "closed_at", "usage_remaining"])
    if units:
        allocation.publish(reservation, heard, units, left, unit)


def held_by(reservations: Reservation | QuerySet[Reservation]) -> QuerySet[LedgerEntry]:
    """The rows of the ledger that set units aside."""
    rows = LedgerEntry.objects.using(packs.writer()).filter(kind=Kind.RESERVE)
    if isinstance(reservations, Reservation):
        return rows.filter(reservation=reservations)
    return rows.filter(reservation__in=reservations.values("pk"))


def lock_packs(pks: Iterable[int]) -> list[Pack]:
    allocation.begin_writing(Pack.objects.all())
    return list(packs.locked(pks).values())


def save(pack: Pack, at: datetime, without: Any, *, is_turned: bool) -> None:
    """Save the units of a pack.

    Args:
        without: the reservations that are ending.
        is_turned: it was empty, or is now.
    """
    pack.reserved_until, pack.updated_at = earliest_end(pack, without), at
    pack.save(update_fields=[*UNITS, "reserved_until", "updated_at"])
    if is_turned:
        cache.changed(pack.subject_ref, pack.mode)


def earliest_end(pack: Pack, without: Any) -> datetime | None:
    """When the first of the pack's other open reservations ends."""
    if not pack.units_reserved:
        return None
    open_ones = Reservation.objects.using(packs.writer()).filter(
        subject=pack.subject_id, status=Status.OPEN, ledger__pack=pack, ledger__kind=Kind.RESERVE
    )
    return open_ones.exclude(pk__in=without).order_by("expires_at").values_list("expires_at", flat=True).first()
