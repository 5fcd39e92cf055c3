"""What is published of units: that some were used, and that they run out."""

from __future__ import annotations

from datetime import datetime

from licenzy_django import clock
from licenzy_django.models import EventType, Kind, Source
from licenzy_django.models.live_units import UnitBalance
from licenzy_django.outbound.events import NewEvent, in_utc, payload


def usage_consumed(
    subject_ref: str,
    units: int,
    *,
    mode: str,
    unit: str,
    usage_remaining: int,
    product_code: str | None = None,
    entitlement_id: str | None = None,
    reason: str = "usage_consumed",
    source: str = Source.RUNTIME,
    at: datetime | None = None,
) -> NewEvent:
    """Units were used. ``usage_remaining`` is what the call answered: over all packs that it was about."""
    now = in_utc(clock.moment(at))
    known = payload(
        subject_ref,
        mode=mode,
        product_code=product_code,
        kind=Kind.USAGE_PACK,
        reason=reason,
        source=source,
        entitlement_id=entitlement_id,
        units=units,
        unit=unit,
        usage_remaining=usage_remaining,
        created_at=now,
        updated_at=now,
    )
    return NewEvent(type=EventType.USAGE_CONSUMED, subject_ref=subject_ref, payload=known)


def usage_threshold_reached(
    subject_ref: str, threshold: int, balance: UnitBalance, *, mode: str, unit: str, at: datetime
) -> NewEvent:
    """So many per cent of what the live windows and packs of a unit were granted are used."""
    event_type, now = EventType.USAGE_THRESHOLD_REACHED, in_utc(at)
    known = payload(
        subject_ref,
        mode=mode,
        reason="usage_threshold_reached",
        source=Source.RUNTIME,
        unit=unit,
        threshold=threshold,
        usage_remaining=balance.remaining,
        usage_granted=balance.granted,
        usage_resets_at=in_utc(balance.resets_at),
        created_at=now,
        updated_at=now,
    )
    return NewEvent(type=event_type, subject_ref=subject_ref, payload=known)
