"""The units of a pack: granted = consumed + reserved + voided + remaining, always."""

from __future__ import annotations

from licenzy_django.models import Entitlement


def set_granted(lot: Entitlement, units: int) -> None:
    """Say how many units the lot was bought with. What it already gave cannot be taken back."""
    spent = lot.units_consumed + lot.units_reserved
    lot.units_granted = max(units, spent)
    lot.units_remaining = lot.units_granted - spent - lot.units_voided
    if lot.units_remaining < 0:
        lot.units_voided += lot.units_remaining
        lot.units_remaining = 0


def void(lot: Entitlement) -> None:
    """Nothing is left to use; what was consumed stays consumed."""
    lot.units_voided += lot.units_remaining
    lot.units_remaining = 0


def restore(lot: Entitlement) -> None:
    """What was left when the lot was voided is there again."""
    lot.units_remaining += lot.units_voided
    lot.units_voided = 0
