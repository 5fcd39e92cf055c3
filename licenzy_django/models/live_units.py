"""The units that a subject can use at one moment: of each unit in all, and of each subscription's allowance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from licenzy_django.models.availability import is_on
from licenzy_django.models.entitlement import Entitlement, Status
from licenzy_django.models.pack import ROLLOVER, Pack, is_rollover
from licenzy_django.models.querysets import expired_units
from licenzy_django.models.usage import total


@dataclass(frozen=True, slots=True)
class LivePack:
    """A pack or a window from which units can be taken now, if it has any.

    Attributes:
        source_id: of a window, its subscription.
        allowance_of: of a window, the key of the entitlement that opened it.
        granted: without what is void.
        remaining: with what expired reservations have given back.
    """

    unit: str
    source_id: str
    allowance_of: int | None
    window_key: str
    starts_at: datetime | None
    ends_at: datetime | None
    granted: int
    remaining: int

    @property
    def is_window(self) -> bool:
        """A whole window, or the part of one that ends with it."""
        return self.allowance_of is not None and not is_rollover(self.window_key)


@dataclass(frozen=True, slots=True)
class UnitBalance:
    """What a subject has of one unit.

    Attributes:
        remaining: what can be used now.
        granted: what the packs and windows grant from which it can be used, the used part included.
        resets_at: the end of the newest window; None where there are only packs.
    """

    remaining: int
    granted: int
    resets_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance(UnitBalance):
    """What a subscription has of its own unit, in the windows that run now.

    Attributes:
        rolled_over: how many of those that remain have come over from earlier windows.
    """

    unit: str
    rolled_over: int


def live_packs(subject_ref: str, mode: str, at: datetime) -> list[LivePack]:
    """The subject's packs and windows that are on at this moment: one query."""
    return read(Pack.objects.filter(is_on(at), subject_ref=subject_ref, mode=mode), at)


def live_windows(subject_ref: str, mode: str, at: datetime) -> list[LivePack]:
    """Those of allowances alone: one query."""
    return read(Pack.objects.filter(is_on(at), subject_ref=subject_ref, mode=mode, allowance_of__isnull=False), at)


def read(rows: QuerySet[Pack], at: datetime) -> list[LivePack]:
    of_pack = ("unit", "source_id", "allowance_of", "window_key", "starts_at", "ends_at")
    of_units = ("units_granted", "units_voided", "units_remaining", "expired")
    found = rows.annotate(expired=expired_units(at)).values_list(*of_pack, *of_units)
    return [
        LivePack(unit, source, allowance_of, key, starts_at, ends_at, granted - voided, left + (expired or 0))
        for unit, source, allowance_of, key, starts_at, ends_at, granted, voided, left, expired in found
    ]


def balances_of(packs: Iterable[LivePack]) -> dict[str, UnitBalance]:
    """By unit, in the order of their codes."""
    by_unit: dict[str, list[LivePack]] = defaultdict(list)
    for pack in packs:
        by_unit[pack.unit].append(pack)
    return {
        unit: UnitBalance(total(pack.remaining for pack in of_unit), granted_of(of_unit), resets_at(of_unit))
        for unit, of_unit in sorted(by_unit.items())
    }


def allowances_of(packs: Iterable[LivePack], rows: Iterable[Entitlement]) -> dict[int, Allowance]:
    """By the key of the entitlement on which an allowance shows: one of these rows, or the one that opened it.

    Args:
        rows: with their products.
    """
    going_on = {row.pk: row for row in rows if row.status != Status.CANCELED and row.revoked_at is None}
    heirs = {(row.source_id, row.product.unit): row.pk for row in going_on.values()}
    by_row: dict[int, list[LivePack]] = defaultdict(list)
    for pack in packs:
        opener = pack.allowance_of
        if opener is not None:
            # After a change of the plan, what is left of the old one's window belongs to the new one.
            heir = opener if opener in going_on else heirs.get((pack.source_id, pack.unit), opener)
            by_row[heir].append(pack)
    return {row: allowance_of(windows) for row, windows in by_row.items()}


def allowance_of(windows: Sequence[LivePack]) -> Allowance:
    """Of one subscription. Where the windows that run have several units, those of the newest one count."""
    newest = newest_windows(windows)
    unit = newest[0].unit if newest else windows[0].unit
    counted = [window for window in windows if window.unit == unit]
    running = {window.window_key for window in counted if window.is_window}
    return Allowance(
        unit=unit,
        remaining=total(window.remaining for window in counted),
        granted=granted_of(counted),
        resets_at=resets_at(counted),
        rolled_over=total(window.remaining for window in counted if has_come_over(window, running)),
    )


def has_come_over(part: LivePack, running: Container[str]) -> bool:
    """Whether it is what is left of a window that is over.

    Args:
        running: the keys of the windows that are not over.
    """
    return is_rollover(part.window_key) and part.window_key.removesuffix(ROLLOVER) not in running


def newest_windows(packs: Iterable[LivePack]) -> list[LivePack]:
    """The whole windows that began last; several where subscriptions or products began together."""
    windows = [pack for pack in packs if pack.is_window and pack.starts_at is not None]
    last = max((window.starts_at for window in windows if window.starts_at is not None), default=None)
    return [window for window in windows if window.starts_at == last]


def resets_at(packs: Iterable[LivePack]) -> datetime | None:
    return min((pack.ends_at for pack in newest_windows(packs) if pack.ends_at is not None), default=None)


def granted_of(packs: Iterable[LivePack]) -> int:
    return total(pack.granted for pack in packs)
