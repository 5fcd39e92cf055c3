"""That so many per cent of a unit are used: announced once for each threshold until a new window or pack begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from licenzy_django.conf import licenzy_settings
from licenzy_django.ledger import packs
from licenzy_django.models import EventType, Pack, Subject
from licenzy_django.models.live_units import balances_of, read
from licenzy_django.models.units import usable_packs
from licenzy_django.outbound import outbox, usage_events
from licenzy_django.signals import usage_threshold_reached


@dataclass(frozen=True, slots=True)
class Heard:
    """Who listens: whether to each use, and whether to thresholds."""

    use: bool = False
    thresholds: bool = False


def are_received() -> bool:
    """Whether a receiver in this process listens to thresholds."""
    return bool(licenzy_settings().USAGE_THRESHOLDS) and usage_threshold_reached.has_listeners(Subject)


def heard_in(mode: str) -> Heard:
    """What is listened to in a mode; one query."""
    endpoints = list(outbox.listeners_of(mode).only("events"))
    wants_thresholds = any(endpoint.wants(EventType.USAGE_THRESHOLD_REACHED) for endpoint in endpoints)
    return Heard(
        use=any(endpoint.wants(EventType.USAGE_CONSUMED) for endpoint in endpoints),
        thresholds=are_received() or (bool(licenzy_settings().USAGE_THRESHOLDS) and wants_thresholds),
    )


def announce(subject_ref: str, mode: str, unit: str, at: datetime) -> None:
    """Publish the thresholds that were reached now.

    Belongs into the transaction that used the units, after all packs of the unit were locked: whoever uses some at the
    same time waits, and then finds what was announced.
    """
    thresholds = licenzy_settings().USAGE_THRESHOLDS
    rows = usable_packs(subject_ref, mode, at, unit=unit).using(packs.writer())
    reached = newly_reached(list(rows), thresholds) if thresholds else []
    if not reached:
        return
    # Kept on all of them: the newest may end before the others do.
    is_lower = Q(announced_percent=None) | Q(announced_percent__lt=reached[-1])
    rows.filter(is_lower).update(announced_percent=reached[-1])
    balance = balances_of(read(rows, at))[unit]
    new_events = [
        usage_events.usage_threshold_reached(subject_ref, threshold, balance, mode=mode, unit=unit, at=at)
        for threshold in reached
    ]
    outbox.publish(mode, new_events)
    for threshold in reached:
        signal = partial(
            usage_threshold_reached.send_robust,
            Subject,
            subject_ref=subject_ref,
            mode=mode,
            unit=unit,
            threshold=threshold,
            usage_remaining=balance.remaining,
            usage_granted=balance.granted,
            usage_resets_at=balance.resets_at,
        )
        transaction.on_commit(signal, using=packs.writer())


def newly_reached(live: Sequence[Pack], thresholds: Sequence[int]) -> list[int]:
    """The thresholds that the use of these packs has reached since the newest of them began, the lowest first."""
    granted = sum(pack.units_granted - pack.units_voided for pack in live)
    used = sum(pack.units_consumed for pack in live)
    if not granted:
        return []
    newest = max(live, key=lambda pack: (pack.not_before or pack.starts_at or pack.created_at, pack.pk))
    announced = newest.announced_percent or 0
    return [each for each in sorted(thresholds) if each > announced and used * 100 >= each * granted]
