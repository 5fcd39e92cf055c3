"""What the tests of usage do again and again."""

from __future__ import annotations

from uuid import uuid4

from licenzy_django import usage
from licenzy_django.models import Entitlement, Pack


def reserve(units: int, subject: str = "user_1", **given: object) -> usage.Reserved:
    return usage.reserve(subject, units, **({"idempotency_key": uuid4().hex} | given))  # type: ignore[arg-type]


def columns(pack: Entitlement) -> tuple[int, int, int, int]:
    """Consumed, reserved, voided, remaining."""
    row = Pack.objects.get(entitlement=pack)
    return row.units_consumed, row.units_reserved, row.units_voided, row.units_remaining
