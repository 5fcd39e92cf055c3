"""Units set aside: how a reservation ends, by confirm, by release, or by the clock alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from licenzy_django.access import cache
from licenzy_django.exceptions import InvalidRequest, ReservationClosed, ReservationNotFound
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, LedgerEntry, Reservation, Subject
from licenzy_django.outbound import outbox
from licenzy_django.usage import allocation

Kind = LedgerEntry.Kind
Status = Reservation.Status
RECLAIMED_AT_ONCE = 500


def end(reservation_id: str, mode: str, at: datetime, *, units: int | None) -> tuple[Reservation, bool]:
    """Confirm the units, or release them all if None. The same once more changes nothing: the second value says so.

    Raises:
        ReservationNotFound, ReservationClosed: nothing was changed.
        InvalidRequest: more units than were reserved.
    """
    with transaction.atomic(using=packs.writer()):
        mine = Reservation.objects.filter(public_id=reservation_id, mode=mode)
        reservation = outbox.with_listeners(allocation.locked(mine)).first()
        if reservation is None:
            raise ReservationNotFound()
        status = Status.RELEASED if units is None else Status.CONFIRMED
        if (reservation.status, reservation.units_confirmed) == (status, units):
            return reservation, True
        if not reservation.is_open_at(at):
            raise ReservationClosed()
        if units is not None and units > reservation.units:
            raise InvalidRequest(fields={"units": [f"Only {reservation.units} were reserved."]})
        close([reservation], status, units, at)
        answer(reservation, at)
    return reservation, False


def answer(reservation: Reservation, at: datetime) -> None:
    """Keep what is left, and tell what was used."""
    subject_ref, mode, product_code = reservation.subject.subject_ref, reservation.mode, reservation.product_code
    left = packs.remaining(subject_ref, mode, product_code, at)
    reservation.usage_remaining = left
    reservation.save(update_fields=["usage_remaining"])
    if reservation.units_confirmed and outbox.is_heard(reservation):
        allocation.publish_use(subject_ref, reservation.units_confirmed, mode, left, product_code, at)


def reclaim(subject_ref: str, mode: str, at: datetime) -> bool:
    """Write down that reservations have lapsed, and say whether any had. Their units were free before."""
    expired = expired_reservations(subject_ref, mode, at)
    if not expired.exists():
        return False
    with transaction.atomic(using=packs.writer()):
        reservations = list(allocation.locked(expired).order_by("pk")[:RECLAIMED_AT_ONCE])
        close(reservations, Status.EXPIRED, None, at)
    return bool(reservations)


def expired_reservations(subject_ref: str, mode: str, at: datetime) -> QuerySet[Reservation]:
    subjects = Subject.objects.using(packs.writer()).filter(subject_ref=subject_ref, mode=mode)
    return Reservation.objects.using(packs.writer()).filter(
        subject__in=subjects, status=Status.OPEN, expires_at__lte=at
    )


def close(reservations: Sequence[Reservation], status: Status, units: int | None, at: datetime) -> None:
    """End these open, locked reservations alike, and bring their packs in line. Belongs into a transaction."""
    if not reservations:
        return
    held = list(LedgerEntry.objects.using(packs.writer()).filter(reservation__in=reservations, kind=Kind.RESERVE))
    held_packs = Entitlement.objects.filter(pk__in={row.entitlement_id for row in held})
    locked_packs = {pack.pk: pack for pack in allocation.locked(held_packs).order_by(*packs.DRAIN_ORDER)}
    Reservation.objects.filter(pk__in=[one.pk for one in reservations]).update(
        status=status, units_confirmed=units, closed_at=at
    )
    were_empty = {pack.pk for pack in locked_packs.values() if not pack.units_remaining}
    rows: list[LedgerEntry] = []
    for reservation in reservations:
        reservation.status, reservation.units_confirmed, reservation.closed_at = status, units, at
        parts = {row.entitlement_id: row.units for row in held if row.reservation_id == reservation.pk}
        rows += ended_parts(reservation, [(pack, parts[pk]) for pk, pack in locked_packs.items() if pk in parts])
    LedgerEntry.objects.bulk_create(rows)
    for pack in locked_packs.values():
        pack.reserved_until = earliest_end(pack)
        pack.updated_at = at
        pack.save(update_fields=[*UNITS, "reserved_until", "updated_at"])
        if pack.pk in were_empty or not pack.units_remaining:
            cache.changed(pack.subject_ref, pack.mode)


UNITS = ("units_consumed", "units_reserved", "units_voided", "units_remaining")


def ended_parts(reservation: Reservation, parts: Sequence[allocation.Part]) -> list[LedgerEntry]:
    """Take what was used from the packs in drain order, give the rest back, and return the rows of the ledger."""
    back = Kind.EXPIRE if reservation.status == Status.EXPIRED else Kind.RELEASE
    unused, rows = reservation.units_confirmed or 0, []
    for pack, reserved in parts:
        used = min(unused, reserved)
        unused -= used
        before = pack.units_remaining
        returned = packs.give_back(pack, reserved, consumed=used)
        voided = returned if packs.is_void(pack) else 0
        movements = [(Kind.CONFIRM, used), (back, returned), (Kind.VOID, voided)]
        rows += entries.entries(pack, before, movements, reservation=reservation, created_at=reservation.closed_at)
    return rows


def earliest_end(pack: Entitlement) -> datetime | None:
    """When the first of the lot's open reservations ends."""
    if not pack.units_reserved:
        return None
    open_ones = Reservation.objects.using(packs.writer()).filter(
        subject=pack.subject_id, status=Status.OPEN, ledger__entitlement=pack, ledger__kind=Kind.RESERVE
    )
    return open_ones.order_by("expires_at").values_list("expires_at", flat=True).first()
