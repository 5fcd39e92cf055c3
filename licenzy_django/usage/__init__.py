"""Use units: consume, or reserve, confirm and release; and refund. All or nothing, once per key, never below zero."""

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
from licenzy_django.usage.refunds import Refunded, arefund, refund

__all__ = [
    "DayOfUse",
    "Refunded",
    "Reserved",
    "Used",
    "aconfirm",
    "aconsume",
    "adjust",
    "arefund",
    "arelease",
    "aremaining",
    "areserve",
    "by_day",
    "confirm",
    "consume",
    "refund",
    "release",
    "remaining",
    "reserve",
]
