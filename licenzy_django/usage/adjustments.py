"""Units that an operator gives or takes, for a recorded reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any, overload

from django.db import transaction
from django.db.models import Q

from licenzy_django import clock
from licenzy_django.entitlements import history, rebuild
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, LedgerEntry, Pack, Source
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.units import MAX_UNITS, is_whole
from licenzy_django.usage import allocation, expiry


@overload
def adjust(
    pack: Entitlement, units: int, *, actor: Any, reason: str, request_id: str = "", at: datetime | None = None
) -> Entitlement: ...


@overload
def adjust(
    pack: Pack, units: int, *, actor: Any, reason: str, request_id: str = "", at: datetime | None = None
) -> Pack: ...


def adjust(
    pack: Entitlement | Pack, units: int, *, actor: Any, reason: str, request_id: str = "", at: datetime | None = None
) -> Entitlement | Pack:
    """Give units to one pack or, below zero, take them, for a recorded reason. It outlives what Stripe says later.

    Args:
        pack: a usage pack's entitlement, or a window of a subscription's allowance. Returned as it is afterwards.
        actor: the operator, a user.
        reason: why, for the history: of a window, that of its subscription.
        request_id: the same one adjusts once.

    Raises:
        InsufficientUsage: fewer are left than should be taken; nothing was changed.
        IdempotencyKeyReused: the ``request_id`` has adjusted something else.
        InvalidRequest: not a pack, no units, more than a pack can hold, or no reason.
    """
    found = pack if isinstance(pack, Pack) else pack.pack
    problems = {}
    if not is_whole(units) or not 1 <= abs(units) <= MAX_UNITS:
        problems["units"] = ["This must be a whole number, at most 1,000,000,000, and not 0."]
    if found is None:
        problems["entitlement"] = ["Only a usage pack has units."]
    if not reason.strip():
        problems["reason"] = ["Say why."]
    if problems or found is None:
        raise InvalidRequest(fields=problems)
    at, request = clock.moment(at), entries.fingerprint_of_adjustment(found.pk, units)
    expiry.reclaim(found.subject_ref, found.mode, at)
    with transaction.atomic(using=packs.writer()):
        subject = rebuild.lock_subject(found.subject_id)
        row = Entitlement.objects.select_related("product").get(Q(pack=found.pk) | Q(pk=found.allowance_of_id))
        locked = allocation.locked(Pack.objects.filter(pk=found.pk)).get()
        if not request_id or not entries.first_of_key(row.mode, LedgerEntry.Kind.ADJUST, request_id, request):
            audit = AuditContext(
                reason="manual_adjust", source=Source.PORTAL, actor=actor, note=reason, request_id=request_id
            )
            history.save_units(subject, row, locked, units, audit=audit, at=at)
    if row.pack_id == locked.pk:
        row.pack = locked
    return locked if isinstance(pack, Pack) else row
