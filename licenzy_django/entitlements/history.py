"""Entitlement states become rows: what differs is written, each change with its history row, ledger and event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from licenzy_django import clock, signals
from licenzy_django.access import cache
from licenzy_django.clock import from_timestamp
from licenzy_django.db.rows import insert
from licenzy_django.entitlements.allowance import Window
from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.window_rows import write_windows
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, EntitlementChange, Pack, Source, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.availability import Reason
from licenzy_django.models.pack import UNIT_COLUMNS
from licenzy_django.outbound import outbox

DERIVED_FIELDS = (
    "stripe_price_id",
    "quantity",
    "status",
    "status_reason",
    "grants_access",
    "starts_at",
    "expires_at",
    "current_period_end",
    "cancel_at",
    "trial_ends_at",
    "changes_at",
    "changes_to",
    "changes_quantity",
    "canceled_at",
    "not_before",
    "available_until",
    "features",
    "limits",
)
DERIVED_TIMES = (
    "starts_at",
    "expires_at",
    "current_period_end",
    "cancel_at",
    "trial_ends_at",
    "changes_at",
    "canceled_at",
    "not_before",
    "available_until",
)


@dataclass(frozen=True, slots=True)
class LockedSubject:
    """A subject under its lock, and whether anybody listens to what happens to it."""

    row: Subject
    has_listeners: bool


def write(
    locked: LockedSubject,
    states: Sequence[EntitlementState],
    rows: Sequence[Entitlement],
    *,
    audit: AuditContext,
    attempt_ids: Mapping[str, int | None] | None = None,
    source: str = Source.STRIPE,
    whole: outbox.WholeSubscription | None = None,
    windows: Sequence[Window] | None = None,
) -> list[Entitlement]:
    """Write what differs, each change with its history row and its event. Runs under the subject's lock.

    Args:
        attempt_ids: of the checkouts that new rows come from, by the rows' ``source_id``.
        whole: the subscription that the rows belong to: what happens to it as a whole is published too.
        source: what new rows rest on: facts of Stripe's, or an operator's decision.
        windows: of the units that come with the subscription; None where none do.
    """
    existing = {(row.source_id, row.product_id): row for row in rows}
    subject, now = locked.row, clock.now()
    changed, written = [], {row.product_id: row for row in rows}
    for derived in states:
        row = existing.get((derived.source_id, derived.product_id))
        before = snapshot(row) if row else {}
        if row is None:
            row = Entitlement(
                mode=subject.mode,
                subject=subject,
                subject_ref=subject.subject_ref,
                product_id=derived.product_id,
                source=source,
                source_id=derived.source_id,
                attempt_id=(attempt_ids or {}).get(derived.source_id),
                created_at=now,
            )
        apply(derived, row)
        written[row.product_id] = row
        if write_change(row, before, audit=audit, at=now):
            changed.append(row)
    if windows is not None and written:
        write_windows(written, windows, audit=audit, at=now)
    if locked.has_listeners:
        outbox.publish_entitlements(changed, audit=audit, whole=whole)
    return changed


def save_change(
    locked: LockedSubject, row: Entitlement, before: dict[str, Any], *, audit: AuditContext, at: datetime
) -> bool:
    """Save the row with its history and its event, if it is not what it was (``snapshot``)."""
    is_change = write_change(row, before, audit=audit, at=at)
    if is_change and locked.has_listeners:
        outbox.publish_entitlements([row], audit=audit)
    return is_change


def save_units(
    locked: LockedSubject, row: Entitlement, pack: Pack, units: int, *, audit: AuditContext, at: datetime
) -> None:
    """Give or take units of a row's pack, or of a window of its allowance, with history and event.

    Raises InsufficientUsage, InvalidRequest, and has changed nothing.
    """
    before = units_of(pack)
    packs.adjust(pack, units)
    packs.save(pack, at)
    row.updated_at = at
    row.save(update_fields=["updated_at"])
    record(row, before, units_of(pack), audit=audit, at=at)
    entries.record_change(pack, before, audit=audit, at=at)
    if row.pack_id == pack.pk:
        row.pack = pack
    if locked.has_listeners:
        outbox.publish_entitlements([row], audit=audit)


def write_change(row: Entitlement, before: dict[str, Any], *, audit: AuditContext, at: datetime) -> bool:
    """Save the row with its history and its ledger, if it is not what it was. Every change goes through here."""
    after = snapshot(row)
    if before == after:
        return False
    if row.pack is not None:
        packs.save(row.pack, at)
    row.updated_at = at
    columns = [name for name in after if before.get(name) != after[name] and name not in UNIT_COLUMNS]
    row.save(update_fields=[*columns, "pack", "updated_at"] if before else None)
    record(row, before, after, audit=audit, at=at)
    if row.pack is not None:
        entries.record_change(row.pack, before, audit=audit, at=at)
    return True


def record(
    row: Entitlement, before: dict[str, Any], after: dict[str, Any], *, audit: AuditContext, at: datetime
) -> None:
    """Keep in the row's history what has changed, and say so to caches and receivers."""
    changed = [name for name in after if before.get(name) != after[name]]
    change = EntitlementChange(
        mode=row.mode,
        entitlement=row,
        at=at,
        reason=audit.reason,
        source=audit.source,
        stripe_event_id=audit.event.event_id if audit.event else "",
        actor=audit.actor,
        note=audit.note,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed},
    )
    insert(change)
    cache.changed(row.subject_ref, row.mode)
    signal = partial(signals.entitlement_changed.send_robust, Entitlement, entitlement=row, change=change)
    transaction.on_commit(signal)


def apply(derived: EntitlementState, row: Entitlement) -> None:
    """Make the row say what the state says. An operator's revocation and consumed units are not Stripe's to change."""
    row.stripe_price_id = derived.price
    row.quantity = derived.quantity
    row.status = derived.status
    row.status_reason = Reason(derived.status_reason) if derived.status_reason else ""
    row.grants_access = derived.grants_access
    row.changes_to = derived.changes_to
    row.changes_quantity = derived.changes_quantity
    for name in DERIVED_TIMES:
        setattr(row, name, from_timestamp(getattr(derived, name)))
    if derived.features is not None:
        row.features = list(derived.features)
    if derived.limits is not None:
        row.limits = dict(derived.limits)
    if derived.units_granted and row.pack is None:
        row.pack = packs.new(row, derived.unit)
    if row.pack is not None:
        if derived.units_granted:
            packs.set_granted(row.pack, derived.units_granted)
        packs.follow(row.pack, row)


def snapshot(row: Entitlement) -> dict[str, Any]:
    """What of a row is worth a line in its history, as JSON."""
    values = {name: getattr(row, name) for name in (*DERIVED_FIELDS, "revoked_at")}
    values |= units_of(row.pack)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def units_of(pack: Pack | None) -> dict[str, Any]:
    return {name: getattr(pack, name, 0) for name in UNIT_COLUMNS}
