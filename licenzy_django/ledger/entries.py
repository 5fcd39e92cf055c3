"""The ledger: each movement of units, kept in the transaction that moved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, F, Sum, When
from django.db.models.functions import Coalesce, TruncDate

from licenzy_django.exceptions import IdempotencyKeyReused
from licenzy_django.idempotency import fingerprint
from licenzy_django.ledger.packs import writer
from licenzy_django.models import LedgerEntry, Pack
from licenzy_django.models.audit import AuditContext

Kind = LedgerEntry.Kind

# What a row of each kind does to the columns of its pack, for one unit. The sums over the ledger are the balances.
EFFECTS: dict[str, dict[str, int]] = {
    Kind.GRANT: {"units_granted": 1, "units_remaining": 1},
    Kind.ADJUST: {"units_granted": 1, "units_remaining": 1, "units_adjusted": 1},
    Kind.CONSUME: {"units_consumed": 1, "units_remaining": -1},
    Kind.RESERVE: {"units_reserved": 1, "units_remaining": -1},
    Kind.CONFIRM: {"units_reserved": -1, "units_consumed": 1},
    Kind.RELEASE: {"units_reserved": -1, "units_remaining": 1},
    Kind.EXPIRE: {"units_reserved": -1, "units_remaining": 1},
    Kind.VOID: {"units_voided": 1, "units_remaining": -1},
    Kind.RESTORE: {"units_voided": -1, "units_remaining": 1},
    Kind.REFUND: {"units_consumed": -1, "units_remaining": 1},
}


def entries(pack: Pack, balance: int, movements: Iterable[tuple[Kind, int]], **common: Any) -> list[LedgerEntry]:
    """The rows of a pack's movements, in this order.

    Args:
        balance: what the pack had left to use before the first of them.
        movements: kind and units; those of zero leave no row.
        common: the other fields, alike on all rows.
    """
    rows = []
    for kind, units in movements:
        if units:
            balance += units * EFFECTS[kind].get("units_remaining", 0)
            rows.append(
                LedgerEntry(
                    mode=pack.mode,
                    subject_id=pack.subject_id,
                    pack=pack,
                    kind=kind,
                    units=units,
                    balance_after=balance,
                    **common,
                )
            )
    if balance != pack.units_remaining:
        raise RuntimeError(f"The movements of pack {pack.pk} lead to {balance}, and it has {pack.units_remaining}.")
    return rows


def record_change(pack: Pack, before: Mapping[str, Any], *, audit: AuditContext, at: datetime) -> None:
    """Keep what ``changes`` says."""
    if rows := changes(pack, before, audit=audit, at=at):
        LedgerEntry.objects.bulk_create(rows)


def changes(pack: Pack, before: Mapping[str, Any], *, audit: AuditContext, at: datetime) -> list[LedgerEntry]:
    """The rows of what facts or an operator did to a pack's units: granted, adjusted, voided, restored.

    Args:
        before: its columns as they were; empty for a new pack.
    """
    granted = pack.units_granted - before.get("units_granted", 0)
    adjusted = pack.units_adjusted - before.get("units_adjusted", 0)
    voided = pack.units_voided - before.get("units_voided", 0)
    # What comes back comes before anything is taken, so that no balance on the way is below zero.
    movements = [
        (Kind.RESTORE, max(-voided, 0)),
        (Kind.ADJUST, adjusted),
        (Kind.GRANT, granted - adjusted),
        (Kind.VOID, max(voided, 0)),
    ]
    movements.sort(key=lambda movement: movement[0] == Kind.VOID or movement[1] < 0)
    common = {"source": audit.source, "actor": audit.actor, "reason": audit.reason[:40], "created_at": at}
    rows = entries(pack, before.get("units_remaining", 0), movements, **common)
    for row in rows:
        if row.kind == Kind.ADJUST and audit.request_id:
            row.idempotency_key = audit.request_id
            row.fingerprint = fingerprint_of_adjustment(pack.pk, adjusted)
            row.usage_remaining = pack.units_remaining
    return rows


def fingerprint_of_adjustment(pack_id: int | None, units: int) -> str:
    return fingerprint(pack=pack_id, units=units)


def first_of_key(mode: str, kind: str, key: str, request_fingerprint: str) -> LedgerEntry | None:
    """The row under which a key was used before, or None. Raises IdempotencyKeyReused if it was for another request."""
    rows = LedgerEntry.objects.using(writer()).select_related("reservation")
    row = rows.filter(idempotency_key=key, kind=kind, mode=mode).first()
    if row is not None and row.fingerprint != request_fingerprint:
        raise IdempotencyKeyReused()
    return row


@dataclass(frozen=True, slots=True)
class DayOfUse:
    day: date
    units: int


def use_by_day(subject_ref: str, mode: str, *, days: int, at: datetime, unit: str = "") -> list[DayOfUse]:
    """Units used on each of the last days, in UTC, the days without use included; the last one is the day of ``at``.

    What was given back is taken off the day on which it was used.

    Args:
        unit: which ones; empty means all.
    """
    today = at.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    rows = LedgerEntry.objects.filter(
        mode=mode,
        subject__subject_ref=subject_ref,
        subject__mode=mode,
        kind__in=[Kind.CONSUME, Kind.CONFIRM, Kind.REFUND],
        created_at__gte=since,
        **({"pack__unit": unit} if unit else {}),
    )
    used = rows.annotate(used_at=Coalesce("consumption__created_at", "created_at")).filter(used_at__gte=since)
    signed = Case(When(kind=Kind.REFUND, then=-F("units")), default=F("units"), output_field=BigIntegerField())
    by_day = used.annotate(day=TruncDate("used_at", tzinfo=UTC)).order_by().values("day").annotate(total=Sum(signed))
    found = {row["day"]: row["total"] for row in by_day}
    return [DayOfUse(day, found.get(day, 0)) for day in (first + timedelta(days=number) for number in range(days))]
