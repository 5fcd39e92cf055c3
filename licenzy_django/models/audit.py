"""Why something changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from licenzy_django.models.entitlement import Source
from licenzy_django.models.stripe import StripeEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditContext:
    """Why entitlements are rebuilt: an open word, and the Stripe event or the operator behind it."""

    reason: str
    source: str = Source.STRIPE
    event: StripeEvent | None = None
    actor: Any = None
    note: str = ""
    remarks: list[str] = field(default_factory=list)
    """What came to light meanwhile, for whoever reads the event."""
    request_id: str = ""
    """Where the operator's form was sent with one: it adjusts once."""
