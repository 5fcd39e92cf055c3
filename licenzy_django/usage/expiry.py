"""Reservations that end by the clock alone: written down set by set, however many there are."""

from __future__ import annotations

from datetime import datetime

from django.db import connections, transaction
from django.db.models import QuerySet, Sum

from licenzy_django.ledger import packs
from licenzy_django.models import LedgerEntry, Pack, Reservation, Subject
from licenzy_django.usage import allocation, reservations

Status = Reservation.Status
# Nothing but our own table names is put in here.
INSERT = f"""
INSERT INTO {LedgerEntry._meta.db_table} (
  mode, subject_id, pack_id, kind, units, balance_after, created_at, source, reason, fingerprint, reservation_id
)
SELECT mode, subject_id, pack_id, 'expire', units, %s + SUM(units) OVER (ORDER BY id), %s, 'runtime', '', '',
  reservation_id
FROM {LedgerEntry._meta.db_table}
WHERE kind = 'reserve' AND pack_id = %s AND reservation_id IN (
  SELECT id FROM {Reservation._meta.db_table}
  WHERE subject_id = %s AND status = 'open' AND expires_at <= %s AND id <= %s
)
ORDER BY id
"""  # noqa: S608


def reclaim(subject_ref: str, mode: str, at: datetime) -> bool:
    """Write down that reservations have expired, and say whether any had. Their units were free before."""
    expired = expired_reservations(subject_ref, mode, at)
    if not expired.exists():
        return False
    with transaction.atomic(using=packs.writer()):
        # Locked, and then found again by the same condition: nobody can end one of them meanwhile.
        locked = list(allocation.locked(expired).order_by("pk").values_list("pk", flat=True))
        if not locked:
            return False
        expired = expired.filter(pk__lte=locked[-1])
        held = reservations.held_by(expired).order_by().values_list("pack_id").annotate(units=Sum("units"))
        units = dict(held)
        for pack in reservations.lock_packs(units):
            expire(pack, units[pack.pk], expired, at, up_to=locked[-1])
        expired.update(status=Status.EXPIRED, closed_at=at)
    return True


def expired_reservations(subject_ref: str, mode: str, at: datetime) -> QuerySet[Reservation]:
    subjects = Subject.objects.using(packs.writer()).filter(subject_ref=subject_ref, mode=mode)
    return Reservation.objects.using(packs.writer()).filter(
        subject__in=subjects, status=Status.OPEN, expires_at__lte=at
    )


def expire(pack: Pack, units: int, expired: QuerySet[Reservation], at: datetime, *, up_to: int) -> None:
    """Give back to a locked pack what expired reservations hold of it: a row of the ledger for each of them.

    Args:
        up_to: the last of the reservations.
    """
    before = pack.units_remaining
    voided = packs.give_back(pack, units, consumed=0)
    connection = connections[packs.writer()]
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [before, moment, pack.pk, pack.subject_id, moment, up_to])
    if voided:
        void = LedgerEntry(kind=LedgerEntry.Kind.VOID, units=voided, balance_after=pack.units_remaining, created_at=at)
        void.mode, void.subject_id, void.pack = pack.mode, pack.subject_id, pack
        void.save()
    reservations.save(pack, at, expired.values("pk"), is_turned=not before)
