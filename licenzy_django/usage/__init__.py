"""Use units: consume, or reserve, confirm and release. All or nothing, once per key, never below zero."""

from licenzy_django.ledger.entries import DayOfUse
from licenzy_django.usage.adjustments import adjust
from licenzy_django.usage.consumption import (
    Reserved,
    Used,
    aconfirm,
    aconsume,
    arelease,
    aremaining,
    areserve,
    by_day,
    confirm,
    consume,
    release,
    remaining,
    reserve,
)

__all__ = [
    "DayOfUse",
    "Reserved",
    "Used",
    "aconfirm",
    "aconsume",
    "adjust",
    "arelease",
    "aremaining",
    "areserve",
    "by_day",
    "confirm",
    "consume",
    "release",
    "remaining",
    "reserve",
]
