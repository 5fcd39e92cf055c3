"""The units of a pack: granted = consumed + reserved + voided + remaining, always."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import router
from django.db.models import F

from licenzy_django.clock import NEVER
from licenzy_django.db.conditions import as_python
from licenzy_django.db.rows import insert
from licenzy_django.exceptions import InsufficientUsage, InvalidRequest
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from licenzy_django.models.availability import PACK_IS_ON
from licenzy_django.models.pack import UNIT_COLUMNS
from licenzy_django.models.units import units_left, usable_packs
from licenzy_django.models.usage import MOST_UNITS

TIMES = ("starts_at", "ends_at", "not_before", "available_until")
COLUMNS = (*TIMES, "is_void", "units_paid", *UNIT_COLUMNS, "updated_at")
UNIQUE = ("source_id", "mode", "unit", "window_key")
DRAIN_ORDER = (F("ends_at").asc(nulls_last=True), F("starts_at").asc(nulls_last=True), "pk")
"""Soonest expiry first, then the older one, by Stripe's times whichever webhook came first; they have whole seconds, so
within one the row does. Whoever locks several packs locks them in this order."""


def new(row: Entitlement, unit: str) -> Pack:
    """The pack of an entitlement that has none yet, in the unit of its product; it is not saved."""
    return Pack(
        mode=row.mode,
        subject_id=row.subject_id,
        subject_ref=row.subject_ref,
        product_id=row.product_id,
        unit=unit,
        source_id=row.source_id,
        created_at=row.created_at,
    )


def save(pack: Pack, at: datetime) -> None:
    """Insert a new pack, or write the columns that facts and operators change."""
    pack.updated_at = at
    if pack._state.adding:
        insert(pack)
    else:
        pack.save(update_fields=COLUMNS)


def save_times(changed: Sequence[Pack], at: datetime) -> None:
    """Insert the new ones and give the others their times, in one statement. Units of these are left as they are."""
    for pack in changed:
        # One that is there is found by what is unique, and keeps its key.
        pack.pk, pack.updated_at = None, at
    if changed:
        Pack.objects.using(writer()).bulk_create(
            changed, update_conflicts=True, unique_fields=UNIQUE, update_fields=(*TIMES, "units_paid", "updated_at")
        )


def set_granted(pack: Pack, units: int) -> None:
    """Say how many units the pack was bought with. What it already gave cannot be taken back."""
    spent = pack.units_consumed + pack.units_reserved
    pack.units_granted = max(units + pack.units_adjusted, spent)
    pack.units_remaining = pack.units_granted - spent - pack.units_voided
    if pack.units_remaining < 0:
        pack.units_voided += pack.units_remaining
        pack.units_remaining = 0


def set_paid(pack: Pack, units: int) -> None:
    """Say what the window of a pack is paid for now. What was used stays used, and what was granted before and is paid
    for no longer is void."""
    spent = pack.units_consumed + pack.units_reserved
    paid = max(units + pack.units_adjusted, spent)
    pack.units_paid = units
    pack.units_granted = max(pack.units_granted, paid)
    pack.units_voided = pack.units_granted - paid
    pack.units_remaining = paid - spent


def void(pack: Pack) -> None:
    """Nothing is left to use; what was consumed stays consumed."""
    pack.units_voided += pack.units_remaining
    pack.units_remaining = 0


def restore(pack: Pack) -> None:
    """What was left when the pack was voided is there again."""
    pack.units_remaining += pack.units_voided
    pack.units_voided = 0


def follow(pack: Pack, row: Entitlement) -> None:
    """Give a usage pack the times of its entitlement. Refund, dispute and operator void it; time is another matter."""
    pack.starts_at, pack.ends_at = row.starts_at, row.expires_at
    pack.not_before, pack.available_until = row.not_before, row.available_until or NEVER
    pack.is_void = not row.grants_access or row.revoked_at is not None
    if pack.is_void:
        void(pack)
    else:
        restore(pack)


def adjust(pack: Pack, units: int) -> None:
    """Give or, below zero, take units by hand. On a void pack it changes what a restoration would bring back.

    Raises InsufficientUsage rather than taking more than is left, InvalidRequest for more than a pack can hold.
    """
    if pack.units_granted + units > MOST_UNITS:
        raise InvalidRequest(fields={"units": [f"A pack holds at most {MOST_UNITS:,} units in all."]})
    left = pack.units_voided if pack.is_void else pack.units_remaining
    if left + units < 0:
        raise InsufficientUsage(usage_remaining=left)
    pack.units_adjusted += units
    pack.units_granted += units
    if pack.is_void:
        pack.units_voided += units
    else:
        pack.units_remaining += units


def give_back(pack: Pack, reserved: int, *, consumed: int) -> int:
    """End a reservation of the pack: some of it was used, the rest returns. Returns how much of the rest is void."""
    pack.units_reserved -= reserved
    pack.units_consumed += consumed
    pack.units_remaining += reserved - consumed
    return void_excess(pack)


def refund(pack: Pack, units: int) -> int:
    """Give units back that were consumed. Returns how many of them are void: a restoration would bring them back."""
    pack.units_consumed -= units
    pack.units_remaining += units
    return void_excess(pack)


def void_excess(pack: Pack) -> int:
    """Void what a pack may not give although it came back: all of a void one, and of a window that was used beyond what
    is paid for now, the difference. Returns how much."""
    before = pack.units_voided
    if pack.is_void:
        void(pack)
    elif pack.units_paid is not None:
        spent = pack.units_consumed + pack.units_reserved
        excess = pack.units_remaining - max(pack.units_paid + pack.units_adjusted - spent, 0)
        pack.units_voided += max(excess, 0)
        pack.units_remaining -= max(excess, 0)
    return pack.units_voided - before


can_be_used = as_python(PACK_IS_ON)
"""Whether units of a pack can be used at a moment, if it has any."""


# --- many packs -------------------------------------------------------------------------------------------------------


def locked(pks: Iterable[int]) -> dict[int, Pack]:
    """The packs by their keys, under a lock, in drain order; no query if there are none. Belongs into a transaction."""
    if not (wanted := list(pks)):
        return {}
    rows = Pack.objects.using(writer()).select_for_update().filter(pk__in=wanted)
    return {pack.pk: pack for pack in rows.order_by(*DRAIN_ORDER)}


def lock_those_of(rows: Iterable[Entitlement]) -> None:
    """Give each entitlement its pack, if it has one, as it is under its lock. Belongs into a transaction."""
    rows = list(rows)
    found = locked(row.pack_id for row in rows if row.pack_id is not None)
    for row in rows:
        row.pack = found.get(row.pack_id or 0)


def remaining(subject_ref: str, mode: str, at: datetime, *, unit: str = "", product_code: str = "") -> int:
    """Units over all available packs of the subject, read at one moment, where an old answer would be a wrong one."""
    rows = usable_packs(subject_ref, mode, at, unit=unit, product_codes=[product_code] if product_code else [])
    return units_left(rows.using(writer()), at)


def writer() -> str:
    """The database that usage is written to, and that is asked where an old answer would be a wrong one."""
    return router.db_for_write(LedgerEntry)
