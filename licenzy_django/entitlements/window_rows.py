"""Windows of an allowance become packs: what differs is written, each movement of units with its row of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from licenzy_django.clock import from_timestamp
from licenzy_django.db.rows import written
from licenzy_django.entitlements.allowance import Window
from licenzy_django.entitlements.windows import split
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.pack import ROLLOVER, UNIT_COLUMNS, is_rollover

Key = tuple[str, str]


@dataclass(slots=True)
class Part:
    """A pack, stored or new, and the window that it holds, whole or in part.

    Attributes:
        window: None for one that is no more.
        before: the columns of a pack that is stored; empty for a new one.
    """

    pack: Pack
    window: Window | None
    before: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.before = {} if self.is_new else self.columns()

    @property
    def is_new(self) -> bool:
        return self.pack._state.adding

    @property
    def is_rolled_over(self) -> bool:
        return is_rollover(self.pack.window_key)

    @property
    def spent(self) -> int:
        return self.pack.units_consumed + self.pack.units_reserved

    def columns(self) -> dict[str, Any]:
        return {name: getattr(self.pack, name) for name in (*packs.TIMES, "units_paid", *UNIT_COLUMNS)}

    def differs(self) -> bool:
        return self.before != self.columns()

    def is_regranted(self) -> bool:
        """Whether units of a pack that is stored change."""
        now = self.columns()
        return not self.is_new and any(self.before[name] != now[name] for name in UNIT_COLUMNS)


def write_windows(
    rows: Mapping[int, Entitlement], windows: Sequence[Window], *, audit: AuditContext, at: datetime
) -> None:
    """Write what differs, under the subject's lock. Units are taken without it meanwhile: so what differs is looked for
    first, and where that is units, it is looked for again under the lock of the packs.

    Args:
        rows: the entitlements of one subscription by product; at least one.
    """
    owner = next(iter(rows.values()))
    if is_revoked(rows.values()):
        windows = [replace(window, is_on=False) for window in windows]
    stored = written(Pack).filter(source_id=owner.source_id, mode=owner.mode).exclude(window_key="")
    found = {(pack.unit, pack.window_key): pack for pack in stored}
    of_windows = parts_by_window(found, windows, rows)
    changed = changed_by(of_windows)
    if any(part.is_regranted() for part in changed):
        changed = changed_by(under_lock(of_windows))
    for part in changed:
        if part.is_regranted():
            packs.save(part.pack, at)
    packs.save_times([part.pack for part in changed if not part.is_regranted()], at)
    movements = [row for part in changed for row in entries.changes(part.pack, part.before, audit=audit, at=at)]
    if movements:
        LedgerEntry.objects.bulk_create(movements)


def is_revoked(rows: Iterable[Entitlement]) -> bool:
    """Whether an operator has taken away all of a subscription that gives access."""
    return all(row.revoked_at is not None for row in rows if row.grants_access)


def switch_off(rows: Sequence[Entitlement], at: datetime) -> None:
    """Let the windows of a subscription, all of whose entitlements are given, end with the last of these."""
    if not is_revoked(rows):
        return
    windows = written(Pack).filter(source_id=rows[0].source_id, mode=rows[0].mode).exclude(window_key="")
    found = packs.locked(windows.values_list("pk", flat=True))
    for pack in found.values():
        pack.available_until = pack.starts_at or at
    packs.save_times(list(found.values()), at)


def parts_by_window(
    found: Mapping[Key, Pack], windows: Iterable[Window], rows: Mapping[int, Entitlement]
) -> list[list[Part]]:
    """The packs of each window, together with the part of it that rolls over."""
    parts: dict[Key, list[Part]] = defaultdict(list)
    known = {(window.unit, window.key): window for window in windows}
    for unit, key in {**found, **known}:
        window, pack = known.get((unit, key)), found.get((unit, key))
        if pack is None and window is not None and window.total:
            pack = new_pack(window, rows)
        if pack is not None:
            parts[unit, key.removesuffix(ROLLOVER)].append(Part(pack, window))
    return list(parts.values())


def new_pack(window: Window, rows: Mapping[int, Entitlement]) -> Pack:
    owner = rows.get(window.product_id) or next(iter(rows.values()))
    pack = packs.new(owner, window.unit)
    pack.product_id, pack.window_key, pack.allowance_of = window.product_id, window.key, owner
    return pack


def changed_by(of_windows: Sequence[Sequence[Part]]) -> list[Part]:
    """Make all packs say what their windows say. Those that said something else, in the order in which they drain."""
    for parts in of_windows:
        update(parts)
    changed = [part for parts in of_windows for part in parts if part.differs()]
    return sorted(changed, key=lambda part: (part.pack.ends_at, part.pack.starts_at))


def under_lock(of_windows: Iterable[Sequence[Part]]) -> list[list[Part]]:
    """The windows of which something differs, with their packs as they are under their lock."""
    differing = [parts for parts in of_windows if any(part.differs() for part in parts)]
    locked = packs.locked(part.pack.pk for parts in differing for part in parts if not part.is_new)
    return [[Part(locked.get(part.pack.pk, part.pack), part.window) for part in parts] for parts in differing]


def update(parts: Sequence[Part]) -> None:
    """Make the packs of one window say what it says."""
    window = next((part.window for part in parts if part.window is not None), None)
    total, rollover = (window.total, window.rollover) if window else (0, 0)
    # What a part has spent itself is no part of what it is paid for: units that come back to it may be void.
    base = split(total, rollover, spent_rolled=sum(part.spent for part in parts if part.is_rolled_over)).base
    rolled = split(total, rollover, spent_base=sum(part.spent for part in parts if not part.is_rolled_over)).rolled
    for part in parts:
        packs.set_paid(part.pack, rolled if part.is_rolled_over else base)
        if part.window is not None:
            set_times(part.pack, part.window)


def set_times(pack: Pack, window: Window) -> None:
    """A window of a subscription that gives access to nothing ends where it begins, until that changes."""
    until = window.available_until if window.is_on else window.starts_at
    times = (window.starts_at, window.ends_at, window.not_before, until)
    for name, moment in zip(packs.TIMES, times, strict=True):
        setattr(pack, name, from_timestamp(moment))
