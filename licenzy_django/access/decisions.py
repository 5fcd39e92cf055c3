"""May this subject …? Entitlement rows, the clock and units become yes or no. Never calls Stripe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async

from licenzy_django import clock
from licenzy_django.access import cache, entitlement_rows
from licenzy_django.access.availability import availability_of
from licenzy_django.access.units_wanted import UnitsWanted
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import EntitlementRequired
from licenzy_django.identity import is_request, subject_ref_of
from licenzy_django.models import Entitlement
from licenzy_django.models.availability import Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a check: true or false, why, and the entitlement that it rests on."""

    allowed: bool
    reason: str | None = None
    subject_ref: str | None = None
    entitlement_id: str | None = None
    product_code: str | None = None

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def entitlement(self) -> Entitlement | None:
        """The row behind the decision; costs a query."""
        return Entitlement.objects.filter(public_id=self.entitlement_id).first() if self.entitlement_id else None


def check(
    subject: Any,
    *product_codes: str,
    feature: str = "",
    unit: str = "",
    units: int | None = None,
    mode: str | None = None,
    at: datetime | None = None,
) -> Decision:
    """Whether a subject has access now. Several questions at once must all hold.

    Args:
        subject: a ``subject_ref``, a request, a user, or None; an anonymous one is never entitled and costs no query.
            A request remembers: ten checks cost one query.
        product_codes: any of these products; none means any product.
        feature: whatever product gives this feature.
        unit: are units of this kind left? With products: units of theirs, as ``usage.consume`` would use. Asks the
            database each time, and uses nothing.
        units: so many, 1 to 1,000,000,000; by default one. Without ``unit`` those of the product, or the only ones
            that are sold.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        at: another moment than now.

    Raises:
        UnitRequired: it is asked for units, several kinds are sold, and none was named.
        InvalidRequest: such a unit, or such a number of units, there is not.
    """
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        return Decision(False, "anonymous")
    mode = mode or licenzy_settings().MODE
    asks_for_units = bool(unit) or units is not None
    if asks_for_units and not (product_codes or feature):
        decision = Decision(True, None, subject_ref)
    else:
        request = subject if is_request(subject) else None
        decision = entitled(subject_ref, mode, product_codes, feature, request=request, at=at)
    if asks_for_units:
        wanted = UnitsWanted(mode, unit, product_codes, 1 if units is None else units)
        decision = with_units(decision, wanted.are_left(subject_ref, clock.moment(at)))
    return decision


def entitled(
    subject_ref: str, mode: str, product_codes: Sequence[str], feature: str, *, request: Any, at: datetime | None
) -> Decision:
    found = rows_at(subject_ref, mode, request=request, at=at)
    return decide(subject_ref, found.rows, product_codes, feature, at=found.at)


@dataclass(frozen=True, slots=True)
class RowsAt:
    """What a subject has, and the moment that is asked about."""

    rows: Sequence[entitlement_rows.EntitlementRow]
    at: datetime


def rows_at(subject_ref: str, mode: str, *, request: Any, at: datetime | None) -> RowsAt:
    """Of a moment that is given the database is asked, and nothing else."""
    if at is None:
        at = clock.now()
        return RowsAt(cache.rows_of(subject_ref, mode, at=at, request=request), at)
    at = clock.moment(at)
    return RowsAt(entitlement_rows.rows_of(subject_ref, mode, at=at), at)


def with_units(decision: Decision, has_units: bool) -> Decision:
    """The decision where units are asked for too: what refuses already keeps its reason."""
    if not decision or has_units:
        return decision
    return replace(decision, allowed=False, reason=Reason.USAGE_EXHAUSTED)


def decide(
    subject_ref: str,
    rows: Iterable[entitlement_rows.EntitlementRow],
    product_codes: Sequence[str],
    feature: str,
    *,
    at: datetime,
) -> Decision:
    """The decision over a subject's rows: the first available one that answers, or the best reason why none does."""
    refusal: Decision | None = None
    closest = len(Reason)
    for row in rows:
        if (product_codes and row.product_code not in product_codes) or (feature and feature not in row.features):
            continue
        availability = availability_of(row, at)
        if availability.reason is None:
            return Decision(True, None, subject_ref, row.public_id, row.product_code)
        if availability.reason.rank < closest:
            closest = availability.reason.rank
            refusal = Decision(False, availability.reason, subject_ref, row.public_id, row.product_code)
    return Decision(False, "no_entitlement", subject_ref) if refusal is None else refusal


def require(
    subject: Any,
    *product_codes: str,
    feature: str = "",
    unit: str = "",
    units: int | None = None,
    mode: str | None = None,
    at: datetime | None = None,
) -> Decision:
    """Like ``check``, but raises EntitlementRequired (a PermissionDenied) instead of answering no."""
    decision = check(subject, *product_codes, feature=feature, unit=unit, units=units, mode=mode, at=at)
    if not decision:
        raise EntitlementRequired(decision=decision)
    return decision


acheck = sync_to_async(check)
arequire = sync_to_async(require)
