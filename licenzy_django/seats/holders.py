"""Assign a seat, release it, list who holds one. Nobody loses one but by ``release``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import QuerySet

from licenzy_django import access, clock
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.rows import writer_of, written
from licenzy_django.exceptions import InvalidRequest, LimitReached
from licenzy_django.identity import required_member_ref, required_subject_ref, subject_ref_of
from licenzy_django.limits.locking import lock, retried
from licenzy_django.models import Seat

LIMIT = "seats"
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a subject.

    Attributes:
        available: whether the seat counts: false for those that came last where the limit has shrunk since, and for
            whoever has no seat.
        assigned_at: when the seat was given; None for whoever has none.
    """

    subject_ref: str
    member_ref: str
    available: bool
    assigned_at: datetime | None


def assign(subject: Any, member: Any, *, mode: str | None = None, at: datetime | None = None) -> Member:
    """Give a member a seat. Who has one keeps it, and no other is taken.

    Args:
        subject: whose seat it is: a ``subject_ref``, a request or a user.
        member: who gets it: a text without a slash, of the form of a ``subject_ref``, or a user.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        at: another moment than now.

    Raises:
        LimitReached: all seats are taken.
        InvalidRequest: nobody, or a text that is no name.
    """
    subject_ref, member_ref = required_subject_ref(subject), required_member_ref(member)
    return retried(lambda: assigned(subject_ref, member_ref, mode or licenzy_settings().MODE, clock.moment(at)))


def assigned(subject_ref: str, member_ref: str, mode: str, at: datetime) -> Member:
    """One member at a time: what is counted is true until the transaction ends."""
    with transaction.atomic(using=writer_of(Seat)):
        subject_id = lock(subject_ref, mode)
        limit = access.limit(subject_ref, LIMIT, mode=mode, at=at)
        seats = written(Seat).filter(subject_id=subject_id)
        seat = seats.filter(member_ref=member_ref).first()
        if seat is None:
            taken = seats.count()
            if not limit.allows(taken):
                raise LimitReached("All seats are taken.", limit=limit.value, in_use=taken)
            seat = seats.create(mode=mode, subject_id=subject_id, member_ref=member_ref, assigned_at=at)
        before = seats.filter(pk__lt=seat.pk).count()
        return Member(subject_ref, member_ref, limit.allows(before), seat.assigned_at)


def release(subject: Any, member: Any, *, mode: str | None = None) -> Member:
    """Take a member's seat back; the same again, and of whoever has none, is the same. Raises InvalidRequest."""
    subject_ref, member_ref = required_subject_ref(subject), required_member_ref(member)
    seats_of(written(Seat), subject_ref, mode).filter(member_ref=member_ref).delete()
    return Member(subject_ref, member_ref, available=False, assigned_at=None)


def members(
    subject: Any,
    *,
    mode: str | None = None,
    at: datetime | None = None,
    limit: int = PAGE_SIZE,
    starting_after: str = "",
) -> list[Member]:
    """Who holds a seat, oldest first, at most ``limit`` after the one named.

    Those who have theirs for the longest are ``available``, as many as the limit ``seats`` allows.
    Raises InvalidRequest if ``starting_after`` holds no seat.
    """
    subject_ref = subject_ref_of(subject) or ""
    seats = seats_of(Seat.objects.all(), subject_ref, mode)
    before = 0
    if starting_after:
        last = seats.filter(member_ref=starting_after).values_list("pk", flat=True).first()
        if last is None:
            raise InvalidRequest(fields={"starting_after": ["This member holds no seat."]})
        before, seats = seats.filter(pk__lte=last).count(), seats.filter(pk__gt=last)
    allowed = access.limit(subject_ref, LIMIT, mode=mode, at=at)
    return [
        Member(subject_ref, seat.member_ref, allowed.allows(before + position), seat.assigned_at)
        for position, seat in enumerate(seats.order_by("pk")[:limit])
    ]


def seats_of(seats: QuerySet[Seat], subject_ref: str, mode: str | None) -> QuerySet[Seat]:
    return seats.filter(subject__subject_ref=subject_ref, subject__mode=mode or licenzy_settings().MODE)


aassign = sync_to_async(assign)
arelease = sync_to_async(release)
amembers = sync_to_async(members)
